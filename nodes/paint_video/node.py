"""PaintVideo: a film, or the frames of a shot, and a style -> the same, painted without flicker."""

from __future__ import annotations

from typing import Any

from ...base.choices import PRESERVE_COLOR, STATISTICS, STROKES
from ...painting.films.options import SteadyOptions
from ...painting.options import StylizeOptions
from ..bridge import video
from ..bridge.api import io, schema
from ..shared.checkpoints import connected_or_default
from ..shared.images import to_rgb
from ..shared.inputs import (
    STROKES_WITHOUT_INPUT,
    check_known,
    check_socket,
    connected,
    network_input,
    preserve_color_input,
    strength_input,
    strokes_input,
    strokes_seed_input,
    validation_result,
)
from ..shared.sockets import ManagedGAN, Style, StyleSocket

_NO_IMAGES = "VIDEO came in, and its painting is at the output video; Get Video Components makes IMAGE of it."
_NO_VIDEO = "IMAGE came in, and its painting is at the output image; Create Video makes VIDEO of it."


class PaintVideo(io.ComfyNode):
    """Paint a film, or frames in their order, so that the painting holds still where the video does."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="PaintVideo",
            display_name="Paint Video: Steady Style Transfer, no Flicker (Brushwork)",
            category="Brushwork",
            description=(
                "Paints a video steadily: the frames of a shot share their brightness and contrast, and each "
                "takes over the brushwork of the one before it, moved along with what moves in the video."
            ),
            search_aliases=[
                "video style transfer",
                "style transfer",
                "steady video",
                "flicker",
                "frames",
                "风格迁移",
                "brushwork",
            ],
            essentials_category="Video Tools",
            inputs=[
                network_input(),
                io.MultiType.Input(
                    "frames",
                    types=[io.Image, io.Video],
                    tooltip=(
                        "A VIDEO of any length, from Load Video: its sound, times and cuts stay. Or the "
                        "frames of one shot in their order, as a batch of IMAGE."
                    ),
                ),
                StyleSocket.Input(
                    "style", tooltip="How to paint: one style for all frames, or one for each of them."
                ),
                strength_input("video"),
                preserve_color_input("video", "each frame"),
                io.Combo.Input(
                    "statistics",
                    options=list(STATISTICS),
                    default=SteadyOptions.statistics,
                    tooltip=(
                        "Which frames brightness and contrast are balanced over. clip: all of a shot, the "
                        "steadiest. window: those nearby, for long shots in which the light changes. frame: "
                        "each by itself, as Generate does; flickers."
                    ),
                ),
                io.Int.Input(
                    "window",
                    default=SteadyOptions.window,
                    min=1,
                    max=1000,
                    tooltip="How many frames the window of statistics spans; nothing else uses it.",
                ),
                io.Float.Input(
                    "follow",
                    default=SteadyOptions.follow,
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
                strokes_input("video"),
            ],
            outputs=[
                io.Image.Output(
                    "image", display_name="image", tooltip="The painted frames, if frames is IMAGE."
                ),
                io.Video.Output(
                    "video",
                    display_name="video",
                    tooltip="The painted film with its sound, if frames is VIDEO.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls, preserve_color: str | None = None, statistics: str | None = None, strokes: str | None = None
    ) -> bool | str:
        return validation_result(
            lambda: check_known("preserve_color", preserve_color, PRESERVE_COLOR),
            lambda: check_known("statistics", statistics, STATISTICS),
            lambda: check_known("strokes", strokes, STROKES),
        )

    @classmethod
    def execute(
        cls,
        style_gan: ManagedGAN | None = None,
        frames: Any = None,  # noqa: ANN401  # IMAGE or VIDEO
        style: Style | None = None,
        strength: float = StylizeOptions.strength,
        preserve_color: str = StylizeOptions.preserve_color,
        statistics: str = SteadyOptions.statistics,
        window: int = SteadyOptions.window,
        follow: float = SteadyOptions.follow,
        seed: int = StylizeOptions.seed,
        strokes: str = STROKES_WITHOUT_INPUT,
    ) -> io.NodeOutput:
        from .film import VideoPaint

        style_gan, style = connected_or_default(style_gan), connected(style, "style")
        check_socket(style, "style", Style)
        frames = connected(frames, "frames")
        style.refuse_foreign(style_gan)
        options = StylizeOptions(strength, preserve_color, style.stroke_size, seed=seed, strokes=strokes)
        work = VideoPaint(style_gan, style, options, SteadyOptions(statistics, window, follow))
        if not video.is_video(frames):
            images = work.images(to_rgb(frames, "The video", "frames", "frame"))
            return io.NodeOutput(images, video.nothing(_NO_VIDEO))
        film = video.film_of(frames)
        if film is not None:
            return io.NodeOutput(video.nothing(_NO_IMAGES), video.video_in(work.film(film)))
        components = frames.get_components()
        images = work.images(to_rgb(components.images, "The video", "frames", "frame"), cuts=True)
        return io.NodeOutput(video.nothing(_NO_IMAGES), video.video_like(components, images))
