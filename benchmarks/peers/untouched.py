"""The photo itself, beside the systems."""

from __future__ import annotations

from torch import Tensor

from benchmarks.peers.system import Setup


class UntouchedContent:
    """The photo itself, as a yardstick: no content loss, and all of the style loss."""

    name = "untouched content"
    note = "paints nothing"
    identity = "untouched"

    def __init__(self, _setup: Setup):
        """There is nothing to load."""

    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        return content
