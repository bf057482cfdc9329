"""A ComfyUI server with this pack, and its page in a headless Chromium.

    COMFYUI_PATH=… COMFYUI_PYTHON=… [COMFYUI_FRONTEND=…/comfyui_frontend_package/static] \
        [BROWSER_MODES=own,classic,nodes2] pytest -c tests/pytest.ini tests/browser

COMFYUI_FRONTEND is the folder of another frontend than the server's own, for instance of the newest
comfyui-frontend-package. BROWSER_MODES chooses from MODES, by default all; CONTRIBUTING.md says what each is
for. BROWSER_PATH is a Chromium or Chrome where none is found by its name.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from comfyui_server import COMFYUI, ComfyUIServer
from film_clips import film_frames, write_film
from PIL import Image, ImageOps

from brushwork.base.shipped import EXAMPLE_FILM, EXAMPLE_PREFIX, SHIPPED_INPUTS, example_pictures

CHROMIUM = os.environ.get("BROWSER_PATH") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@dataclass(frozen=True)
class Mode:
    """A way in which people see the canvas."""

    own_frontend: bool
    """The one that the server brings, not that of COMFYUI_FRONTEND."""
    nodes_2: bool = False
    """Nodes are elements of the page, not drawn by LiteGraph."""


MODES = {"own": Mode(True), "classic": Mode(False), "nodes2": Mode(False, nodes_2=True)}
CHOSEN = os.environ.get("BROWSER_MODES", ",".join(MODES)).split(",")
if unknown := set(CHOSEN) - set(MODES):
    raise pytest.UsageError(
        f"BROWSER_MODES has {', '.join(sorted(unknown))}; choose from {', '.join(MODES)}."
    )
FRONTEND = os.environ.get("COMFYUI_FRONTEND")
SIDE = 192


@pytest.fixture(scope="session", params=CHOSEN)
def mode(request):
    return MODES[request.param]


@pytest.fixture(scope="session")
def server(mode, tmp_path_factory):
    """The server with small pictures in its input folder; once for each mode."""
    if not COMFYUI:
        pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed; name one with BROWSER_PATH")
    pytest.importorskip("playwright", reason="playwright is missing; pip install '.[browser]'")
    if not mode.own_frontend and FRONTEND is None:
        pytest.skip("COMFYUI_FRONTEND is not set to the folder of another frontend")
    options = [] if mode.own_frontend else ["--front-end-root", FRONTEND]
    running = ComfyUIServer(tmp_path_factory.mktemp("browser") / "base", *options)
    _fill(running.base, mode)
    with running:
        yield running


@pytest.fixture(scope="session")
def canvas(server):
    """ComfyUI's page, open; the tests share it."""
    from comfyui_page import ComfyUIPage
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            context = browser.new_context(viewport={"width": 1600, "height": 1000})
            yield ComfyUIPage(context.new_page(), server)
        finally:
            browser.close()


def _fill(base: Path, mode: Mode) -> None:
    """Small example pictures, a film, pictures to train on, and the settings of one who has been here."""
    for name, path in example_pictures().items():
        with Image.open(path) as picture:
            picture.thumbnail((SIDE, SIDE))
            picture.save(base / "input" / name)
    for folder in ("my_style", "paintings"):
        (base / "input" / folder).mkdir()
        for path in SHIPPED_INPUTS.glob("art-*.jpg"):
            with Image.open(path) as picture:
                ImageOps.fit(picture.convert("RGB"), (160, 160)).save(base / "input" / folder / path.name)
    write_film(base / "input" / f"{EXAMPLE_PREFIX}{EXAMPLE_FILM.name}", film_frames((3, 2), (64, 48)))
    (base / "user" / "default").mkdir()
    settings = {
        "Comfy.TutorialCompleted": True,
        "Comfy.OnboardingCoachmarks.Seen": ["appMode"],
        "Comfy.VueNodes.Enabled": mode.nodes_2,
    }
    (base / "user" / "default" / "comfy.settings.json").write_text(json.dumps(settings))
