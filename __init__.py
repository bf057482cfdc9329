"""Brushwork: paint photos in the style of artworks, in ComfyUI and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .nodes.bridge.api import ComfyExtension

WEB_DIRECTORY = "./web"


async def comfy_entrypoint() -> ComfyExtension:
    """ComfyUI's way in: the extension that lists our nodes."""
    from .nodes import BrushworkExtension

    return BrushworkExtension()
