"""`brushwork queue` in this process, against servers on 127.0.0.1 that answer at once or badly."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from hostile_answers import CASES
from PIL import Image
from stand_in_comfyui import WORKFLOW, StandInServer, picture_bytes, png_bomb

from brushwork.cli.main import main
from brushwork.cli.queue import events, pool, run, server, worker

# httpcore imports it for every request. Where it is missing, Python looks through all folders each time.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]


@pytest.fixture(scope="session")
def comfy():
    png_bomb()  # It takes a second, which no answer may take.
    with StandInServer(CASES) as all_servers:
        yield all_servers


@pytest.fixture
def hurry(monkeypatch):
    """A second instead of a minute, so that a server that hangs costs little and a busy machine does not."""
    for module, name, value in (
        (worker, "POLL_SECONDS", 0.05),
        (worker, "FIRST_WAIT", 0.01),
        (worker, "LONGEST_WAIT", 0.1),
        (pool, "GRACE_SECONDS", 0.5),
        (worker, "SHORTEST_POLL", 0.03),
        (server, "TIMEOUT", httpx.Timeout(1)),
        (server, "SECONDS_TO_ANSWER", 1.2),
        (server, "LONGEST_ANSWER", 2**22),
        (events, "SECONDS_TO_RECONNECT", 0.05),
        (run, "SECONDS_TO_CANCEL", 0.3),
    ):
        monkeypatch.setattr(module, name, value)


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    folder: Path

    @property
    def files(self) -> list[str]:
        """The results, all of them whole pictures or films; nothing else may be there."""
        names = sorted(path.name for path in self.folder.iterdir() if path.name != "manifest.jsonl")
        for name in names:
            if not name.endswith(".mp4"):
                with Image.open(self.folder / name) as picture:
                    picture.load()
        return names

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "manifest.jsonl").read_bytes().splitlines()]


@pytest.fixture
def photos(tmp_path):
    """p0.png, p1.png and p2.png."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        (folder / f"p{i}.png").write_bytes(picture_bytes())
    return folder


@pytest.fixture
def queue(comfy, tmp_path, photos, hurry, capsys):
    """Run `brushwork queue` on these servers, with more options."""

    def run(*servers, options=(), workflow=WORKFLOW, retries=1, patience="1"):
        path = tmp_path / "workflow.json"
        path.write_text(json.dumps(workflow))
        arguments = ["queue", str(path), "--out", str(tmp_path / "out"), "--retries", str(retries)]
        arguments += ["--patience", patience, "--transfer-timeout", "1", "--max-download-size", "3"]
        arguments += [] if "--content" in options else ["--content", str(photos)]
        code = main([*arguments, *(f"--server={url}" for url in servers), *map(str, options)])
        comfy.hang_up()
        out, err = capsys.readouterr()
        return Outcome(code, out, err, tmp_path / "out")

    return run
