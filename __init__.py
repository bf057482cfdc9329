"""Brushwork: paint photos in the style of artworks, in ComfyUI and out of it.

ComfyUI uses `comfy_entrypoint` and `WEB_DIRECTORY`. Importers use the names of `brushwork.models`; the first
use of one of them loads them all, because they need PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import (
        CheckpointError,
        SteadyVideo,
        StyleFile,
        StyleGAN,
        StyleRegion,
        interpolate_styles,
        mix_styles,
        read_style,
        write_style,
    )
    from .nodes.bridge.api import ComfyExtension

__all__ = [
    "CheckpointError",
    "SteadyVideo",
    "StyleFile",
    "StyleGAN",
    "StyleRegion",
    "interpolate_styles",
    "mix_styles",
    "read_style",
    "write_style",
]

WEB_DIRECTORY = "./web"


async def comfy_entrypoint() -> ComfyExtension:
    """ComfyUI's entry point: the extension that lists the nodes."""
    from .nodes import BrushworkExtension

    return BrushworkExtension()


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from . import models

    return getattr(models, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
