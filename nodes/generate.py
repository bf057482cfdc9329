"""Generate: content and style -> the painting."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..models import ContentCode
from ..models.codes import match_batch
from ..pictures.colour import luminance_only, match_histogram
from .bridge import api
from .bridge.api import io, schema
from .shared.images import to_image
from .shared.sockets import ContentSocket, GanSocket, ManagedGAN, Style, StyleSocket

# What to do with (photo, painted), [1,3,H,W] each.
PRESERVE_COLOR: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "off": lambda photo, painted: painted,
    "luminance": luminance_only,
    "histogram": lambda photo, painted: match_histogram(painted, photo),
}


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
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="How much of the style: 0 is the photo, 1 the full style.",
                ),
                io.Combo.Input(
                    "preserve_color",
                    options=list(PRESERVE_COLOR),
                    default="off",
                    tooltip=(
                        "off: the painting's colours. luminance: the photo's colours under the painting's "
                        "light and dark. histogram: the painting, recoloured with the photo's palette."
                    ),
                ),
            ],
            outputs=[
                io.Image.Output(
                    "image", display_name="image", tooltip="The painted pictures, in the photos' size."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, preserve_color: str | None = None) -> bool | str:
        return api.known_choice("preserve_color", preserve_color, PRESERVE_COLOR)

    @classmethod
    def execute(
        cls,
        style_gan: ManagedGAN,
        content: ContentCode,
        style: Style,
        strength: float = 1.0,
        preserve_color: str = "off",
    ) -> io.NodeOutput:
        sizes = [size for region in style.regions for size in region.batches]
        batch = match_batch(content.batch, len(style.code), *sizes, what="The contents and the styles")
        style.warn_if_foreign(style_gan.gan)
        height, width = content.size
        images = torch.empty(batch, height, width, 3, device=api.intermediate_device())

        def paint(i: int, device: torch.device) -> Tensor:
            picture = (content[i : i + 1] if content.batch > 1 else content).to(device)
            code = style.code[i : i + 1] if len(style.code) > 1 else style.code
            regions = [region.picture(i).to(device) for region in style.regions]
            painted = style_gan.gan.generate(picture, code.to(device), strength, regions)
            images[i] = to_image(PRESERVE_COLOR[preserve_color](picture.image, painted))[0]
            return images[i]

        style_gan.for_each(batch, height * width, paint, preview=batch > 1)
        return io.NodeOutput(images)
