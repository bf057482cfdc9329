"""Frames of a video, painted so that the painting holds still where the video does."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ...base.choices import FOLLOW, STATISTICS, WINDOW
from ...base.excerpt import value_excerpt
from ...base.seeds import check_seed
from ...base.settings import check_choice, check_number, check_type, is_whole
from ...pictures.values import checked_pictures
from ..devices import own_defaults
from ..grid import grid_corner
from ..passes import Frozen
from ..regions import StyleRegion
from ..style_gan import StyleGAN
from .carried_noise import CarriedNoise
from .motion import enlarge, find_motion, warp, window_mean
from .norm_statistics import NormStatistics, Recorder, Replay, for_styles, pool

# This many frames, spread over the clip, say as much about the clip as all of them.
_MOST_READ = 32

# Share of the moved frame at follow 1. With more, grain that is carried along grows into dots
# (docs/history.md).
_MOST_FOLLOWED = 0.8

# Contrast is kept in squares with the first of these sides in pixels, about a brush stroke's width. The
# contrast of details finer than the second is kept separately.
_NEAR = 11
_GRAIN = 3
# Variance below which there is no contrast to keep.
_FLAT = 1e-4
_LARGEST_GAIN = 1.5

# A month of film: a larger number is a mistake, and a list of so many frames would fill the memory.
_MOST_FRAMES = 100_000_000

Motion = tuple[Tensor, Tensor]
"""Flow and trust, as `find_motion` gives them."""


class SteadyVideo:
    """Paints `count` frames, one after the other.

    Call `paint` for every frame in order. Before frame i, call `read` for the first `reads_before(i)` of
    `frames_to_read`; all of them may be read at the beginning as well. So memory does not grow with the clip.
    Both raise ValueError, one sentence that names the frame, for one that is not [1,3,H,W] of floating point
    or not finite. The strokes of `seed` move along with the video, unless `follow` is 0. The frames are one
    shot: each shot of a film has its own SteadyVideo.
    Raises ValueError for a setting outside its range.
    """

    def __init__(
        self,
        gan: StyleGAN,
        count: int,
        strength: float = 1.0,
        statistics: str = STATISTICS[0],
        window: int = WINDOW,
        follow: float = FOLLOW,
        seed: int = 0,
    ):
        check_type("gan", gan, StyleGAN)
        check_choice("statistics", statistics, STATISTICS)
        for name, value in (("count", count), ("window", window)):
            if not is_whole(value) or value < 1:
                raise ValueError(f"{name} is {value_excerpt(value)}; give 1 frame or more.")
            if value > _MOST_FRAMES:
                raise ValueError(f"{name} is {value_excerpt(value)}; give {_MOST_FRAMES:,} frames at most.")
        check_number("follow", follow, 0, 1)
        check_number("strength", strength, 0, 1)
        check_seed(seed)
        self.gan, self.count = gan, count
        self.strength = strength
        self.seed = seed
        self.window = window if statistics == "window" else None
        self.frames_to_read = _spread(count, _MOST_READ) if statistics == "clip" else list(range(count))
        if statistics == "frame" or count == 1 or strength == 0:
            self.frames_to_read = []
        self.reads = 0
        """How many of `frames_to_read` have been read."""
        # By the numbers of the frames.
        self._statistics: dict[int, NormStatistics] = {}
        self._own: dict[int, Tensor] = {}
        self._corner: Tensor | None = None
        self._follower = Follower(follow)
        self._noise: CarriedNoise | None = None

    def reads_before(self, i: int) -> int:
        """How many of `frames_to_read` must be read before frame i is painted."""
        reads = len(self.frames_to_read)
        return reads if self.window is None else min(reads, i + self.window // 2 + 1)

    @own_defaults(keep_autocast=True)
    def read(self, frame: Tensor, code: Tensor, regions: Sequence[StyleRegion] = ()) -> None:
        """Keep the statistics of the next of `frames_to_read` [1,3,H,W], painted in the style `code` [1,L,D]
        and in that of each of the `regions` alone, and its own code."""
        i = self.frames_to_read[self.reads]
        frame = self._checked(frame, i)
        recorder = Recorder()
        own = self.gan.encode_style(frame) if self.strength < 1 else None
        content = self.gan.encode_content(frame, Frozen(recorder), self._grid(frame))
        in_styles = []
        for style in (code, *(region.code for region in regions)):
            alone = Recorder()
            self.gan.generate(content, style, self.strength, self.seed, how=Frozen(alone), own=own)
            in_styles.append(alone.kept)
        self._statistics[i] = recorder.kept | for_styles(in_styles)
        if own is not None:
            self._own[i] = own.cpu()
        self.reads += 1

    @own_defaults(keep_autocast=True)
    def paint(
        self,
        i: int,
        frame: Tensor,
        code: Tensor,
        regions: Sequence[StyleRegion] = (),
        recolor: Callable[[Tensor, Tensor], Tensor] = lambda frame, painted: painted,
    ) -> Tensor:
        """Frame i [1,3,H,W] in 0..1 in the style `code` [1,L,D]: [1,3,H,W] in 0..1.

        `recolor(frame, painted)` changes a painted frame before the next one follows it.
        """
        if not is_whole(i) or not 0 <= i < self.count:
            raise ValueError(f"i is {value_excerpt(i)}; give the number of a frame, 0 to {self.count - 1}.")
        frame = self._checked(frame, i)
        how, own = self._shared(i, frame.device)
        content = self.gan.encode_content(frame, how, self._grid(frame))
        noise = self._noise_of(frame)
        painted = self.gan.generate(content, code, self.strength, self.seed, regions, how, own, noise)
        painted = recolor(frame, painted)
        # The photo's own part of the picture must not lag behind.
        photo = frame * (1 - self.strength)
        painted = (photo + self._follower(frame, painted - photo)).clamp(0, 1)
        self._forget_before(i + 1)
        return painted

    @own_defaults(keep_autocast=True)
    def state(self) -> dict[str, Tensor]:
        """All that the next frames need, as tensors by name; see `restore`."""
        state = {"reads": torch.tensor(self.reads)}
        for i, statistics in self._statistics.items():
            state |= {f"statistics.{i}.{layer}": each for layer, each in statistics.items()}
        state |= {f"own.{i}": each for i, each in self._own.items()}
        if self._corner is not None:
            state["corner"] = self._corner
        if self._noise is not None:
            state["moved"] = self._noise.moved
        return state | self._follower.state()

    @own_defaults(keep_autocast=True)
    def restore(self, state: Mapping[str, Tensor], frame: Tensor) -> None:
        """Go on where another SteadyVideo with the same settings was: `state` is what its `state` gave.

        frame [1,3,H,W] is the last one that it painted; its device is where the next ones will be.
        """
        frame = checked_pictures(frame, "The frame before", self.gan.working_dtype())
        self.reads = int(state["reads"])
        for name, each in state.items():
            kind, _, rest = name.partition(".")
            if kind == "statistics":
                i, _, layer = rest.partition(".")
                self._statistics.setdefault(int(i), {})[layer] = each
            elif kind == "own":
                self._own[int(rest)] = each
        self._corner = state.get("corner")
        if "moved" in state:
            self._noise = replace(CarriedNoise.first(self.seed, frame), moved=state["moved"].to(frame.device))
        self._follower.restore(state, frame)

    def _forget_before(self, i: int) -> None:
        """Drop what no frame from i on needs."""
        if self.window is None:
            return
        for kept in (self._statistics, self._own):
            for old in [each for each in kept if each < i - self.window // 2]:
                del kept[old]

    def _checked(self, frame: Tensor, i: int) -> Tensor:
        """Frame i in 0..1. Raises ValueError, one sentence that names the frame, if it cannot be used."""
        return checked_pictures(frame, f"Frame {i + 1} of {self.count}", self.gan.working_dtype())

    def _noise_of(self, frame: Tensor) -> CarriedNoise:
        motion = self._follower.motion(frame)
        if self._noise is None:
            self._noise = CarriedNoise.first(self.seed, frame)
        elif motion is not None:
            self._noise = self._noise.carried(*motion)
        return self._noise

    def _grid(self, frame: Tensor) -> Tensor:
        """The pixel grid of all frames is that of the first one seen."""
        if self._corner is None:
            self._corner = grid_corner(frame)
        return self._corner

    def _shared(self, i: int, device: torch.device) -> tuple[Frozen, Tensor | None]:
        """A pass with the statistics for frame i, and the code from which its strength starts."""
        if not self._statistics:
            return Frozen(), None
        weights = torch.ones(len(self._statistics))
        if self.window is not None:
            distance = (torch.tensor(list(self._statistics)) - i) / (self.window + 1)
            weights = torch.where(distance.abs() < 0.5, torch.cos(math.pi * distance).square(), 0)
        own = None
        if self._own:
            own = torch.einsum("r,rld->ld", weights / weights.sum(), torch.cat([*self._own.values()]))
            own = own[None].to(device)
        return Frozen(Replay(pool([*self._statistics.values()], weights), self.gan.normalized)), own


class Follower:
    """Carries each painted frame over to the next one, moved as the video moves."""

    def __init__(self, follow: float):
        self._follow = follow
        self._last: tuple[Tensor, Tensor] | None = None
        self._found: tuple[Tensor, Motion] | None = None

    def state(self) -> dict[str, Tensor]:
        """The last painted frame as a tensor by name; empty before the first one, or where none follows."""
        return {} if self._last is None else {"painted": self._last[1]}

    def restore(self, state: Mapping[str, Tensor], frame: Tensor) -> None:
        """Go on after `frame` [1,3,H,W] with what `state` gave."""
        self._last = (frame, state["painted"].to(frame.device)) if "painted" in state else None

    def motion(self, frame: Tensor) -> Motion | None:
        """Flow and trust from the frame before to `frame` [1,3,H,W]; None where nothing is to follow."""
        if not self._follow or self._last is None:
            return None
        if self._found is None or self._found[0] is not frame:
            self._found = frame, find_motion(self._last[0], frame)
        return self._found[1]

    def __call__(self, frame: Tensor, painted: Tensor) -> Tensor:
        """`painted`, mixed with the moved frame before it as far as the motion is sure; both [1,3,H,W]."""
        motion = self.motion(frame)
        if motion is not None and self._last is not None:
            flow, trust = motion
            size = (frame.shape[-2], frame.shape[-1])
            moved = warp(self._last[1], enlarge(flow, size), mode="bicubic")
            trust = F.interpolate(trust, size, mode="bilinear", align_corners=False)
            painted = _with_contrast_of(
                painted, torch.lerp(painted, moved, trust * (_MOST_FOLLOWED * self._follow))
            )
        if self._follow:
            self._last, self._found = (frame, painted), None
        return painted


def _with_contrast_of(painted: Tensor, mixed: Tensor) -> Tensor:
    """`mixed` with the local contrast of `painted`, in the grain and in the strokes.

    Strokes of two frames that do not quite meet would fade otherwise.
    """
    *wanted_bands, _ = _bands(painted)
    *bands, result = _bands(mixed)
    for wanted, band in zip(wanted_bands, bands, strict=True):
        energies = (
            window_mean(detail.square(), _NEAR).sum(1, keepdim=True) + _FLAT for detail in (wanted, band)
        )
        gain = torch.div(*energies).sqrt().clamp(1 / _LARGEST_GAIN, _LARGEST_GAIN)
        result = torch.addcmul(result, band, gain)
    return result


def _bands(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Grain, strokes and the rest; their sum is x."""
    smooth, smoother = window_mean(x, _GRAIN), window_mean(x, _NEAR)
    return x - smooth, smooth - smoother, smoother


def _spread(count: int, most: int) -> list[int]:
    """Up to `most` of `count` frames, evenly spread.

    >>> _spread(10, 4), _spread(3, 4)
    ([1, 3, 6, 8], [0, 1, 2])
    """
    if count <= most:
        return list(range(count))
    return [int((k + 0.5) * count / most) for k in range(most)]
