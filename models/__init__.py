"""The networks and their bundle. Pure PyTorch: nothing in here knows ComfyUI."""

from ..base.shipped import DEFAULT_CHECKPOINT, WEIGHTS_DIR
from .checkpoint import CheckpointError
from .codes import EASES, MIX_MODES, interpolate_styles, lerp, mix_styles, slerp
from .content_encoder import ContentCode, ContentEncoder
from .discriminator import Discriminator
from .generator import Generator
from .style_encoder import StyleEncoder
from .style_gan import StyleGAN, StyleGANConfig
from .style_space import StyleSpace

__all__ = [
    "DEFAULT_CHECKPOINT",
    "EASES",
    "MIX_MODES",
    "WEIGHTS_DIR",
    "CheckpointError",
    "ContentCode",
    "ContentEncoder",
    "Discriminator",
    "Generator",
    "StyleEncoder",
    "StyleGAN",
    "StyleGANConfig",
    "StyleSpace",
    "interpolate_styles",
    "lerp",
    "mix_styles",
    "slerp",
]
