"""RefinePainting: a painted picture, its photo and paintings -> the picture in the paintings' own strokes."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..base.duration import duration
from ..models.batches import entry, match_batch
from ..models.perception.vgg import LossNetwork, fastest_loss_dtype
from ..painting.colors import with_colors_of
from ..painting.options import DTYPES, PRESERVE_COLOR, QUALITIES, RefineOptions
from ..painting.refine import Step, refine
from ..pictures.tensors import as_picture
from .bridge import api
from .bridge.api import io, schema
from .bridge.progress import PREVIEW_SIZE, StepProgress, show_text
from .shared.images import to_image, to_mask, to_rgb
from .shared.inputs import check_known, choice_input, option_input, verdict
from .shared.memory import with_second_chance

logger = logging.getLogger(__name__)

_OPTIONS = {option.name: option for option in fields(RefineOptions)}
_CHOICES = {"quality": tuple(QUALITIES), "preserve_color": PRESERVE_COLOR, "dtype": DTYPES}
# Options in the order of their inputs, and how far a click goes.
_MAIN = {"quality": 0, "content_weight": 0.1, "stroke_size": 0.05, "keep_calm": 5, "preserve_color": 0}
_ADVANCED = {
    "steps": 10,
    "style_weight": 0.5,
    "color_weight": 0.5,
    "smoothness": 0.01,
    "range_weight": 0.5,
    "average": 0.01,
    "dtype": 0,
    "tile": 8,
}

# Bytes for each pixel with which no tiles are needed: the loss network, both ways, and the optimiser.
_WORKING_MEMORY_PER_PIXEL = 4096

# Sides that were rounded to a network's grid differ less than this from the photo's, a picture of another
# shape more.
_SAME_SHAPE = 0.02


class RefinePainting(io.ComfyNode):
    """Give a picture the paintings' own strokes, by optimisation."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="RefinePainting",
            display_name="Refine Painting (Brushwork)",
            category="Brushwork",
            description=(
                "Works on a painted picture, step by step, until it has the strokes and the texture of the "
                "paintings themselves. Takes minutes on a CPU, less on a GPU."
            ),
            search_aliases=["neural style transfer", "gatys", "optimize", "enhance", "refine", "brushwork"],
            inputs=[
                io.Image.Input(
                    "image", tooltip="The picture to start from, from Generate Painting; or the photo itself."
                ),
                io.Image.Input("content", tooltip="The photo, which stays recognizable."),
                io.Image.Input(
                    "style_images",
                    tooltip="The painting whose strokes to use, or a batch of them, which are averaged.",
                ),
                *(_input(name, step) for name, step in _MAIN.items()),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip=(
                        "Where to refine: white, and in part where it is grey; the rest stays as image is. "
                        "Stretched to the photo's size; a batch of masks is one per photo."
                    ),
                ),
                io.String.Input(
                    "style_weights",
                    default="",
                    optional=True,
                    tooltip=(
                        "How much of each painting of the batch, such as 1, 2 for twice as much of the "
                        "second. Empty: equal."
                    ),
                ),
                *(_input(name, step, optional=True, advanced=True) for name, step in _ADVANCED.items()),
            ],
            outputs=[
                io.Image.Output(
                    "refined", display_name="image", tooltip="The refined pictures, in the photos' size."
                ),
                io.LossMap.Output(
                    "loss",
                    display_name="loss",
                    tooltip="The total loss over time, for core's Plot Loss Graph; it jumps with the size.",
                ),
                io.String.Output(
                    "info",
                    display_name="info",
                    tooltip="Sizes, steps, seconds and final losses, as text; for Preview Any.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        quality: str | None = None,
        preserve_color: str | None = None,
        style_weights: str | None = None,
        dtype: str | None = None,
    ) -> bool | str:
        return verdict(
            lambda: check_known("quality", quality, _CHOICES["quality"]),
            lambda: check_known("preserve_color", preserve_color, _CHOICES["preserve_color"]),
            lambda: _weights(style_weights or ""),
            lambda: check_known("dtype", dtype, _CHOICES["dtype"]),
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        content: Tensor,
        style_images: Tensor,
        mask: Tensor | None = None,
        style_weights: str = "",
        **chosen: float | str,
    ) -> io.NodeOutput:
        options = RefineOptions.from_dict(chosen)
        # ComfyUI's inference mode has no gradients, and what is made in it can never have them.
        with torch.inference_mode(False), torch.no_grad():
            task = _Task.from_inputs(image, content, style_images, mask, style_weights, options)
            report = _Report(task)
            images = task.run(report)
        return io.NodeOutput(images, {"loss": _plottable(report.curve)}, report.text())


def _input(name: str, step: float, **more: Any) -> io.Input:  # noqa: ANN401
    option = _OPTIONS[name]
    if name in _CHOICES:
        return choice_input(option, _CHOICES[name], **more)
    return option_input(option, step=step, **more)


@dataclass(frozen=True, eq=False)
class _Task:
    """What is to be done, checked. Pictures [1 or B,3,H,W], paintings [1,3,h,w], masks [1 or B,h,w]."""

    count: int
    images: Tensor
    photos: Tensor
    paintings: list[Tensor]
    masks: Tensor | None
    weights: list[float] | None
    options: RefineOptions

    @classmethod
    def from_inputs(
        cls,
        image: Tensor,
        content: Tensor,
        style_images: Tensor,
        mask: Tensor | None,
        style_weights: str,
        options: RefineOptions,
    ) -> _Task:
        """Raises ValueError, one sentence, for inputs that cannot be used together."""
        images, photos = _finite(image, "image"), _finite(content, "content")
        batch = _finite(style_images, "style_images")
        paintings = [batch[i : i + 1] for i in range(len(batch))]
        weights = _weights(style_weights)
        if weights is not None and len(weights) != len(paintings):
            raise ValueError(
                f"style_weights has {len(weights)} numbers for a batch of {len(paintings)} in style_images; "
                "give one for each painting, or none."
            )
        height, width = images.shape[-2:]
        ratio = height * photos.shape[-1] / (width * photos.shape[-2])
        rounding = 1 / min(height, width)
        if not 1 / (1 + _SAME_SHAPE + rounding) < ratio < 1 + _SAME_SHAPE + rounding:
            raise ValueError(
                f"image has {width} x {height} pixels and content {photos.shape[-1]} x {photos.shape[-2]}; "
                "give a picture and the photo that it was painted from, in the same shape."
            )
        masks = None if mask is None else to_mask(mask, "The mask")
        sizes = [len(images), len(photos)] + ([] if masks is None else [len(masks)])
        count = match_batch(*sizes, what="The images, the photos and the masks")
        if masks is not None and not (masks > 0).any():
            raise ValueError(
                "The mask is black, so nothing would be refined; paint it white where the picture is to "
                "change, or disconnect it."
            )
        return cls(count, images, photos, paintings, masks, weights, options)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the photos, and so of the results."""
        return self.photos.shape[-2], self.photos.shape[-1]

    def run(self, report: _Report) -> Tensor:
        """IMAGE [B,H,W,3]. One picture at a time; after each tile the user may cancel."""
        device = api.device()
        api.free_memory(math.prod(self.size) * _WORKING_MEMORY_PER_PIXEL)
        auto = self.options.dtype == "auto"
        dtype = fastest_loss_dtype(device) if auto else getattr(torch, self.options.dtype)
        network = LossNetwork(dtype=dtype).to(device)
        refined = torch.empty(self.count, *self.size, 3, device=api.intermediate_device())
        for i in range(self.count):
            api.check_interrupt()
            refined[i] = with_second_chance(partial(self._refined, i, device, network, report))[0]
        return refined

    def _refined(self, i: int, device: torch.device, network: LossNetwork, report: _Report) -> Tensor:
        """Picture i as IMAGE [1,H,W,3]."""
        photo = entry(self.photos, i).to(device).clamp(0, 1)
        start = _resized(entry(self.images, i).to(device).clamp(0, 1), self.size)
        mask = None if self.masks is None else entry(self.masks, i).to(device)
        if mask is not None and not mask.any():
            report.skipped(i)
            return to_image(start)
        paintings = [painting.to(device) for painting in self.paintings]
        report.begin(i, _Preview.of(photo, start, mask, self.options.preserve_color))
        painted = refine(
            start,
            photo,
            paintings,
            self.weights,
            self.options,
            report.step,
            network=network,
            on_tile=api.check_interrupt,
            on_note=report.note,
        )
        # The whole picture is refined, so that what is in the mask keeps its light and dark among the rest.
        return to_image(_laid_over(start, painted, mask))


@dataclass(frozen=True, eq=False)
class _Preview:
    """What a result looks like so far, small: photo and start [1,3,h,w], mask [1,h,w]."""

    photo: Tensor
    start: Tensor
    mask: Tensor | None
    preserve_color: str

    @classmethod
    def of(cls, photo: Tensor, start: Tensor, mask: Tensor | None, preserve_color: str) -> _Preview:
        height, width = photo.shape[-2:]
        scale = min(1, PREVIEW_SIZE / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        return cls(_resized(photo, size), _resized(start, size), mask, preserve_color)

    def picture(self, refined: Tensor) -> Image.Image:
        """`refined` [1,3,H,W] of any size as it will be: in the photo's colours if so chosen, in the mask."""
        small = _resized(refined, (self.photo.shape[-2], self.photo.shape[-1]))
        return as_picture(
            _laid_over(self.start, with_colors_of(self.photo, small, self.preserve_color), self.mask)
        )


class _Report:
    """What the user sees while pictures are refined, and reads when they are done."""

    def __init__(self, task: _Task):
        self.curve: list[float] = []
        """The total loss, as often as it was looked at."""
        self._task = task
        self._began = time.monotonic()
        self._bar: StepProgress | None = None
        self._index, self._picture_began = 0, self._began
        self._preview: _Preview | None = None
        self._steps: Counter[tuple[int, int]] = Counter()
        self._results: dict[int, str] = {}
        self._notes: list[str] = []
        self._kept = 0
        show_text("reading the paintings")

    def begin(self, i: int, preview: _Preview) -> None:
        """Refining picture i begins, perhaps once more because memory ran out."""
        if i == self._index:
            del self.curve[self._kept :]
        self._index, self._preview, self._kept = i, preview, len(self.curve)
        self._picture_began = time.monotonic()
        self._steps.clear()

    def skipped(self, i: int) -> None:
        """Picture i stays as it is."""
        self._results[i] = "its mask is black, so it stays as it was"

    def note(self, sentence: str) -> None:
        """What refining says, such as that memory ran out."""
        if sentence not in self._notes:
            self._notes.append(sentence)
            logger.info("Brushwork: %s", sentence)

    def step(self, step: Step) -> None:
        """After every step; ends the node if the user cancels."""
        api.check_interrupt()
        self._steps[step.size] += 1
        self._bar = self._bar or StepProgress(step.steps * self._task.count)
        done = self._index * step.steps + step.step
        # To ask for losses and pictures makes a GPU wait.
        if not self._bar.is_due(done) and step.step < step.steps:
            return
        losses = step.losses()
        if math.isfinite(losses["total"]):
            self.curve.append(losses["total"])
        self._results[self._index] = _losses_text(losses)
        picture = None if self._preview is None else self._preview.picture(step.picture())
        self._bar.show(done, self._status(step, losses["total"]), picture)
        if self._bar.cancelled:
            self._bar.cancel()

    def _status(self, step: Step, loss: float) -> str:
        seconds = step.seconds_left
        parts = []
        if self._task.count > 1:
            whole = time.monotonic() - self._picture_began + seconds
            seconds += whole * (self._task.count - 1 - self._index)
            parts.append(f"picture {self._index + 1} of {self._task.count}")
        parts += [f"step {step.step} of {step.steps} at {_pixels(step.size)}", f"{duration(seconds)} left"]
        return "\n".join([", ".join([*parts, f"loss {loss:.4g}"]), *self._notes])

    def text(self) -> str:
        """Sizes, steps, seconds, losses, and what there was to note."""
        task = self._task
        pictures = f"{task.count} picture{'s' * (task.count > 1)} of {_pixels(task.size)}"
        paintings = f"{len(task.paintings)} painting{'s' * (len(task.paintings) > 1)}"
        lines = [
            f"{pictures}, {paintings}, quality {task.options.quality}, "
            f"{duration(time.monotonic() - self._began)}",
            *(f"{_pixels(size)}: {steps} steps" for size, steps in self._steps.items()),
        ]
        for i, result in sorted(self._results.items()):
            lines.append(f"picture {i + 1}: {result}" if task.count > 1 else result)
        return "\n".join([*lines, *self._notes])


def _finite(image: Tensor, name: str) -> Tensor:
    """`to_rgb`; raises ValueError for values that are not finite, too."""
    pictures = to_rgb(image, name)
    if not torch.isfinite(pictures).all():
        raise ValueError(f"{name} has values that are not finite; give pictures with values in 0..1.")
    return pictures


def _weights(text: str) -> list[float] | None:
    """The numbers in `text`, None if it is empty. Raises ValueError, one sentence, for anything else."""
    if not text.strip():
        return None
    try:
        weights = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        weights = []
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not sum(weights) > 0:
        raise ValueError(
            f"style_weights is '{text}'; give numbers of 0 or more, not all 0, with commas between them, "
            "such as 1, 2."
        )
    return weights


def _resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """[1,3,H,W] in 0..1 brought to `size`, height and width."""
    if tuple(picture.shape[-2:]) == size:
        return picture
    return F.interpolate(picture, size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)


def _laid_over(start: Tensor, painted: Tensor, mask: Tensor | None) -> Tensor:
    """`painted` where the mask [1,h,w] is 1, `start` where it is 0; both [1,3,H,W]."""
    if mask is None:
        return painted
    share = mask[:, None]
    if share.shape[-2:] != start.shape[-2:]:
        share = F.interpolate(share, start.shape[-2:], mode="bilinear", antialias=True, align_corners=False)
    return torch.lerp(start, painted, share.expand_as(start))


def _plottable(losses: list[float]) -> list[float]:
    """`losses`, not all alike: core's Plot Loss Graph divides by their range."""
    if len(set(losses)) > 1:
        return losses
    last = losses[-1] if losses else 0.0
    return [math.nextafter(last, math.inf), last]


def _losses_text(losses: dict[str, float]) -> str:
    rest = ", ".join(
        f"{name.replace('_', ' ')} {value:.3g}" for name, value in losses.items() if name != "total"
    )
    return f"loss {losses['total']:.4g} ({rest})"


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]}"
