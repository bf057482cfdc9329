"""All that a training run can be told, as one typed object: the CLI, the log and the header use it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

ADVERSARIAL_LOSSES = ("least_squares", "cross_entropy", "hinge")


@dataclass(frozen=True)
class LossWeights:
    """Factors of the named parts in the total loss, by name."""

    content: float = 1.0
    gram: float = 8.0
    mean_std: float = 16.0
    colour: float = 4.0
    identity: float = 2.0
    code: float = 0.1
    tv: float = 0.1
    range: float = 5.0
    adversarial: float = 0.3


@dataclass(frozen=True)
class TrainOptions:
    """Options of one training run. Rates are Adam's; sides are pixels; fractions are of `steps`."""

    steps: int = 40_000
    batch: int = 8
    crop: int = 128
    """Side of the photo crops."""
    late_crop: int = 192
    """Side of the photo crops from `late_from` on."""
    late_from: float = 0.8
    style_crop: int = 224
    """Side of the painting crops: their statistics are the target, so they see more than the photo's."""
    content_scale: tuple[int, int] = (224, 576)
    """Shorter side of the photos before cropping: log-uniform between these."""
    style_scale: tuple[int, int] = (256, 576)
    variants: int = 6
    """Crops kept of every picture; everything computed from a kept crop is computed once."""
    round_steps: int = 20_000
    """Steps after which all crops are cut anew."""
    lr: float = 1e-3
    lr_d: float = 4e-4
    warmup: int = 300
    decay_from: float = 0.4
    """Constant rate up to here, then cosine to 0.02 of it."""
    adversarial_from: float = 0.4
    adversarial_ramp: float = 0.1
    adversarial: str = "least_squares"
    identity_share: float = 0.125
    """Share of each batch in which a painting is painted in its own style."""
    ema: float = 0.999
    clip: float = 5.0
    seed: int = 1
    loss_dtype: str = "auto"
    """Type of the loss network: auto, float32 or bfloat16."""
    weights: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "variants", "round_steps", "warmup"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give 1 or more.")
        for name in ("late_from", "decay_from", "adversarial_from", "adversarial_ramp", "identity_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give a value from 0 to 1.")
        for name in ("lr", "lr_d", "clip"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}; give a number above 0.")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}; give a value from 0 to below 1.")
        if self.adversarial not in ADVERSARIAL_LOSSES:
            raise ValueError(f"adversarial is '{self.adversarial}'; choose one of {ADVERSARIAL_LOSSES}.")
        if self.loss_dtype not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"loss_dtype is '{self.loss_dtype}'; choose auto, float32 or bfloat16.")
        if any(side % 8 for side in (self.crop, self.late_crop, self.style_crop)):
            raise ValueError("crop, late_crop and style_crop must be multiples of 8 pixels.")
        for name in ("content_scale", "style_scale"):
            low, high = getattr(self, name)
            if not 1 <= low <= high:
                raise ValueError(f"{name} is {(low, high)}; give the smaller side first, 1 or more.")
        if self.style_crop < max(self.crop, self.late_crop):
            raise ValueError(f"style_crop is {self.style_crop}; it must not be smaller than the photo crops.")

    def crop_at(self, step: int) -> int:
        return self.crop if step < self.late_from * self.steps else self.late_crop

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
        if step < start or self.weights.adversarial == 0:
            return 0.0
        return min(1.0, (step - start + 1) / max(1.0, self.adversarial_ramp * self.steps))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainOptions:
        """The inverse of `as_dict`, also after a trip through JSON."""
        values = dict(values)
        values["weights"] = LossWeights(**values["weights"])
        for name in ("content_scale", "style_scale"):
            values[name] = tuple(values[name])
        return cls(**values)
