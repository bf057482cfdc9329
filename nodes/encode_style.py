"""EncodeStyle: paintings -> how they are painted."""

from __future__ import annotations

import torch
from torch import Tensor

from ..models.style_gan import STROKE_SIZES, style_reading_size
from .bridge.api import io, schema
from .shared.images import to_rgb
from .shared.sockets import GanSocket, ManagedGAN, Style, StyleSocket


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
            search_aliases=["style reference", "style transfer style", "painting style", "brushwork"],
            inputs=[
                GanSocket.Input("style_gan", tooltip="The network, from Load Style GAN."),
                io.Image.Input(
                    "image", tooltip="The painting whose style to use, or a batch of them, one style each."
                ),
                io.Boolean.Input(
                    "average",
                    default=False,
                    label_on="one average style",
                    label_off="one style per picture",
                    tooltip=(
                        "On: a batch of paintings gives one style, their average; good for several works of "
                        "one artist. Off: one style per painting."
                    ),
                ),
                io.Float.Input(
                    "stroke_size",
                    default=1.0,
                    min=STROKE_SIZES[0],
                    max=STROKE_SIZES[1],
                    step=0.05,
                    optional=True,
                    tooltip=(
                        "How large the painting is read, and so its strokes: 2 and 4 give broader, softer "
                        "marks, 0.5 and 0.25 somewhat finer, crisper ones. 1 is as the network learned it."
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
        cls, style_gan: ManagedGAN, image: Tensor, average: bool = False, stroke_size: float = 1.0
    ) -> io.NodeOutput:
        paintings = to_rgb(image, "The style picture", "image")

        def encode(i: int, device: torch.device) -> Tensor:
            return style_gan.gan.encode_style(paintings[i : i + 1].to(device), stroke_size=stroke_size).cpu()

        count, _, height, width = paintings.shape
        read = style_reading_size(height, width, stroke_size=stroke_size)
        code = torch.cat(style_gan.for_each(count, max(height * width, read[0] * read[1]), encode))
        return io.NodeOutput(Style.made_by(style_gan.gan, code.mean(0, keepdim=True) if average else code))
