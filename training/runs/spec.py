"""The specification of a run: the node and the command each fill in one `RunSpec`."""

from __future__ import annotations

from dataclasses import dataclass

from ...dataset.collection import PictureSet
from ...models.config import StyleGANConfig
from ...models.style_gan import StyleGAN
from ..options import TrainOptions
from .files import RunFiles


@dataclass(frozen=True)
class RunSpec:
    """Everything that a run needs to know."""

    options: TrainOptions
    photos: PictureSet
    paintings: PictureSet
    files: RunFiles
    start: StyleGAN | None = None
    """The network to begin with, left as it is; for a resumed run, the network that the state fills."""
    config: StyleGANConfig | None = None
    """The shape of an untrained network; used from scratch, without `start`."""
    resume: bool = False
    """Go on from the state in `files`."""
    name: str = ""
    """The name of network and style."""
    licence: str = ""
    """A note on the licence, for the files."""
    save_minutes: float = 5.0
    """Minutes between two saves."""
    preview_every: int = 0
    """Steps between two previews; 0 makes one with every validation."""
