"""Generate: content and style -> the painting."""

from __future__ import annotations

from torch import Tensor

from ..base.choices import PRESERVE_COLOR, STROKES
from ..painting.options import StylizeOptions
from .bridge.api import io, schema
from .shared.checkpoints import connected_or_default
from .shared.inputs import (
    STROKES_WITHOUT_INPUT,
    check_known,
    check_socket,
    connected,
    network_input,
    preserve_color_input,
    strength_input,
    strokes_input,
    strokes_seed_input,
    validation_result,
)
from .shared.painting import Contents, Motifs, Photos, paint
from .shared.sockets import Content, ContentSocket, ManagedGAN, Style, StyleSocket


class Generate(io.ComfyNode):
    """Paint the content in the style."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="Generate",
            display_name="Generate Painting: Artistic Style (Brushwork)",
            category="Brushwork",
            description=(
                "Paints the content in the style. One style paints a whole batch of photos, one photo can be "
                "painted in a batch of styles, or as many photos as styles go in pairs."
            ),
            search_aliases=[
                "style transfer",
                "neural style",
                "artistic",
                "stylize",
                "paint",
                "风格迁移",
                "brushwork",
            ],
            inputs=[
                network_input("The network that encoded the content and the style."),
                ContentSocket.Input(
                    "content",
                    optional=True,
                    tooltip="What to paint, from Encode Content; or connect a photo.",
                ),
                StyleSocket.Input(
                    "style", tooltip="How to paint it, from Encode Style, Mix Styles or Sample Style."
                ),
                io.Image.Input(
                    "photo",
                    optional=True,
                    tooltip=(
                        "What to paint, without Encode Content. If this node is bypassed, it "
                        "passes through unchanged."
                    ),
                ),
                strength_input("photo"),
                preserve_color_input("photo", "the photo"),
                strokes_seed_input(),
                strokes_input("photo"),
            ],
            outputs=[
                io.Image.Output(
                    "image", display_name="image", tooltip="The painted pictures, in the photos' size."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, preserve_color: str | None = None, strokes: str | None = None) -> bool | str:
        return validation_result(
            lambda: check_known("preserve_color", preserve_color, PRESERVE_COLOR),
            lambda: check_known("strokes", strokes, STROKES),
        )

    @classmethod
    def execute(
        cls,
        style_gan: ManagedGAN | None = None,
        content: Content | None = None,
        style: Style | None = None,
        strength: float = StylizeOptions.strength,
        preserve_color: str = StylizeOptions.preserve_color,
        seed: int = StylizeOptions.seed,
        photo: Tensor | None = None,
        strokes: str = STROKES_WITHOUT_INPUT,
    ) -> io.NodeOutput:
        gan, style = connected_or_default(style_gan), connected(style, "style")
        check_socket(style, "style", Style)
        motifs: Motifs
        if content is not None:
            check_socket(content, "content", Content)
            content.refuse_foreign(gan)
            motifs = Contents(content)
        elif photo is not None:
            motifs = Photos(gan, photo, "photo")
        else:
            raise ValueError("There is nothing to paint; connect a photo, or a content from Encode Content.")
        return io.NodeOutput(paint(gan, motifs, style, strength, preserve_color, seed, strokes))
