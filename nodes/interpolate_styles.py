"""InterpolateStyles: styles -> a series of styles that leads through them."""

from __future__ import annotations

from ..models.codes import EASES, MIX_MODES, interpolate_styles
from .bridge.api import io, schema
from .shared.inputs import check_known, connected_styles, mix_mode_input, style_inputs, validation_result
from .shared.sockets import Style, StyleSocket, common_encoder, common_stroke_size

# Styles in a series: a second of an animation.
COUNT = 24
EASE = "linear"


class InterpolateStyles(io.ComfyNode):
    """Go from style to style in small steps, one way or around a loop."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="InterpolateStyles",
            display_name="Interpolate Styles (Brushwork)",
            category="Brushwork",
            description=(
                "Goes from style to style in small steps, one way or around a loop. Generate paints one "
                "photo in each: the frames of an animation."
            ),
            search_aliases=["style animation", "style morph", "style walk", "lerp", "slerp", "brushwork"],
            inputs=[
                *style_inputs(
                    "Where the series begins. A batch of styles counts as that many stops, in its order.",
                    "The next style; only a batch of styles makes a series alone.",
                    "One more style on the way; leave it unconnected if there is none.",
                ),
                io.Int.Input(
                    "count",
                    default=COUNT,
                    min=2,
                    max=1000,
                    tooltip="How many styles in all; Generate paints one picture in each.",
                ),
                mix_mode_input("straight from style to style"),
                io.Combo.Input(
                    "ease",
                    options=list(EASES),
                    default=EASE,
                    tooltip=(
                        "linear: the same speed all the way from one style to the next. smooth and smoother: "
                        "slow at each style, fast between them."
                    ),
                ),
                io.Boolean.Input(
                    "loop",
                    default=False,
                    label_on="loop",
                    label_off="one way",
                    tooltip=(
                        "On: continues from the last style to the first, which is not repeated at the end, "
                        "so that an animation loops without a hitch. Off: ends with exactly the last style."
                    ),
                ),
            ],
            outputs=[
                StyleSocket.Output(
                    "code", display_name="style", tooltip="The series of styles as a batch, for Generate."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, mode: str | None = None, ease: str | None = None) -> bool | str:
        return validation_result(
            lambda: check_known("mode", mode, MIX_MODES), lambda: check_known("ease", ease, EASES)
        )

    @classmethod
    def execute(
        cls,
        style_1: Style | None = None,
        count: int = COUNT,
        mode: str = MIX_MODES[0],
        ease: str = EASE,
        loop: bool = False,
        **others: Style | None,
    ) -> io.NodeOutput:
        styles = list(connected_styles(others | {"style_1": style_1}).values())
        for style in styles:
            style.refuse_regions("interpolate the styles first and give the result to Mask Style")
        encoder = common_encoder(styles)
        code = interpolate_styles([style.code for style in styles], count, mode, ease, loop)
        size = common_stroke_size(styles)
        return io.NodeOutput(Style(code, styles[0].structure_layers, encoder, stroke_size=size))
