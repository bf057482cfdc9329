"""Short videos made from still pictures, so that every motion is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.models.video.motion import warp
from brushwork.pictures.tensors import load_picture

NOISE = 2 / 255
MARGIN = 16


@dataclass(frozen=True)
class Clip:
    """frames [T,3,H,W] in 0..1; `place` [H,W] is True where flicker is measured.

    `flow(t)` [1,2,H,W] says where each pixel of frame t was in frame t - 1; it is None if nothing moves.
    """

    name: str
    frames: Tensor
    place: Tensor
    flow: Callable[[int], Tensor] | None = None

    def flicker(self, painted: Tensor) -> float:
        """Mean difference of consecutive frames of `painted` [T,3,H,W], in levels of 255.

        The earlier frame is first moved by the known motion.
        """
        differences = []
        for t in range(1, len(painted)):
            before = painted[t - 1 : t]
            if self.flow is not None:
                before = warp(before, self.flow(t), mode="bicubic")
            difference = (painted[t : t + 1] - before).abs().mean(1)[0]
            differences.append(difference[self.place].mean().item())
        return 255 * sum(differences) / len(differences)


def still(photo: Path, size: int, count: int) -> Clip:
    """A still photo under a sensor's noise."""
    picture = load_picture(photo, size)
    frames = _noisy(picture.expand(count, -1, -1, -1))
    return Clip("still, noise", frames, _inner(picture))


def corner(photo: Path, thing: Path, size: int, count: int) -> Clip:
    """A still photo and a round picture that comes in at the lower left and goes out again.

    Flicker is measured in the right half, which the round picture never reaches.
    """
    picture = load_picture(photo, size)
    height, width = picture.shape[-2:]
    side = size // 2
    disc = F.interpolate(load_picture(thing, size), (side, side), mode="area")
    frames = []
    for t in range(count):
        share = math.sin(math.pi * t / (count - 1))
        x = torch.arange(width) - (share * 0.3 - 0.2) * width
        y = torch.arange(height)[:, None] - 0.75 * height
        grid = torch.stack(torch.broadcast_tensors(2 * x / side, 2 * y / side), -1)[None]
        inside = (side / 2 - torch.hypot(*torch.broadcast_tensors(x, y))).clamp(0, 1)
        pasted = F.grid_sample(disc, grid.float(), mode="bicubic", align_corners=False).clamp(0, 1)
        frames.append(torch.lerp(picture, pasted, inside))
    place = _inner(picture)
    place[:, : width // 2] = False
    return Clip("object in a corner", torch.cat(frames), place)


def pan(photo: Path, size: int, count: int) -> Clip:
    """A camera that pans by 1.7 and 0.6 pixels a frame and moves in by 0.4 %, with noise."""
    # The scene is a quarter larger than the frames; `offset` is every pixel's place from a frame's middle.
    scene = load_picture(photo, round(size * 1.25))
    height, width = size, round(size * scene.shape[-1] / scene.shape[-2])
    center = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    pixels = torch.stack(torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")).float()
    offset = pixels - center[:, None, None]
    start = torch.tensor([scene.shape[-1] / 2 - 0.85 * (count - 1), scene.shape[-2] / 2 - 0.3 * (count - 1)])

    def camera(t: int) -> tuple[Tensor, float]:
        """The middle of frame t in the scene, and how many of the scene's pixels make one of the frame's."""
        return start + t * torch.tensor([1.7, 0.6]), 1.004**-t

    def frame(t: int) -> Tensor:
        middle, scale = camera(t)
        place = (middle[:, None, None] + scale * offset + 0.5).permute(1, 2, 0)[None]
        grid = 2 * place / torch.tensor([scene.shape[-1], scene.shape[-2]]) - 1
        return F.grid_sample(scene, grid, mode="bicubic", align_corners=False).clamp(0, 1)

    def flow(t: int) -> Tensor:
        (now, scale), (then, scale_then) = camera(t), camera(t - 1)
        return ((now - then)[:, None, None] + (scale - scale_then) * offset)[None] / scale_then

    frames = torch.cat([frame(t) for t in range(count)])
    return Clip("pan and zoom", _noisy(frames), _inner(frames), flow)


def exposure(photo: Path, size: int, count: int) -> Clip:
    """A still photo whose exposure breathes by 8 % either way."""
    picture = load_picture(photo, size)
    gains = [1 + 0.08 * math.sin(2 * math.pi * t / 12) for t in range(count)]
    return Clip("exposure", torch.cat([(picture * gain).clamp(0, 1) for gain in gains]), _inner(picture))


def _noisy(frames: Tensor) -> Tensor:
    noise = torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))
    return (((frames + NOISE * noise).clamp(0, 1) * 255).round()) / 255


def _inner(frames: Tensor) -> Tensor:
    """Everything except the margins, where a place in one frame may be outside the other."""
    place = torch.zeros(frames.shape[-2:], dtype=torch.bool)
    place[MARGIN:-MARGIN, MARGIN:-MARGIN] = True
    return place
