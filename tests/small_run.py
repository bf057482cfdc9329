"""The options of a run of seconds."""

from __future__ import annotations

from brushwork.training.options import LossWeights, TrainOptions

# Scoring is most of what a short run costs: it looks at squares of this side, not 256.
VALIDATION_SIDE = 48

SMALL = TrainOptions(
    steps=6,
    batch_size=2,
    resolution=32,
    late_resolution=48,
    late_from=0.67,
    style_resolution=48,
    content_scale=(48, 64),
    style_scale=(48, 64),
    variants=2,
    round_steps=5,
    warmup=2,
    adversarial_from=0.34,
    adversarial_ramp=0.2,
    identity_share=0.5,
    loss_dtype="float32",
    validate_every=3,
    weights=LossWeights(code=0.1),
)
"""6 steps on crops of 32, then 48 pixels, through every phase."""
