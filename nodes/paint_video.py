"""PaintVideo: the frames of a video and a style -> painted frames that do not flicker."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ..models.batches import entry
from ..models.video.steady import STATISTICS, SteadyVideo
from ..painting.colors import with_colors_of
from ..painting.options import PRESERVE_COLOR
from .bridge import api
from .bridge.api import io, schema
from .shared.checkpoints import connected_or_default
from .shared.images import to_image, to_rgb
from .shared.inputs import (
    check_known,
    connected,
    network_input,
    preserve_color_input,
    strength_input,
    strokes_seed_input,
    verdict,
)
from .shared.sockets import ManagedGAN, Style, StyleSocket


class PaintVideo(io.ComfyNode):
    """Paint frames in their order so that the painting holds still where the video does."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="PaintVideo",
            display_name="Paint Video: Steady Style Transfer, no Flicker (Brushwork)",
            category="Brushwork",
            description=(
                "Paints the frames of a video steadily: they share their brightness and contrast, and each "
                "takes over the brushwork of the one before it, moved along with what moves in the video."
            ),
            search_aliases=[
                "video style transfer",
                "style transfer",
                "paint",
                "steady video",
                "flicker",
                "frames",
                "风格迁移",
                "brushwork",
            ],
            inputs=[
                network_input(),
                io.Image.Input("frames", tooltip="The frames of one shot in their order, as a batch."),
                StyleSocket.Input(
                    "style", tooltip="How to paint: one style for all frames, or one for each of them."
                ),
                strength_input("video"),
                preserve_color_input("video", "each frame"),
                io.Combo.Input(
                    "statistics",
                    options=list(STATISTICS),
                    default="clip",
                    tooltip=(
                        "Which frames brightness and contrast are balanced over. clip: all, the steadiest. "
                        "window: those nearby, for long shots in which the light changes. frame: each by "
                        "itself, as Generate does; flickers."
                    ),
                ),
                io.Int.Input(
                    "window",
                    default=25,
                    min=1,
                    max=1000,
                    tooltip="How many frames the window of statistics spans; nothing else uses it.",
                ),
                io.Float.Input(
                    "follow",
                    default=0.9,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    display_mode=io.NumberDisplay.slider,
                    tooltip=(
                        "How much of the frame before, moved along with the video, each frame keeps where "
                        "both agree. 0: nothing. 1: four fifths."
                    ),
                ),
                strokes_seed_input(),
            ],
            outputs=[
                io.Image.Output(
                    "image", display_name="image", tooltip="The painted frames, in the video's size."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, preserve_color: str | None = None, statistics: str | None = None) -> bool | str:
        return verdict(
            lambda: check_known("preserve_color", preserve_color, PRESERVE_COLOR),
            lambda: check_known("statistics", statistics, STATISTICS),
        )

    @classmethod
    def execute(
        cls,
        style_gan: ManagedGAN | None = None,
        frames: Tensor | None = None,
        style: Style | None = None,
        strength: float = 1.0,
        preserve_color: str = "off",
        statistics: str = "clip",
        window: int = 25,
        follow: float = 0.9,
        seed: int = 0,
    ) -> io.NodeOutput:
        style_gan, style = connected_or_default(style_gan), connected(style, "style")
        photos = to_rgb(connected(frames, "frames"), "The video", "frames", "frame")
        count = style.batch_with(len(photos), "The frames and the styles")
        style.refuse_foreign(style_gan)
        video = SteadyVideo(style_gan.gan, count, strength, statistics, window, follow, seed)
        height, width = photos.shape[-2:]
        images = torch.empty(count, height, width, 3, dtype=torch.float32, device=api.intermediate_device())
        recolor = partial(with_colors_of, preserve_color=preserve_color)
        first = len(video.frames_to_read)

        def work(step: int, device: torch.device) -> Tensor | None:
            i = video.frames_to_read[step] if step < first else step - first
            photo, own = entry(photos, i).to(device), style.picture(i).to(device)
            if step < first:
                video.read(photo, own.code, own.regions)
                return None
            painted = video.paint(i, photo, own.code, own.regions, recolor)
            images[i] = to_image(painted)[0]
            return images[i]

        style_gan.for_each(first + count, height * width, work, preview=True)
        return io.NodeOutput(images)
