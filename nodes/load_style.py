"""LoadStyle: a style file -> the style, its thumbnail and what is known about it."""

from __future__ import annotations

from PIL import Image

from ..base.text_files import one_line
from ..models.style_file import StyleFile, read_style
from ..models.thumbnail import THUMBNAIL_SIZE
from .bridge.api import io, schema
from .shared import styles
from .shared.checkpoints import file_stamp
from .shared.images import from_pil
from .shared.inputs import validation_result
from .shared.sockets import Style, StyleSocket


class LoadStyle(io.ComfyNode):
    """Choose a style from the library that ships, or one that somebody saved."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="LoadStyle",
            display_name="Load Style: Van Gogh, Monet … (Brushwork)",
            category="Brushwork",
            description=(
                "Loads a saved style: one of the library that ships with Brushwork, or a file in "
                "models/brushwork_styles. No painting is needed."
            ),
            search_aliases=[
                "style library",
                "style preset",
                "artist style",
                "artistic style",
                "style transfer",
                "van gogh",
                "monet",
                "hokusai",
                "klimt",
                "munch",
                "kandinsky",
                "impressionism",
                "ukiyo-e",
                "风格迁移",
                "梵高",
                "brushwork",
            ],
            inputs=[
                io.Combo.Input(
                    "style_name",
                    options=styles.style_names(),
                    default=styles.default_style(),
                    tooltip=(
                        "Which style: library/… ships with Brushwork, the others are the files in "
                        "models/brushwork_styles. Click a picture below, or type into the list to search it."
                    ),
                ),
            ],
            outputs=[
                StyleSocket.Output(
                    "code", display_name="style", tooltip="The style, for Generate or Mix Styles."
                ),
                io.Image.Output(
                    "picture",
                    display_name="thumbnail",
                    tooltip="The style's thumbnail; a grey square if the file has none.",
                ),
                io.String.Output(
                    "about",
                    display_name="info",
                    tooltip="Name, artist, year, licence and origin, and the network that it was made for.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, style_name: str | None = None) -> bool | str:
        return True if style_name is None else validation_result(lambda: styles.find_style(style_name))

    @classmethod
    def fingerprint_inputs(cls, style_name: str) -> str:
        return repr(file_stamp(styles.find_style(style_name)))

    @classmethod
    def execute(cls, style_name: str) -> io.NodeOutput:
        file = read_style(styles.find_style(style_name))
        picture = from_pil([file.picture() or Image.new("RGB", (THUMBNAIL_SIZE, THUMBNAIL_SIZE), "gray")])
        # No preview: the style picker shows the choice at once, and after a reload.
        return io.NodeOutput(Style.of_file(file), picture, _describe(file))


def _describe(file: StyleFile) -> str:
    lines = [
        file.name,
        ", ".join(text for text in (file.artist, file.year) if text),
        f"Licence: {file.licence}" if file.licence else "",
        f"From: {file.origin}" if file.origin else "",
        f"Made with the style encoder {file.encoder}" if file.encoder else "",
    ]
    # A text with line ends could claim another licence.
    return "\n".join(one_line(line) for line in lines if line)
