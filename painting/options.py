"""The options of painting and of refining as typed objects, for node, command, header and docs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..base.choices import PRESERVE_COLOR, STROKE_SIZES, STROKES
from ..base.seeds import check_seed
from ..base.settings import check_choice, check_ranges, check_type, option

DTYPES = ("auto", "float32", "bfloat16")
OPTIMIZED = ("nearest", "network", "pixels")
MATCHED = ("whole", "parts")

# Steps of the pixels at each size, the coarsest first, the picture's own last; each has twice the side of the
# one before.
QUALITIES: dict[str, tuple[int, ...]] = {
    "draft": (25, 12, 6),
    "normal": (50, 25, 12),
    "fine": (120, 80, 40),
}

# Steps if the network is tuned: at the first size, and at each larger one.
TUNING: dict[str, tuple[int, int]] = {"draft": (20, 4), "normal": (40, 8), "fine": (120, 24)}

# Steps of the nearest places at each size, the picture's own last; where there are more sizes, the first ones
# take as many as the first here.
NEAREST: dict[str, tuple[int, ...]] = {
    "draft": (30, 20, 12),
    "normal": (60, 40, 25),
    "fine": (180, 120, 75),
}

# The mean side at which the nearest places begin, or up to twice as much: there a place is a large stroke.
_NEAREST_FIRST = 64

# The network is tuned at mean sides of up to this; beyond, what its gradients remember takes too much memory.
_LARGEST_TUNED = 1100

# The first size is this large at most. The network's strokes have one size in pixels.
_LARGEST_FIRST_TUNED = 640

# The mean side (square root of height times width) below which no size is worth refining by itself.
SMALLEST_SIZE = 128

# The shorter side that a picture must have to be refined; smaller ones get their border repeated.
SMALLEST_SIDE = 16

# Large pictures get more sizes, with the steps of the coarsest, until it is this small: in a larger one, a
# network with a view of 68 pixels sees no shapes.
_LARGEST_FIRST = 512


@dataclass(frozen=True)
class Pass:
    """One size at which the picture is refined: height and width, how many steps, and whether these move the
    network's weights or the pixels."""

    size: tuple[int, int]
    steps: int
    tuned: bool = False

    @property
    def work(self) -> int:
        """The cost, in pixels."""
        return self.size[0] * self.size[1] * self.steps


