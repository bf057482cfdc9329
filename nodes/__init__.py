"""The ComfyUI nodes, one file each, and the extension that lists them."""

from __future__ import annotations

from .bridge.api import ComfyExtension, io
from .bridge.clashes import warn_of_clashes
from .encode_content import EncodeContent
from .encode_style import EncodeStyle
from .evaluate_style import EvaluateStyle
from .generate import Generate
from .interpolate_styles import InterpolateStyles
from .load_style import LoadStyle
from .load_style_gan import LoadStyleGAN
from .mask_style import MaskStyle
from .mix_styles import MixStyles
from .paint_photo import PaintPhoto
from .paint_video.node import PaintVideo
from .refine_painting.node import RefinePainting
from .sample_style import SampleStyle
from .save_style import SaveStyle
from .shared.examples import provide_examples
from .shared.style_pictures import serve_styles
from .style_dataset import StyleDataset
from .train_style.node import TrainStyle

NODES: dict[str, type[io.ComfyNode]] = {
    "LoadStyleGAN": LoadStyleGAN,
    "EncodeContent": EncodeContent,
    "EncodeStyle": EncodeStyle,
    "MixStyles": MixStyles,
    "SampleStyle": SampleStyle,
    "LoadStyle": LoadStyle,
    "SaveStyle": SaveStyle,
    "Generate": Generate,
    "TrainStyle": TrainStyle,
    "StyleDataset": StyleDataset,
    "EvaluateStyle": EvaluateStyle,
    "InterpolateStyles": InterpolateStyles,
    "MaskStyle": MaskStyle,
    "PaintVideo": PaintVideo,
    "RefinePainting": RefinePainting,
    "PaintPhoto": PaintPhoto,
}


class BrushworkExtension(ComfyExtension):
    """What ComfyUI asks for the pack's nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        warn_of_clashes(list(NODES))
        provide_examples()
        serve_styles()
        return list(NODES.values())
