"""The options of a training run as one typed object, for node, CLI, log, header and docs.

Every field carries its explanation and its range in its metadata, so that no list of options is
written twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..base.settings import check_choice, check_ranges, option
from ..dataset.splits import MANY, VALIDATION_SHARE

MODES = ("style_code", "fine_tune", "from_scratch")
DEFAULT_MODE = "fine_tune"
"""Of command and node, for users with only a folder of paintings: minutes, from the shipped network."""
ADVERSARIAL_LOSSES = ("least_squares", "cross_entropy", "hinge")
LOSS_DTYPES = ("auto", "float32", "bfloat16")


def _weight(default: float, text: str) -> float:
    return option(default, text, 0.0, 1000.0)


@dataclass(frozen=True)
class LossWeights:
    """Factors of the named parts in the total loss, by name."""

    content: float = _weight(0.75, "Keep what the photo shows.")
    style: float = _weight(
        20.0, "Match the paintings' texture and strokes: Gram matrices plus twice means and deviations."
    )
    energy: float = _weight(
        6.0, "As much contrast and grain as the paintings: the loss network answers as strongly."
    )
    colour: float = _weight(4.0, "Match the paintings' colours.")
    identity: float = _weight(3.0, "A painting painted in its own style comes back.")
    steady: float = _weight(
        10.0, "A photo that is shifted by some pixels gets the same strokes; 0 leaves it out."
    )
    grid: float = _weight(
        0.5,
        "No pattern that repeats in every cell of the network's grid, which looks woven; 0 leaves it out.",
    )
    ground: float = _weight(
        30.0, "Plain grounds stay plain: no light and dark that the photo does not have; 0 leaves it out."
    )
    code: float = _weight(0.0, "The style encoder finds the style again in the result; 0 leaves it out.")
    adversarial: float = _weight(1.0, "Look like a painting to the discriminator.")
    tv: float = _weight(0.05, "Little noise: total variation.")
    range: float = _weight(5.0, "Stay between black and white.")

    def __post_init__(self) -> None:
        check_ranges(self)

    def factor(self, part: str) -> float:
        """The factor of a loss by its name in the log; Gram and mean/std share one weight, `style`.

        Raises ValueError for a name that has none.
        """
        name, factor = {"gram": ("style", 1.0), "mean_std": ("style", 2.0)}.get(part, (part, 1.0))
        if name not in asdict(self):
            raise ValueError(
                f"There is no weight for the loss '{part}'; LossWeights has {sorted(asdict(self))}."
            )
        weight: float = getattr(self, name)
        return factor * weight


@dataclass(frozen=True)
class TrainOptions:
    """Options of one training run. Rates are Adam's; sides are in pixels; fractions are parts of `steps`.

    The defaults are those of 'from_scratch'; `for_mode` knows the others'.
    """

    mode: str = option(
        "from_scratch",
        "style_code: the network stays as it is and one style is learned. fine_tune: the generator learns "
        "to paint like the pictures. from_scratch: everything is trained anew, on many pictures.",
    )
    steps: int = option(40_000, "Training steps.", 1, 10_000_000)
    batch_size: int = option(8, "Photos and paintings per step; halved when memory runs out.", 1, 512)
    resolution: int = option(128, "Side of the photo crops, a multiple of 8.", 32, 1024)
    late_resolution: int = option(192, "Side of the photo crops from late_from on.", 32, 1024)
    late_from: float = option(0.8, "Where late_resolution begins; 1 means never.", 0, 1)
    style_resolution: int = option(
        224, "Side of the painting crops: their statistics are the target, so they see more.", 32, 1024
    )
    content_scale: tuple[int, int] = option(
        (224, 576), "Shorter side of the photos before cropping, drawn between these.", 32, 4096
    )
    style_scale: tuple[int, int] = option(
        (256, 576), "Shorter side of the paintings before cropping, drawn between these.", 32, 4096
    )
    size_shares: tuple[float, float, float] = option(
        (0.4, 0.3, 0.3),
        "Shares of the crop at whole, half and quarter size in the style and energy losses; "
        "0 leaves a size out.",
        0.0,
        1.0,
    )
    variants: int = option(
        6, "Crops kept of every picture; what is computed from a kept crop is computed once.", 1, 10_000
    )
    round_steps: int = option(20_000, "Steps after which all crops are cut anew.", 1, 10_000_000)
    lr: float = option(1e-3, "Learning rate of what is trained.", 1e-8, 10.0)
    code_rate: float = option(1.0, "Learning rate of the learned style, as a multiple of lr.", 0.0, 1000.0)
    lr_d: float = option(4e-4, "Learning rate of the discriminator.", 1e-8, 10.0)
    warmup: int = option(300, "Steps in which the rates rise from 0.", 1, 1_000_000)
    decay_from: float = option(0.4, "The rates are constant up to here, then fall to 0.02 (cosine).", 0, 1)
    adversarial: str = option(
        "least_squares", "Kind of the adversarial loss: least_squares, cross_entropy or hinge."
    )
    adversarial_from: float = option(0.4, "Where the discriminator joins.", 0, 1)
    adversarial_ramp: float = option(0.1, "How long its weight takes to rise.", 0, 1)
    identity_share: float = option(
        0.125, "Share of each batch in which a painting is painted in its own style.", 0, 0.75
    )
    ema: float = option(0.999, "Memory of the moving average of the weights.", 0, 0.999999)
    clip: float = option(5.0, "Largest norm of a gradient.", 1e-6, 1e6)
    seed: int = option(1, "Seed of everything that is random.", 0, 2**63 - 1)
    validation_share: float = option(
        VALIDATION_SHARE,
        "Share of the pictures that is never trained on and only scored; "
        f"with {MANY} or more pictures it is 10 in 100.",
        0,
        0.5,
    )
    validate_every: int = option(
        500, "Steps between two validations; the best weights are kept.", 1, 1_000_000
    )
    patience: int = option(
        0, "Validations without a better score after which training stops early; 0: never.", 0, 10_000
    )
    bad_steps: int = option(
        8, "Steps in a row with a loss that is not finite after which training stops.", 1, 1000
    )
    loss_dtype: str = option(
        "auto", "Type in which loss network and painter compute: auto, float32 or bfloat16."
    )
    weights: LossWeights = field(default_factory=LossWeights)

    @classmethod
    def for_mode(
        cls, mode: str, weights: Mapping[str, float] | None = None, **changes: object
    ) -> TrainOptions:
        """The defaults of `mode` with some options and some loss weights changed.

        >>> TrainOptions.for_mode("fine_tune", {"style": 12}, steps=50).weights.style
        12
        """
        check_choice("mode", mode, MODES)
        defaults = dict(MODE_DEFAULTS[mode])
        own_weights = asdict(LossWeights()) | defaults.pop("weights", {}) | dict(weights or {})
        settings: dict[str, Any] = {"mode": mode, **defaults, **changes}
        return cls(**settings, weights=LossWeights(**own_weights))

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, MODES)
        check_choice("adversarial", self.adversarial, ADVERSARIAL_LOSSES)
        check_choice("loss_dtype", self.loss_dtype, LOSS_DTYPES)
        check_ranges(self)
        for name in ("resolution", "late_resolution", "style_resolution"):
            if getattr(self, name) % 8:
                raise ValueError(f"{name} is {getattr(self, name)}; give a multiple of 8 pixels.")
        for name in ("content_scale", "style_scale"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} is {low} {high}; give the smaller side first.")
        if not sum(self.size_shares) > 0:
            shares = " ".join(f"{share:g}" for share in self.size_shares)
            raise ValueError(f"size_shares is {shares}; give at least one size a share above 0.")
        largest = max(self.resolution, self.late_resolution if self.late_from < 1 else 0)
        if self.style_resolution < largest:
            raise ValueError(
                f"style_resolution is {self.style_resolution}; it must not be smaller than the photo crops "
                f"({largest} pixels)."
            )

    @property
    def uses_discriminator(self) -> bool:
        """Whether there is a discriminator.

        A single code has too few numbers to fool one, and without a weight it is not trained.
        """
        return self.mode != "style_code" and self.weights.adversarial > 0

    def resolution_at(self, step: int) -> int:
        """Side of the photo crops in pixels."""
        late = self.late_from < 1 and step >= self.late_from * self.steps
        return self.late_resolution if late else self.resolution

    def rate_at(self, step: int) -> float:
        """Factor of the learning rates: linear warm-up, constant, cosine."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        start = self.decay_from * self.steps
        if step < start:
            return 1.0
        progress = min(1.0, (step - start) / max(1.0, self.steps - start))
        return 0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2

    def adversarial_at(self, step: int) -> float:
        """Factor of the adversarial weight: 0 in the perceptual warm-up, then a linear ramp to 1."""
        start = self.adversarial_from * self.steps
        if step < start or not self.uses_discriminator:
            return 0.0
        return min(1.0, (step - start + 1) / max(1.0, self.adversarial_ramp * self.steps))

    def as_dict(self) -> dict[str, Any]:
        """All values by name, the weights as a dictionary of their own; for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainOptions:
        """The inverse of `as_dict`, also after a trip through JSON."""
        # JSON has lists for the tuples.
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        values["weights"] = LossWeights(**values["weights"])
        return cls(**values)


# Differences from the defaults above. A style is a few thousand numbers, so its rate is high and its
# run short. Fine-tuning starts from a network that paints, so it needs no long warm-up, and large steps
# would make it forget the other styles. Its crops are large: with smaller crops than in its last training,
# the network at once drops what the photo shows (docs/history.md). A painting crop holds nearly the whole
# painting: a learned style stands for paintings, and enlarged details have other statistics.
MODE_DEFAULTS: dict[str, dict[str, Any]] = {
    "style_code": {
        "steps": 150,
        "batch_size": 4,
        "resolution": 160,
        "late_from": 1.0,
        "lr": 0.03,
        "warmup": 10,
        "decay_from": 0.3,
        "identity_share": 0.0,
        "ema": 0.9,
        "validate_every": 25,
        "style_scale": (224, 288),
        "variants": 24,
        "weights": {"content": 1.0, "adversarial": 0.0},
    },
    "fine_tune": {
        "steps": 300,
        "batch_size": 2,
        "resolution": 256,
        "late_resolution": 256,
        "late_from": 1.0,
        "style_resolution": 256,
        "lr": 3e-4,
        "code_rate": 10.0,
        "warmup": 20,
        "decay_from": 0.05,
        "adversarial_from": 0.2,
        "adversarial_ramp": 0.2,
        "ema": 0.98,
        "validate_every": 40,
        "patience": 4,
        "style_scale": (256, 320),
        "variants": 12,
        "weights": {
            "content": 4.0,
            "style": 14.0,
            "identity": 8.0,
            "steady": 0.0,
            "adversarial": 0.3,
        },
    },
    "from_scratch": {},
}


def sized(mode: str, resolution: int) -> dict[str, int]:
    """The options that scale all crops of `mode` to photo crops of `resolution` pixels.

    >>> sized("style_code", 64)
    {'resolution': 64, 'late_resolution': 80, 'style_resolution': 88}
    """
    defaults = TrainOptions.for_mode(mode)
    sides = {"resolution": resolution}
    for name in ("late_resolution", "style_resolution"):
        factor = getattr(defaults, name) / defaults.resolution
        sides[name] = max(resolution, round(resolution * factor / 8) * 8)
    return sides