@dataclass(frozen=True)
class RefineOptions:
    """Options of refining. The weights are factors of losses in the total; sides are in pixels.

    Raises ValueError, one sentence, for a value that is out of its range or not among the choices.
    """

    quality: str = option(
        "normal",
        "How many steps. draft: half as many as normal. fine: three times as many.",
    )
    content_weight: float = option(
        1.0,
        "Keep what the photo shows: 4 keeps faces and letters, 0.3 lets strokes go their own way.",
        0,
        100,
    )
    style_weight: float = option(10.0, "Match the paintings' strokes and texture.", 0, 1000)
    stroke_size: float = option(
        1.0,
        "The size at which the paintings are read: 1 as large as the photo (equal areas), 2 gives strokes "
        "twice as large.",
        *STROKE_SIZES,
    )
    keep_calm: float = option(
        1.0,
        "Plain grounds stay plain: the steps add less there that the photo does not have, and at the end "
        "grounds come down to the paintings' calm places. 0 puts strokes everywhere, 1 leaves brush marks "
        "and holds back most pieces of the paintings, 3 makes a wall plain.",
        0,
        10,
    )
    keep_light: float = option(
        4.0,
        "Light and dark stay where the photo has them, such as in faces; the paintings decide how light and "
        "how dark. 0 leaves it out.",
        0,
        100,
    )
    keep_colors: float = option(
        60.0,
        "Colours, light and dark stay where the first picture has them: no patches and stains of the "
        "painting. 0 leaves them to the painting; with nearest, 80 holds colours, 180 light and dark, too.",
        0,
        1000,
    )
    preserve_color: str = option(
        PRESERVE_COLOR[0],
        "off: the paintings' colours. luminance: the photo's colours under the paintings' light and dark. "
        "histogram: the paintings' brushwork in the photo's palette.",
    )
    steps: int = option(
        0, "Steps in all, shared among the sizes as quality says; 0: as many as quality says.", 0, 100_000
    )
    color_weight: float = option(4.0, "Match the paintings' colours. nearest does not use it.", 0, 1000)
    smoothness: float = option(1.0, "Little noise: neighbouring pixels are alike.", 0, 100)
    range_weight: float = option(5.0, "Stay between black and white.", 0, 1000)
    average: float = option(
        0.5, "Memory of the moving average of the last pictures, which is the result.", 0, 0.999
    )
    dtype: str = option("auto", "Type of the loss network: auto, float32 or bfloat16.")
    tile: int = option(
        0,
        "Side of the tiles in which a large picture is seen, a multiple of 8; 0: from free memory.",
        0,
        65536,
    )

    optimize: str = option(
        "nearest",
        "How the strokes come. nearest: every place of the picture takes after the place of the paintings "
        "that is most like it. network: the network that paints is tuned until its picture has the "
        "paintings' statistics. pixels: every pixel moves by itself towards these statistics.",
    )

    match: str = option(
        "whole",
        "What network and pixels compare with what. whole: the whole picture with whole paintings, whose "
        "figures may enter plain grounds. parts: plain grounds with the paintings' plain grounds, and the "
        "rest with the rest.",
    )

    photo_share: float = option(
        0.6,
        "How much of the first picture is the photo in the paintings' colours: 1 takes all forms from the "
        "photo, 0 from the picture that the network painted. Only nearest uses it.",
        0,
        1,
    )

    def __post_init__(self) -> None:
        check_choice("match", self.match, MATCHED)
        check_choice("optimize", self.optimize, OPTIMIZED)
        check_choice("quality", self.quality, tuple(QUALITIES))
        check_choice("preserve_color", self.preserve_color, PRESERVE_COLOR)
        check_choice("dtype", self.dtype, DTYPES)
        check_ranges(self)
        if self.tile % 8 or 0 < self.tile < 64:
            raise ValueError(f"tile is {self.tile}; give a multiple of 8 pixels of at least 64, or 0.")

    def passes(self, height: int, width: int) -> list[Pass]:
        """The sizes at which a picture is refined, in their order, and the steps at each.

        >>> [(each.size, each.steps) for each in RefineOptions().passes(512, 768)]
        [((64, 96), 60), ((128, 192), 60), ((256, 384), 40), ((512, 768), 25)]
        >>> options = RefineOptions(optimize="network")
        >>> [(each.size, each.steps, each.tuned) for each in options.passes(1024, 1536)]
        [((512, 768), 40, True), ((1024, 1536), 8, False)]
        """
        side = math.sqrt(height * width)
        plans = {
            "nearest": self._nearest_steps,
            "network": self._tuned_steps,
            "pixels": self._pixel_steps,
        }
        steps, tuned = plans[self.optimize](side, min(height, width))
        if self.steps:
            share = self.steps / sum(steps)
            steps = [max(1, round(count * share)) for count in steps]
        factors = [2**i for i in reversed(range(len(steps)))]
        return [
            Pass((max(1, round(height / factor)), max(1, round(width / factor))), count, i < tuned)
            for i, (factor, count) in enumerate(zip(factors, steps, strict=True))
        ]

    def _nearest_steps(self, side: float, shorter: int) -> tuple[list[int], int]:
        """As in `_tuned_steps`."""
        steps = list(NEAREST[self.quality])
        sizes = 1
        while side / 2**sizes >= _NEAREST_FIRST and shorter >= SMALLEST_SIDE * 2**sizes:
            sizes += 1
        return [steps[0]] * (sizes - len(steps)) + steps[-sizes:], 0

    def _tuned_steps(self, side: float, shorter: int) -> tuple[list[int], int]:
        """Steps at each size for a picture of that mean and that shorter side, and at how many sizes the
        network is tuned."""
        first, later = TUNING[self.quality]
        sizes = 1 + max(0, math.ceil(math.log2(side / _LARGEST_FIRST_TUNED)))
        # The loss network sees nothing in a strip of a few pixels.
        while sizes > 1 and shorter < SMALLEST_SIDE * 2 ** (sizes - 1):
            sizes -= 1
        sides = [side / 2**i for i in reversed(range(sizes))]
        return [first] + [later] * (sizes - 1), sum(each <= _LARGEST_TUNED for each in sides)

    def _pixel_steps(self, side: float, shorter: int) -> tuple[list[int], int]:
        steps = list(QUALITIES[self.quality])
        while side / 2 ** (len(steps) - 1) > _LARGEST_FIRST:
            steps.insert(0, steps[0])
        while len(steps) > 1 and (
            side / 2 ** (len(steps) - 1) < SMALLEST_SIZE
            or shorter / 2 ** (len(steps) - 1) < 2 * SMALLEST_SIDE
        ):
            # What the size that is left out would have done, the next one does.
            first = steps.pop(0)
            steps[0] = max(steps[0], first)
        return steps, 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RefineOptions:
        """The inverse of `as_dict`, also after a trip through JSON; ValueError for an unknown name."""
        known = {each.name for each in fields(cls)}
        for name in values:
            if name not in known:
                raise ValueError(f"There is no option '{name}'; refining has {', '.join(sorted(known))}.")
        return cls(**values)


@dataclass(frozen=True)
class StylizeOptions:
    """How to paint photos. Raises ValueError, one sentence, for a value out of its range or choices."""

    strength: float = option(1.0, "How much of the style: 0 is the photo, 1 the full style.", 0, 1)
    preserve_color: str = option(
        PRESERVE_COLOR[0],
        "off: the painting's colours. luminance: the photo's colours under the painting's light and dark. "
        "histogram: the painting, recoloured with the photo's palette.",
    )
    stroke_size: float = option(
        1.0, "How large strokes are: 2 gives strokes twice as large, 0.5 half as large.", *STROKE_SIZES
    )
    refine: RefineOptions | None = None
    """Refine what the network paints; its stroke size and colours are those above."""
    seed: int = option(0, "Which strokes: another seed paints the same motif with other strokes.")
    strokes: str = option(
        "proportion",
        "proportion: strokes are larger in a large picture. pixels: they have one size in all pictures.",
    )

    def __post_init__(self) -> None:
        check_choice("preserve_color", self.preserve_color, PRESERVE_COLOR)
        check_choice("strokes", self.strokes, STROKES)
        check_ranges(self)
        check_seed(self.seed)
        object.__setattr__(self, "seed", int(self.seed))
        if self.refine is not None:
            check_type("refine", self.refine, RefineOptions)
            own = replace(self.refine, stroke_size=self.stroke_size, preserve_color=self.preserve_color)
            object.__setattr__(self, "refine", own)

    def record(self) -> dict[str, object]:
        """All options as JSON values."""
        record = asdict(self)
        if self.refine is None:
            del record["refine"]
        else:
            record["refine"] = {name: value for name, value in record["refine"].items() if name not in record}
        return record
