"""EncodeStyle: paintings -> how they are painted."""

from __future__ import annotations

from torch import Tensor

from ..base.choices import STROKE_SIZES
from ..painting.options import StylizeOptions
from .bridge.api import io, schema
from .shared.checkpoints import connected_or_default
from .shared.inputs import connected, network_input
from .shared.painting import encode_styles
from .shared.sockets import ManagedGAN, StyleSocket


class EncodeStyle(io.ComfyNode):
    """Read the style of paintings."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="EncodeStyle",
            display_name="Encode Style (Brushwork)",
            category="Brushwork",
            description=(
                "Reads how a picture is painted: palette, strokes and texture, not what it shows. Its size "
                "does not matter."
            ),
            search_aliases=[
                "style reference",
                "style transfer",
                "neural style",
                "painting style",
                "风格迁移",
                "brushwork",
            ],
            inputs=[
                network_input(),
                io.Image.Input(
                    "image", tooltip="The painting whose style to use, or a batch of them, one style each."
                ),
                io.Boolean.Input(
                    "average",
                    default=False,
                    label_on="average",
                    label_off="one each",
                    tooltip=(
                        "On: a batch of paintings gives one style, their average; good for several works of "
                        "one artist. Off: one style per painting."
                    ),
                ),
                io.Float.Input(
                    "stroke_size",
                    default=StylizeOptions.stroke_size,
                    min=STROKE_SIZES[0],
                    max=STROKE_SIZES[1],
                    step=0.05,
                    optional=True,
                    tooltip=(
                        "How large the strokes are that Generate and Paint Video paint: 2 twice as large, "
                        "0.5 half as large. 1 is the network's own size, the same in pixels in every photo."
                    ),
                ),
            ],
            outputs=[
                StyleSocket.Output(
                    "code",
                    display_name="style",
                    tooltip="The styles, for Generate or Mix Styles.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        style_gan: ManagedGAN | None = None,
        image: Tensor | None = None,
        average: bool = False,
        stroke_size: float = StylizeOptions.stroke_size,
    ) -> io.NodeOutput:
        paintings = connected(image, "image")
        gan = connected_or_default(style_gan)
        return io.NodeOutput(encode_styles(gan, paintings, "image", average, stroke_size))
