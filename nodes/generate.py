"""Generate: content and style -> the painting."""

from __future__ import annotations

import torch
from torch import Tensor

from ..models.content_encoder import ContentCode
from ..painting.colors import with_colors_of
from ..painting.options import PRESERVE_COLOR
from .bridge import api
from .bridge.api import io, schema
from .shared.images import to_image
from .shared.inputs import check_known, preserve_color_input, strength_input, strokes_seed_input, verdict
from .shared.sockets import ContentSocket, GanSocket, ManagedGAN, Style, StyleSocket


class Generate(io.ComfyNode):
    """Paint the content in the style."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="Generate",
            display_name="Generate Painting (Brushwork)",
            category="Brushwork",
            description=(
                "Paints the content in the style. One style paints a whole batch of photos, one photo can be "
                "painted in a batch of styles, or as many photos as styles go in pairs."
            ),
            search_aliases=["style transfer", "stylize", "paint", "brushwork"],
            inputs=[
                GanSocket.Input("style_gan", tooltip="The network that encoded the content and the style."),
                ContentSocket.Input("content", tooltip="What to paint, from Encode Content."),
                StyleSocket.Input(
                    "style", tooltip="How to paint it, from Encode Style, Mix Styles or Sample Style."
                ),
                strength_input("photo"),
                preserve_color_input("photo", "the photo"),
                strokes_seed_input(),
            ],
            outputs=[
                io.Image.Output(
                    "image", display_name="image", tooltip="The painted pictures, in the photos' size."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, preserve_color: str | None = None) -> bool | str:
        return verdict(lambda: check_known("preserve_color", preserve_color, PRESERVE_COLOR))

    @classmethod
    def execute(
        cls,
        style_gan: ManagedGAN,
        content: ContentCode,
        style: Style,
        strength: float = 1.0,
        preserve_color: str = "off",
        seed: int = 0,
    ) -> io.NodeOutput:
        batch = style.batch_with(content.batch, "The contents and the styles")
        style.warn_if_foreign(style_gan.gan)
        height, width = content.size
        images = torch.empty(batch, height, width, 3, dtype=torch.float32, device=api.intermediate_device())

        def paint(i: int, device: torch.device) -> Tensor:
            picture, own = content.picture(i).to(device), style.picture(i).to(device)
            painted = style_gan.gan.generate(picture, own.code, strength, seed, own.regions)
            images[i] = to_image(with_colors_of(picture.image, painted, preserve_color))[0]
            return images[i]

        style_gan.for_each(batch, height * width, paint, preview=batch > 1)
        return io.NodeOutput(images)
