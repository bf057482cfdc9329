"""EncodeContent: photos -> what is in them and where."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..models.content_encoder import ContentCode
from .bridge import api
from .bridge.api import io, schema
from .shared.images import to_rgb
from .shared.sockets import ContentSocket, GanSocket, ManagedGAN


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
            search_aliases=["style transfer content", "photo to painting", "brushwork"],
            inputs=[
                GanSocket.Input("style_gan", tooltip="The network, from Load Style GAN."),
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
    def execute(cls, style_gan: ManagedGAN, image: Tensor) -> io.NodeOutput:
        photos = to_rgb(image, "The content picture", "image")
        keep = api.intermediate_device()

        def encode(i: int, device: torch.device) -> ContentCode:
            return style_gan.gan.encode_content(photos[i : i + 1].to(device)).to(keep)

        count, _, height, width = photos.shape
        codes = style_gan.for_each(count, height * width, encode)
        # The pictures are the input's own tensors, so no second copy of a whole batch is kept.
        return io.NodeOutput(replace(ContentCode.cat(codes), image=photos.to(keep)))
