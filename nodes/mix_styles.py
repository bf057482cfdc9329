"""MixStyles: several styles -> one."""

from __future__ import annotations

from typing import cast

from ..models.codes import MIX_MODES, mix_styles
from .bridge.api import io, schema
from .shared.inputs import (
    check_known,
    connected_styles,
    mix_mode_input,
    style_inputs,
    validation_result,
    weight_inputs,
)
from .shared.sockets import Style, StyleSocket, common_encoder, common_stroke_size


class MixStyles(io.ComfyNode):
    """Blend up to six styles, each as much as its weight says."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        another = "Another style to blend in; leave it unconnected if there is none."
        return schema(
            node_id="MixStyles",
            display_name="Mix Styles (Brushwork)",
            category="Brushwork",
            description=(
                "Blends up to six styles into one. Optionally the first gives the shapes, strokes and grain "
                "and the others the colours."
            ),
            search_aliases=["blend styles", "style interpolation", "combine styles", "brushwork"],
            inputs=[
                *style_inputs(
                    "The first style. With split on, the first connected one gives shapes, strokes "
                    "and grain.",
                    another,
                    another,
                ),
                *weight_inputs(),
                mix_mode_input("straight average"),
                io.Boolean.Input(
                    "split",
                    default=False,
                    label_on="1st: shapes",
                    label_off="blend all",
                    tooltip=(
                        "On: shapes, strokes and grain from the first connected style, colours from the "
                        "others. Off: everything is blended."
                    ),
                ),
            ],
            outputs=[
                StyleSocket.Output("code", display_name="style", tooltip="The mixed style, for Generate."),
            ],
        )

    @classmethod
    def validate_inputs(cls, mode: str | None = None) -> bool | str:
        return validation_result(lambda: check_known("mode", mode, MIX_MODES))

    @classmethod
    def execute(
        cls,
        style_1: Style | None = None,
        mode: str = MIX_MODES[0],
        split: bool = False,
        **others: Style | float | None,
    ) -> io.NodeOutput:
        numbered = connected_styles(others | {"style_1": style_1})
        styles = list(numbered.values())
        for style in styles:
            style.refuse_regions("mix the styles first and give the result to Mask Style")
        encoder = common_encoder(styles)
        code = mix_styles(
            [style.code for style in styles],
            weights=[cast(float, others.get(f"weight_{n}", 1.0)) for n in numbered],
            mode=mode,
            structure_from_first=styles[0].structure_layers if split else 0,
        )
        # A mix of one style is that style's own tensor. Nodes must not share it, so copy it.
        size = common_stroke_size(styles)
        return io.NodeOutput(Style(code.clone(), styles[0].structure_layers, encoder, stroke_size=size))
