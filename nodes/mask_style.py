"""MaskStyle: a style, another one, and a mask that says where the other one rules."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ..models.codes import same_network
from ..models.regions import StyleRegion, feather_mask
from .bridge.api import io, schema
from .shared.images import to_mask
from .shared.inputs import check_socket
from .shared.sockets import Style, StyleSocket, common_encoder

# Pixels of the mask.
FEATHER = 24.0


class MaskStyle(io.ComfyNode):
    """Lay a style over another one where a mask is white."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="MaskStyle",
            display_name="Mask Style (Brushwork)",
            category="Brushwork",
            description=(
                "Lays a style over another one where a mask is white. Generate then paints both into one "
                "picture, in one pass, with soft transitions. Put several in a row for more regions."
            ),
            search_aliases=["regional style", "region", "masked style", "style layers", "brushwork"],
            inputs=[
                StyleSocket.Input(
                    "background",
                    tooltip="The style where the mask is black; may come from another Mask Style.",
                ),
                StyleSocket.Input("style", tooltip="The style where the mask is white."),
                io.Mask.Input(
                    "mask",
                    tooltip=(
                        "The style is used where the mask is white, and partly where it is grey. It is "
                        "stretched to the photo's size; a batch of masks is one per photo."
                    ),
                ),
                io.Float.Input(
                    "feather",
                    default=FEATHER,
                    min=0.0,
                    max=512.0,
                    step=1.0,
                    tooltip="How wide the transitions at the mask's edges are, in pixels of the mask.",
                ),
            ],
            outputs=[
                StyleSocket.Output(
                    "code",
                    display_name="style",
                    tooltip="Both styles and the mask, for Generate or as background of another Mask Style.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls, background: Style, style: Style, mask: Tensor, feather: float = FEATHER
    ) -> io.NodeOutput:
        check_socket(background, "background", Style)
        check_socket(style, "style", Style)
        style.refuse_regions("connect it as background instead")
        encoder = common_encoder([background, style])
        same_network([background.code, style.code])
        soft = feather_mask(to_mask(mask, "The mask").cpu(), feather)
        region = StyleRegion(style.code, soft)
        return io.NodeOutput(replace(background, encoder=encoder, regions=(*background.regions, region)))
