"""SampleStyle: a seed -> a style that no painting has."""

from __future__ import annotations

from ..base.choices import PSI
from ..base.seeds import LARGEST_SEED
from .bridge.api import io, schema
from .shared.checkpoints import connected_or_default
from .shared.inputs import network_input
from .shared.sockets import ManagedGAN, Style, StyleSocket


class SampleStyle(io.ComfyNode):
    """Invent styles like those the network was trained on."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="SampleStyle",
            display_name="Sample Style (Brushwork)",
            category="Brushwork",
            description="Invents a style from a seed, like those of the paintings the network learned from.",
            search_aliases=["random style", "style seed", "brushwork"],
            inputs=[
                network_input(),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=LARGEST_SEED,
                    control_after_generate=True,
                    tooltip="Which style: the same seed gives the same style again.",
                ),
                io.Int.Input(
                    "count",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="How many styles; Generate paints one picture in each.",
                ),
                io.Float.Input(
                    "psi",
                    default=PSI,
                    min=0.0,
                    max=2.0,
                    step=0.05,
                    tooltip=(
                        "How far from a typical style, which the seed picks: 0 is that style itself, 1 the "
                        "full variety, more exaggerates."
                    ),
                ),
            ],
            outputs=[
                StyleSocket.Output(
                    "code", display_name="style", tooltip="The styles, for Generate or Mix Styles."
                ),
            ],
        )

    @classmethod
    def execute(
        cls, style_gan: ManagedGAN | None = None, seed: int = 0, count: int = 1, psi: float = PSI
    ) -> io.NodeOutput:
        style_gan = connected_or_default(style_gan)
        return io.NodeOutput(Style.made_by(style_gan, style_gan.gan.sample_style(seed, count, psi)))
