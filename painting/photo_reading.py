"""A photo of a job: its pixels, metadata and hash, read once for all the styles that it is painted in."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ..base.files import sha256_of
from ..base.system_errors import unreadable
from ..pictures.metadata import PictureMetadata, read_with_metadata
from ..pictures.reading import PictureError, opened_picture
from ..pictures.tensors import as_tensor
from .styles import UnreadableError


class PhotoReading:
    """A photo that is read once, when it is needed; UnreadableError every time if it cannot be read.

    `pinned` pixels lie where a GPU of CUDA fetches them by itself, while the processor goes on.
    """

    def __init__(self, path: Path, pinned: bool = False):
        self.path, self._pinned = path, pinned
        self._digest: str | None = None
        self._read: tuple[Tensor, PictureMetadata] | None = None
        self._error: UnreadableError | None = None

    @property
    def digest(self) -> str:
        if self._digest is None:
            try:
                self._digest = sha256_of(self.path)
            except OSError as error:
                raise UnreadableError(unreadable(self.path, error.strerror)) from error
        return self._digest

    @property
    def tensor(self) -> Tensor:
        """[1,3,H,W] in 0..1, the same object every time."""
        return self._all()[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.tensor.shape[-2:]
        return width, height

    @property
    def header_size(self) -> tuple[int, int]:
        """Width and height as the file's header says, before the picture is turned."""
        with opened_picture(self.path) as image:
            return image.size

    @property
    def metadata(self) -> PictureMetadata:
        return self._all()[1]

    def _all(self) -> tuple[Tensor, PictureMetadata]:
        if self._error:
            raise self._error
        if self._read is None:
            try:
                picture, metadata = read_with_metadata(self.path)
                pixels = as_tensor(picture)
                self._read = pixels.pin_memory() if self._pinned else pixels, metadata
            except PictureError as error:
                self._error = UnreadableError(str(error))
                raise self._error from error
        return self._read
