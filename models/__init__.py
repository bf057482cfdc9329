"""The networks and their bundle. Pure PyTorch: nothing in here knows ComfyUI."""

from .checkpoint import CheckpointError
from .content_encoder import ContentCode, ContentEncoder
from .discriminator import Discriminator
from .generator import Generator
from .interpolation import EASES, interpolate_styles
from .style_encoder import StyleEncoder
from .style_gan import DEFAULT_CHECKPOINT, WEIGHTS_DIR, StyleGAN, StyleGANConfig
from .style_space import MIX_MODES, StyleSpace, lerp, mix_styles, slerp

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
