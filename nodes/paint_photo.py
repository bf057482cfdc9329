"""PaintPhoto: a photo and a style -> the painting, in one node."""

from __future__ import annotations

from torch import Tensor

from ..painting.options import StylizeOptions
from .bridge.api import io, schema
from .shared import styles
from .shared.checkpoints import connected_or_default, file_stamp
from .shared.inputs import check_socket, network_input, strength_input, strokes_seed_input, validation_result
from .shared.painting import Photos, encode_styles, paint
from .shared.sockets import ManagedGAN, Style, StyleSocket


class PaintPhoto(io.ComfyNode):
    """Paint a photo in a style from the library, in a connected style, or in the style of a painting."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="PaintPhoto",
            display_name="Paint Photo: Neural Style Transfer (Brushwork)",
            category="Brushwork",
            description=(
                "Style transfer in one node: paints a photo in an artistic style from the library, such as "
                "Van Gogh, Monet or Hokusai, or like any painting that you connect. It needs nothing else."
            ),
            search_aliases=[
                "style transfer",
                "neural style",
                "neural style transfer",
                "artistic",
                "artistic style",
                "art",
                "stylize",
                "paint",
                "painting",
                "painterly",
                "van gogh",
                "monet",
                "hokusai",
                "picasso",
                "oil painting",
                "watercolor",
                "风格迁移",
                "艺术风格",
                "油画",
                "梵高",
                "brushwork",
            ],
            essentials_category="Image Tools",
            inputs=[
                io.Image.Input("image", tooltip="The photo to paint, or a batch of them."),
                io.Combo.Input(
                    "style_name",
                    options=styles.style_names(),
                    default=styles.default_style(),
                    tooltip=(
                        "In which style: library/… ships with Brushwork, the others are the files in "
                        "models/brushwork_styles. Not used if a style or a painting is connected."
                    ),
                ),
                io.Image.Input(
                    "painting",
                    optional=True,
                    tooltip="A painting to paint like, in place of style_name; or a batch, one per photo.",
                ),
                StyleSocket.Input(
                    "style",
                    optional=True,
                    tooltip="A style in place of style_name, from Mix Styles or another node that gives one.",
                ),
                network_input(),
                strength_input("photo"),
                strokes_seed_input(),
            ],
            outputs=[
                io.Image.Output(
                    "painted", display_name="image", tooltip="The painted pictures, in the photos' size."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, style_name: str | None = None) -> bool | str:
        return True if style_name is None else validation_result(lambda: styles.find_style(style_name))

    @classmethod
    def fingerprint_inputs(cls, style_name: str, **others: object) -> str:
        """Changes when the style's file is replaced."""
        return repr(file_stamp(styles.find_style(style_name)))

    @classmethod
    def execute(
        cls,
        image: Tensor,
        style_name: str = styles.DEFAULT_STYLE,
        painting: Tensor | None = None,
        style: Style | None = None,
        style_gan: ManagedGAN | None = None,
        strength: float = StylizeOptions.strength,
        seed: int = StylizeOptions.seed,
    ) -> io.NodeOutput:
        gan = connected_or_default(style_gan)
        if painting is not None and style is not None:
            raise ValueError("A painting and a style are connected; take one of them away.")
        if painting is not None:
            style = encode_styles(gan, painting, "painting")
        elif style is None:
            style = styles.load_style(style_name)
        check_socket(style, "style", Style)
        photos = Photos(gan, image, "image")
        return io.NodeOutput(paint(gan, photos, style, strength, "off", seed, strokes="proportion"))
