"""This package's network, as the benchmarks need it."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.peers.system import Setup
from brushwork import models
from brushwork.base import seeds
from brushwork.models import StyleGAN
from brushwork.models.content_encoder import ContentCode
from brushwork.models.passes import Frozen
from brushwork.pictures import color


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


class CompiledBrushwork(Brushwork):
    """The same with code that `torch.compile` writes in `mode` for the content encoder and the generator.

    The first picture of a size takes a minute or more.
    """

    def __init__(self, setup: Setup, mode: str):
        super().__init__(setup, f"Brushwork, compiled ({mode})")
        self._origin = fingerprint(self._origin, mode)
        self.gan.content_encoder.compile(mode=mode)
        self.gan.generator.compile(mode=mode)


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


def _digest(image: Tensor) -> bytes:
    return hashlib.sha256(image.cpu().numpy().tobytes() + str(tuple(image.shape)).encode()).digest()
