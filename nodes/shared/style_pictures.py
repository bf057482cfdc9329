"""The user's own styles for the style picker in ComfyUI's page; the library's pictures are in web/styles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from ...base.shipped import library_styles
from ...models.checkpoint import CheckpointError
from ...models.style_file import StyleFile, read_style
from ..bridge.routes import Answer, serve
from .checkpoints import file_stamp
from .styles import find_style, style_names

STYLES_PATH, PICTURE_PATH = "/brushwork/styles", "/brushwork/style_picture"


def serve_styles() -> None:
    """Answer the picker's questions; web/js/style_catalogue.js asks them."""
    serve(STYLES_PATH, lambda _: Answer(json.dumps(own_styles()).encode(), "application/json"))
    serve(PICTURE_PATH, own_picture)


def own_styles() -> list[dict[str, str]]:
    """Name, title, artist and year of the styles in models/brushwork_styles.

    `picture` changes when the file does, and is empty if there is none. Files that cannot be read are left
    out; the nodes say what is wrong with them.
    """
    styles = []
    for name in _own_names():
        found = _read(name)
        if found is not None:
            stamp, file = found
            styles.append(
                {
                    "name": name,
                    "title": file.name,
                    "artist": file.artist,
                    "year": file.year,
                    "picture": stamp if file.thumbnail else "",
                }
            )
    return styles


def own_picture(query: Mapping[str, str]) -> Answer | None:
    """The thumbnail of the user's style that is listed as `query['name']`; None if there is no such thing."""
    name = query.get("name", "")
    found = _read(name) if name in _own_names() else None
    if found is None or found[1].thumbnail is None:
        return None
    return Answer(found[1].thumbnail, "image/jpeg")


def _own_names() -> list[str]:
    library = library_styles()
    return [name for name in style_names() if name not in library]


def _read(name: str) -> tuple[str, StyleFile] | None:
    """The style and the state of its file, if it can be read."""
    try:
        path, time, size = file_stamp(find_style(name))
        return f"{time:x}-{size:x}", _read_once(path, time, size)
    except (CheckpointError, OSError):
        return None


@lru_cache(maxsize=512)
def _read_once(path: str, time: int, size: int) -> StyleFile:
    """The style in the file as it is at that `time` with that `size`."""
    return read_style(path)
