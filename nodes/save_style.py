"""SaveStyle: a style -> a small file that can be shared."""

from __future__ import annotations

import torch
from torch import Tensor

from ..base.counts import counted
from ..models.style_file import StyleFile
from ..models.thumbnail import PAINTED_SIZE, decode_thumbnail, encode_thumbnail, paint_thumbnail
from ..pictures.tensors import as_picture
from .bridge import api
from .bridge.api import io, schema
from .bridge.progress import preview
from .shared import styles
from .shared.images import from_pil, to_rgb
from .shared.inputs import check_socket
from .shared.sockets import GanSocket, ManagedGAN, Style, StyleSocket


class SaveStyle(io.ComfyNode):
    """Keep a style, to use it again or to give it to others."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="SaveStyle",
            display_name="Save Style (Brushwork)",
            category="Brushwork",
            description=(
                "Saves a style as a file of a few kB in models/brushwork_styles, where Load Style finds it. "
                "The painting itself is not in it."
            ),
            search_aliases=["export style", "share style", "style preset", "brushwork"],
            is_output_node=True,
            inputs=[
                StyleSocket.Input("style", tooltip="What to save; each style of a batch gets its own file."),
                io.String.Input(
                    "style_name",
                    default="my style",
                    tooltip="Its name; it may begin with folders, such as mine/waves.",
                ),
                io.String.Input(
                    "artist", default="", tooltip="Who made the paintings, or the style; may be empty."
                ),
                io.String.Input(
                    "licence",
                    default="",
                    tooltip="What others may do with it, for instance CC0 or CC BY 4.0; may be empty.",
                ),
                io.Boolean.Input(
                    "overwrite",
                    default=False,
                    label_on="replace",
                    label_off="keep both",
                    tooltip=(
                        "On: a file of this name is replaced. Off: the new file gets a number, "
                        "as in my style_2."
                    ),
                ),
                io.Image.Input(
                    "thumbnail",
                    optional=True,
                    tooltip=(
                        "The picture to show for it, for instance a painting from Generate; it is made "
                        "smaller. One for all styles, or one each."
                    ),
                ),
                GanSocket.Input(
                    "style_gan",
                    optional=True,
                    tooltip="The network that paints a thumbnail if none is connected.",
                ),
            ],
            outputs=[
                StyleSocket.Output("code", display_name="style", tooltip="The style, as it came in."),
                io.String.Output(
                    "saved_as",
                    display_name="name",
                    tooltip="The file's name in Load Style; for a batch, one name per line.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        style: Style,
        style_name: str,
        artist: str = "",
        licence: str = "",
        overwrite: bool = False,
        thumbnail: Tensor | None = None,
        style_gan: ManagedGAN | None = None,
    ) -> io.NodeOutput:
        check_socket(style, "style", Style)
        style.refuse_regions("save each of its styles before Mask Style")
        if style_gan is not None:
            check_socket(style_gan, "style_gan", ManagedGAN)
            style.refuse_foreign(style_gan)
        thumbnails = _thumbnails(style, thumbnail, style_gan)

        # Each style of the batch gets a file of its own.
        title = styles.style_title(style_name)
        names = []
        for i in range(len(style)):
            file = StyleFile(
                style.picture(i).code[0],
                style.structure_layers,
                style.encoder,
                f"{title} {i + 1}" if len(style) > 1 else title,
                artist,
                licence=licence,
                thumbnail=thumbnails[i],
            )
            names.append(styles.style_name(styles.save_style(file, style_name, i + 1, overwrite)))

        # `brushwork render` reads the names of the files from here, the page shows the thumbnails.
        saved = [{"filename": name, "subfolder": "", "type": api.STYLE_FOLDER} for name in names]
        shown = [decode_thumbnail(data) for data in thumbnails if data is not None]
        page = preview(from_pil(shown), cls) if shown else {}
        return io.NodeOutput(style, "\n".join(names), ui=page | {"styles": saved})


def _thumbnails(
    style: Style, thumbnail: Tensor | None, style_gan: ManagedGAN | None
) -> list[bytes] | list[None]:
    """A JPEG for each style; None for each if there is nothing to make them from."""
    count = len(style)
    if thumbnail is not None:
        given = to_rgb(thumbnail, "The thumbnail", "thumbnail")
        if len(given) not in (1, count):
            raise ValueError(
                f"There are {len(given)} thumbnails for {counted(count, 'style')}; give one, or one each."
            )
        return [encode_thumbnail(as_picture(picture)) for picture in given.expand(count, -1, -1, -1)]
    if style_gan is None:
        return [None] * count

    def paint(i: int, device: torch.device) -> bytes:
        return encode_thumbnail(paint_thumbnail(style_gan.gan, style.picture(i).code))

    return style_gan.for_each(count, PAINTED_SIZE**2, paint)
