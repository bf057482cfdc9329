"""RefinePainting: a painted picture, its photo and paintings -> the picture in the paintings' own strokes."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from ...base.choices import PRESERVE_COLOR
from ...painting.options import DTYPES, MATCHED, OPTIMIZED, QUALITIES, RefineOptions, StylizeOptions
from ..bridge.api import io, new_input, schema
from ..shared.checkpoints import connected_or_default
from ..shared.inputs import (
    check_known,
    choice_input,
    network_input,
    option_input,
    strokes_seed_input,
    validation_result,
)
from ..shared.sockets import ManagedGAN

_OPTIONS = {option.name: option for option in fields(RefineOptions)}
_CHOICES = {
    "quality": tuple(QUALITIES),
    "preserve_color": PRESERVE_COLOR,
    "dtype": DTYPES,
    "optimize": OPTIMIZED,
    "match": MATCHED,
}
# Options in the order of their inputs, and how far a click goes.
_MAIN = {"quality": 0, "content_weight": 0.1, "stroke_size": 0.05, "keep_calm": 0.1, "preserve_color": 0}
_ADVANCED = {
    "steps": 10,
    "style_weight": 0.5,
    "color_weight": 0.5,
    "smoothness": 0.1,
    "range_weight": 0.5,
    "average": 0.01,
    "dtype": 0,
    "tile": 8,
    # Last: saved workflows know their values by place.
    "keep_light": 0.5,
    "keep_colors": 10,
    "optimize": 0,
    "match": 0,
}
# Widgets cannot say that a number or an empty field stands for something: their names do.
_LABELS = {"steps": "steps (0: auto)", "tile": "tile (0: auto)"}


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
                io.Image.Input("content", tooltip="The photo, which stays recognisable."),
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
                new_input(
                    io.String,
                    "style_weights",
                    display_name="painting weights",
                    default="",
                    optional=True,
                    tooltip=(
                        "How much of each painting of the batch, such as 1, 2 for twice as much of the "
                        "second. Empty: equal."
                    ),
                ),
                *(_input(name, step, optional=True, advanced=True) for name, step in _ADVANCED.items()),
                network_input(),
                strokes_seed_input(advanced=True),
                _input("photo_share", 0.05, optional=True, advanced=True),
            ],
            outputs=[
                io.Image.Output(
                    "refined", display_name="image", tooltip="The refined pictures, in the photos' size."
                ),
                io.LossMap.Output(
                    "loss",
                    display_name="loss",
                    tooltip="The total loss over time, for ComfyUI's Plot Loss Graph; "
                    "it jumps with the size.",
                ),
                io.String.Output(
                    "info",
                    display_name="info",
                    tooltip="Size, quality, seconds, steps, and how close it came, as text; for Preview Any.",
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
        optimize: str | None = None,
        match: str | None = None,
    ) -> bool | str:
        from .task import painting_weights

        return validation_result(
            lambda: check_known("quality", quality, _CHOICES["quality"]),
            lambda: check_known("preserve_color", preserve_color, _CHOICES["preserve_color"]),
            lambda: painting_weights(style_weights or ""),
            lambda: check_known("dtype", dtype, _CHOICES["dtype"]),
            lambda: check_known("optimize", optimize, _CHOICES["optimize"]),
            lambda: check_known("match", match, _CHOICES["match"]),
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        content: Tensor,
        style_images: Tensor,
        mask: Tensor | None = None,
        style_weights: str = "",
        style_gan: ManagedGAN | None = None,
        seed: int = StylizeOptions.seed,
        **chosen: float | str,
    ) -> io.NodeOutput:
        from .report import RefineReport, plottable
        from .task import RefineTask

        options = RefineOptions.from_dict(chosen)
        # ComfyUI's inference mode has no gradients, and what is made in it can never have them.
        with torch.inference_mode(False), torch.no_grad():
            gan = connected_or_default(style_gan).gan
            task = RefineTask.from_inputs(
                image, content, style_images, mask, style_weights, options, gan, seed
            )
            report = RefineReport(task)
            images = task.run(report)
        return io.NodeOutput(images, {"loss": plottable(report.curve)}, report.text())


def _input(name: str, step: float, **more: Any) -> io.Input:  # noqa: ANN401
    option = _OPTIONS[name]
    if name in _CHOICES:
        return choice_input(option, _CHOICES[name], **more)
    if name in _LABELS:
        more["display_name"] = _LABELS[name]
    return option_input(option, step=step, **more)
