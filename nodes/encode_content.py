"""EncodeContent: photos -> what is in them and where."""

from __future__ import annotations

from torch import Tensor

from .bridge.api import io, schema
from .shared.checkpoints import connected_or_default
from .shared.inputs import connected, network_input
from .shared.painting import encode_contents
from .shared.sockets import ContentSocket, ManagedGAN


class EncodeContent(io.ComfyNode):
    """Read the structure of the pictures that will be painted."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="EncodeContent",
            display_name="Encode Content (Brushwork)",
            category="Brushwork",
            description=(
                "Reads what is in a photo and where: shapes without colours and texture. Any size; the "
                "painting comes out in exactly the photo's size."
            ),
            search_aliases=["style transfer", "photo to painting", "风格迁移", "brushwork"],
            inputs=[
                network_input(),
                io.Image.Input("image", tooltip="The photo to paint, or a batch of them."),
            ],
            outputs=[
                ContentSocket.Output(
                    "code",
                    display_name="content",
                    tooltip="What is in the pictures, one entry per picture of the batch.",
                ),
            ],
        )

    @classmethod
    def execute(cls, style_gan: ManagedGAN | None = None, image: Tensor | None = None) -> io.NodeOutput:
        return io.NodeOutput(encode_contents(connected_or_default(style_gan), connected(image, "image")))
