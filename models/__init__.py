"""The networks, and what they paint with: style codes, style files, regions, videos.

These names are public, and `brushwork` has them too. Import everything else from its own module.
"""

from .checkpoint import CheckpointError
from .codes import interpolate_styles, mix_styles
from .regions import StyleRegion
from .style_file import StyleFile, read_style, write_style
from .style_gan import StyleGAN
from .video.steady import SteadyVideo

__all__ = [
    "CheckpointError",
    "SteadyVideo",
    "StyleFile",
    "StyleGAN",
    "StyleRegion",
    "interpolate_styles",
    "mix_styles",
    "read_style",
    "write_style",
]
