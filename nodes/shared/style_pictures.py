"""The user's own styles for the style picker in ComfyUI's page; the library's pictures are in web/styles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from ...base.shipped import library_styles
from ...models.checkpoint import CheckpointError
from ...models.style_file import StyleFacts, StyleFile, read_style, read_style_facts
from ..bridge.routes import Answer, serve
from .checkpoints import file_stamp
from .styles import find_style, style_names

# Files that stay in memory, with their thumbnails, and facts about files, which take a hundredth.
_MOST_FILES, _MOST_FACTS = 512, 50_000

STYLES_PATH, PICTURE_PATH = "/brushwork/styles", "/brushwork/style_picture"


def serve_styles() -> None:
    """Answer the picker's questions; web/js/style_catalogue.js asks them."""
    serve(STYLES_PATH, lambda _: Answer(json.dumps(own_styles()).encode(), "application/json"))
    serve(PICTURE_PATH, own_picture)


def own_styles() -> list[dict[str, str]]:
    """Name, title, artist and year of the styles in models/brushwork_styles.

    `picture` changes when the file does, and is empty if there is none. Files that say nothing about
    themselves are left out; the nodes say what is wrong with them. Only the headers are read: a folder may
    hold thousands of styles.
    """
    styles = []
    for name in _own_names():
        place = _place(name)
        facts = _facts_once(*place) if place is not None else None
        if place is not None and facts is not None:
            picture = f"{place[1]:x}-{place[2]:x}" if facts.has_thumbnail else ""
            about = {"title": facts.name, "artist": facts.artist, "year": facts.year, "picture": picture}
            styles.append({"name": name, **about})
    return styles


def own_picture(query: Mapping[str, str]) -> Answer | None:
    """The thumbnail of the user's style that is listed as `query['name']`; None if there is no such thing."""
    name = query.get("name", "")
    place = _place(name) if name in _own_names() else None
    file = _read_once(*place) if place is not None else None
    if file is None or file.thumbnail is None:
        return None
    return Answer(file.thumbnail, "image/jpeg")


def _own_names() -> list[str]:
    library = library_styles()
    return [name for name in style_names() if name not in library]


def _place(name: str) -> tuple[str, int, int] | None:
    """The path of a style's file and the state in which it is; None if it has gone."""
    try:
        return file_stamp(find_style(name))
    except (CheckpointError, OSError):
        return None


@lru_cache(maxsize=_MOST_FACTS)
def _facts_once(path: str, time: int, size: int) -> StyleFacts | None:
    """What the file as it is at that `time` with that `size` says about itself; None if it cannot be read."""
    try:
        return read_style_facts(path)
    except (CheckpointError, OSError):
        return None


@lru_cache(maxsize=_MOST_FILES)
def _read_once(path: str, time: int, size: int) -> StyleFile | None:
    """The style in the file as it is at that `time` with that `size`; None if it cannot be read."""
    try:
        return read_style(path)
    except (CheckpointError, OSError):
        return None
