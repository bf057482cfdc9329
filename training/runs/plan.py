"""What a run would take, before it begins: a few of its steps are made and measured."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ...models import StyleGAN
from ...pictures.reading import Picture
from ..options import TrainOptions
from ..trainer import Trainer, share_of_batch
from ..validation import spread

# The measurement cuts this many pictures at most, which is enough for its few batches.
MEASURED_PICTURES = 8

# It makes steps for this many seconds, or this many steps: the steps of a GPU are short and uneven.
MEASURED_SECONDS, MEASURED_STEPS = 1.0, 20


@dataclass(frozen=True)
class Phase:
    """A stretch of a run whose steps all cost the same."""

    steps: int
    resolution: int
    adversarial: bool


@dataclass(frozen=True)
class Estimate:
    """The measured needs of one process for its part of the batches."""

    seconds_per_step: dict[Phase, float]
    memory: int | None
    """Bytes at the peak, without the kept crops: on the GPU, or of the whole process; None if not known."""
    crops: int
    """Bytes of the kept crops, which lie on the GPU if there is room, otherwise in the main memory."""
    painter: int
    """How many numbers are trained in generator, encoders or code."""
    discriminator: int

    @property
    def seconds(self) -> float:
        """Seconds of all steps, without cutting crops, their targets, validation and saving."""
        return sum(phase.steps * seconds for phase, seconds in self.seconds_per_step.items())


def phases(options: TrainOptions) -> list[Phase]:
    """The stretches of a run in their order, no two of a kind.

    >>> phases(TrainOptions(steps=100, late_from=0.8, adversarial_from=0.4))[1]
    Phase(steps=40, resolution=128, adversarial=True)
    """
    borders = {0, options.steps}
    borders |= {math.ceil(share * options.steps) for share in (options.late_from, options.adversarial_from)}
    edges = sorted(border for border in borders if border <= options.steps)
    found: list[Phase] = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        phase = Phase(stop - start, options.resolution_at(start), options.adversarial_at(start) > 0)
        # At a border nothing may change, such as where there is no discriminator to join.
        if found and replace(found[-1], steps=phase.steps) == phase:
            phase = replace(phase, steps=phase.steps + found.pop().steps)
        found.append(phase)
    return found


def estimate(
    options: TrainOptions,
    photos: Sequence[Picture],
    paintings: Sequence[Picture],
    start: StyleGAN | None,
    device: torch.device,
    world: int = 1,
) -> Estimate:
    """Make steps of every phase with one process's part of the batch and measure them.

    The first steps are not counted: they compute targets that later steps find. Writes nothing.
    Raises TrainingError if the run could not be trained.
    """
    seconds: dict[Phase, float] = {}
    painter = discriminator = 0
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    # Time steps of every phase, on a few of the pictures.
    size = share_of_batch(options.batch_size, world)
    count = min(MEASURED_PICTURES, size)
    some = spread(photos, count), spread(paintings, count)
    for phase in phases(options):
        short = _short(options, phase, size, min(map(len, some)))
        trainer = Trainer(short, *some, device=device, start=start)
        for _ in range(short.steps):
            trainer.train_step()
        seconds[phase] = _seconds_per_step(trainer)
        painter = sum(p.numel() for p in trainer.painter.learning())
        if trainer.discriminator is not None:
            discriminator = sum(p.numel() for p in trainer.discriminator.parameters())
    # Add the crops that a whole run keeps, in bytes.
    side = max(phase.resolution for phase in seconds)
    pixels = len(photos) * side**2 + len(paintings) * options.style_resolution**2
    return Estimate(
        seconds,
        _peak_memory(device),
        3 * options.variants * pixels,
        painter,
        discriminator,
    )


def _short(options: TrainOptions, phase: Phase, size: int, pictures: int) -> TrainOptions:
    """Steps like those of `phase`, enough to see every crop, on just enough crops for a batch."""
    variants = math.ceil(size / pictures)
    return replace(
        options,
        steps=math.ceil(variants * MEASURED_PICTURES / size),
        batch_size=size,
        resolution=phase.resolution,
        late_from=1.0,
        adversarial_from=0.0 if phase.adversarial else 1.0,
        variants=variants,
    )


def _seconds_per_step(trainer: Trainer) -> float:
    """The mean of a few steps; each ends with its losses on the CPU."""
    began, count = time.perf_counter(), 0
    while count < MEASURED_STEPS and (count == 0 or time.perf_counter() - began < MEASURED_SECONDS):
        trainer.train_step()
        count += 1
    return (time.perf_counter() - began) / count


def _peak_memory(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32" or device.type != "cpu":
        return None
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
