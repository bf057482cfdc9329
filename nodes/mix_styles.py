"""MixStyles: several styles -> one."""

from __future__ import annotations

from ..models import MIX_MODES, mix_styles
from .bridge.api import io, known_choice, schema
from .shared.sockets import Style, StyleSocket, common_encoder

MAX_STYLES = 6


class MixStyles(io.ComfyNode):
    """Blend up to six styles, each as much as its weight says."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        numbers = range(1, MAX_STYLES + 1)
        return schema(
            node_id="MixStyles",
            display_name="Mix Styles (Brushwork)",
            category="Brushwork",
            description=(
                "Blends up to six styles into one. Optionally the first gives the shapes and strokes and the "
                "others the colours."
            ),
            search_aliases=["blend styles", "style interpolation", "combine styles", "brushwork"],
            inputs=[
                *(
                    StyleSocket.Input(f"style_{n}", optional=n > 1, tooltip=_style_tooltip(n))
                    for n in numbers
                ),
                *(
                    io.Float.Input(
                        f"weight_{n}",
                        default=1.0,
                        min=0.0,
                        max=10.0,
                        step=0.05,
                        tooltip=f"How much of style_{n}, relative to the other weights; 0 leaves it out.",
                    )
                    for n in numbers
                ),
                io.Combo.Input(
                    "mode",
                    options=list(MIX_MODES),
                    default="lerp",
                    tooltip=(
                        "lerp: straight average, the calmest. slerp: along a curve that keeps the styles' "
                        "strength, livelier between very different styles."
                    ),
                ),
                io.Boolean.Input(
                    "split",
                    default=False,
                    label_on="structure from the first",
                    label_off="blend everything",
                    tooltip=(
                        "On: shapes and strokes from style_1, grain and colours from the others. "
                        "Off: everything is blended."
                    ),
                ),
            ],
            outputs=[
                StyleSocket.Output("code", display_name="style", tooltip="The mixed style, for Generate."),
            ],
        )

    @classmethod
    def validate_inputs(cls, mode: str | None = None) -> bool | str:
        return known_choice("mode", mode, MIX_MODES)

    @classmethod
    def execute(
        cls, style_1: Style, mode: str = "lerp", split: bool = False, **others: Style | float
    ) -> io.NodeOutput:
        connected = [n for n in range(2, MAX_STYLES + 1) if others.get(f"style_{n}") is not None]
        styles = [style_1, *(others[f"style_{n}"] for n in connected)]
        for style in styles:
            style.refuse_regions("mix the styles first and give the result to Mask Style")
        code = mix_styles(
            [style.code for style in styles],
            weights=[others.get(f"weight_{n}", 1.0) for n in (1, *connected)],
            mode=mode,
            structure_from_first=style_1.coarse_layers if split else 0,
        )
        # A mix of one is that style's own tensor; what a node hands on must not share it.
        return io.NodeOutput(Style(code.clone(), style_1.coarse_layers, common_encoder(styles)))


def _style_tooltip(n: int) -> str:
    if n == 1:
        return "The first style; with split on, the one that gives shapes and strokes."
    return "Another style to blend in; leave it unconnected if there is none."
