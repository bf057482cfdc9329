"""The specification of a run: the node and the command each fill in one `RunSpec`."""

from __future__ import annotations

from dataclasses import dataclass

from ...base.excerpt import value_excerpt
from ...base.settings import check_type, is_whole
from ...dataset.collection import PictureSet
from ...models.config import StyleGANConfig
from ...models.style_file import LONGEST_TEXT
from ...models.style_gan import StyleGAN
from ..options import TrainOptions
from .files import RunFiles


@dataclass(frozen=True)
class RunSpec:
    """Everything that a run needs to know. Raises ValueError as `check_notes`."""

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

    def __post_init__(self) -> None:
        check_notes(self.name, self.licence, self.preview_every)


def check_notes(name: str, licence: str, preview_every: int) -> None:
    """Raise ValueError, one sentence, for texts that a style file would refuse, and for steps that are none.

    The file is written after minutes of training, or after days.
    """
    for what, text in (("name", name), ("licence", licence)):
        check_type(what, text, str)
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"{what} has {len(text):,} characters; give {LONGEST_TEXT:,} at most.")
    if not is_whole(preview_every) or preview_every < 0:
        raise ValueError(f"preview_every is {value_excerpt(preview_every)}; give a whole number from 0.")
