"""From a file to upright RGB of 8 bits, the same way for training, evaluation and painting.

Nothing else in Brushwork opens a picture that the user names.
"""

from __future__ import annotations

import os
import stat
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from ..base.system_errors import unreadable
from .limits import advice, room, short_advice, too_many

# What Pillow raises on damaged files: OSError, the errors of its decoders, and warnings that became errors.
DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, RuntimeError,
    ArithmeticError, AttributeError, AssertionError, struct.error, Image.DecompressionBombError,
    Warning,
)  # fmt: skip

# The formats that are read, by Pillow's names: rasters that Pillow or a plug-in decodes itself. Pillow hands
# PostScript to Ghostscript, which runs it as a program, and WMF to Windows, whatever the file is called.
RASTERS = (
    *("AVIF", "BMP", "DDS", "DIB", "GIF", "HEIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM"),
    *("PSD", "QOI", "SGI", "SUN", "TGA", "TIFF", "WEBP"),
)
# Pillow opens it as JPEG.
_MPO = "MPO"

# A picture to train on: a file, or RGB pixels that a node received.
Picture = Path | Image.Image

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Filters for warnings and Pillow's limit belong to the whole process.
_filters = threading.RLock()


class PictureError(ValueError):
    """A file cannot be read as a picture; the message is one sentence for the user.

    `reason` is the same in a few words that can follow the file's name.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str, sentence: str = ""):
        super().__init__(sentence or f"{path} is not a picture that can be read; choose a whole picture.")
        self.reason = reason


class NotFiniteError(ValueError):
    """A picture of floats has values that are no numbers, or infinite; the message is a few words."""


@contextmanager
def opened_picture(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """A picture file whose header has been read and whose pixels have not.

    Raises PictureError if the file is missing, empty, of another format than `RASTERS`, damaged or too large;
    the same for what Pillow raises inside the context.
    """
    try:
        _check_file(path)
        with whole_pictures(), _open(path) as image:
            if words := too_many(image.size):
                sentence = f"{path} cannot be read: {words}; {advice()}."
                raise PictureError(path, f"{words} {short_advice()}", sentence)
            yield image
    except PictureError:
        raise
    except MemoryError as error:
        words = "it does not fit into the memory"
        raise PictureError(path, words, f"{path} cannot be read: {words}; scale it down.") from error
    except DAMAGE as error:
        raise _picture_error(path, error) from error


def read_picture(path: str | os.PathLike[str]) -> Image.Image:
    """A picture, or the first frame of an animation, as `upright_rgb` makes it. Raises PictureError."""
    with opened_picture(path) as image:
        image.load()
        return upright_rgb(image)


@contextmanager
def decoded(picture: Picture) -> Iterator[Image.Image]:
    """The picture as `open_picture` gives it; several threads together stay within the limit on pixels."""
    if isinstance(picture, Image.Image):
        yield picture
        return
    with ExitStack() as held:
        with opened_picture(picture) as image:
            held.enter_context(room(image.width * image.height))
            image.load()
            rgb = upright_rgb(image)
        yield rgb


def open_picture(picture: Picture) -> Image.Image:
    """The picture in a file, as `read_picture` reads it; pixels stay as they are."""
    return picture if isinstance(picture, Image.Image) else read_picture(picture)


def upright_rgb(image: Image.Image) -> Image.Image:
    """A decoded picture as 8-bit RGB, turned as its EXIF data says, transparency over white.

    Colour profiles are not applied, as in ComfyUI's LoadImage. The result has no metadata.
    """
    image = upright(image)
    if is_transparent(image):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        image = white
    # Not the file's own object, which would stay open.
    image = image.copy() if image.mode == "RGB" else image.convert("RGB")
    image.info = {}
    return image


def upright(image: Image.Image) -> Image.Image:
    """A decoded picture turned as its EXIF data says, with 16 bits of grey reduced to 8.

    Integers of 16 and 32 bits come out as ComfyUI's LoadImage shows them: `i.point(lambda i: i * (1 / 255))`
    cuts the fraction off, and the conversion to RGB clips to 255. LoadImage does that for mode I only.
    Pillow's present versions open every 16-bit PNG as I;16, and LoadImage shows these white from level 255
    of 65535 on. That is a fault, so this does not do the same. Floats are clipped to 0..255, as LoadImage
    does. Raises NotFiniteError for floats that are not finite: each machine would show another level.
    """
    turn = _TURNS.get(orientation(image))
    if turn is not None:
        image = image.transpose(turn)
    if image.mode == "F" and not np.isfinite(np.asarray(image)).all():
        raise NotFiniteError("it has values that are not finite")
    if image.mode.startswith("I"):
        levels = (np.asarray(image).astype(np.int64) // 255).clip(0, 255)
        image = Image.fromarray(levels.astype(np.uint8))
    return image


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 if there is none or it is damaged.

    It decodes a PNG that is not decoded yet, as the data may come after the pixels.
    """
    with _quiet():
        try:
            value = image.getexif().get(_ORIENTATION, 1)
        except DAMAGE:
            return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def is_transparent(image: Image.Image) -> bool:
    """Whether the picture's mode or palette has transparency, which may be opaque everywhere."""
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def picture_endings() -> set[str]:
    """The endings of the formats that can be read here, in lower case with their dots."""
    formats = {*_formats(), _MPO}
    return {ending for ending, name in Image.registered_extensions().items() if name in formats}


def decoders() -> int:
    """How many threads decode pictures at once."""
    return min(8, os.cpu_count() or 1)


def _formats() -> list[str]:
    """Of the `RASTERS`, those that this Pillow and its plug-ins can open."""
    Image.init()
    return _loaded_formats()


def _loaded_formats() -> list[str]:
    return [name for name in RASTERS if name in Image.OPEN]


def _check_file(path: str | os.PathLike[str]) -> None:
    facts = os.stat(path)
    # A pipe would wait for a writer, a device might never end.
    if not stat.S_ISREG(facts.st_mode):
        raise PictureError(path, "it is not a file")
    if not facts.st_size:
        raise PictureError(path, "the file is empty")


def _open(path: str | os.PathLike[str]) -> Image.Image:
    """Read the header, with the limit of `limits` instead of Pillow's own."""
    with _quiet():
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            # The usual formats first: to load Pillow's other plug-ins takes a tenth of a second.
            Image.preinit()
            with suppress(UnidentifiedImageError):
                return Image.open(path, formats=_loaded_formats())
            return Image.open(path, formats=_formats())
        finally:
            Image.MAX_IMAGE_PIXELS = limit


class _WholePictures:
    """Contexts in which Pillow refuses half a picture.

    With `LOAD_TRUNCATED_IMAGES`, which other packs set for the whole process, the missing half is grey.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._inside:
                self._before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    ImageFile.LOAD_TRUNCATED_IMAGES = self._before


whole_pictures = _WholePictures()
"""A context in which Pillow raises an error for half a picture, whatever another pack has set."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's warnings of damaged parts: the user chose the picture for its pixels."""
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _picture_error(path: str | os.PathLike[str], error: Exception) -> PictureError:
    if isinstance(error, UnidentifiedImageError):
        return PictureError(path, "it is not in a format that Pillow reads")
    if isinstance(error, OSError) and error.strerror:
        return PictureError(path, error.strerror, unreadable(path, error.strerror))
    if isinstance(error, NotFiniteError):
        sentence = f"{path} cannot be read: {error}; save it with values from 0 to 255."
        return PictureError(path, str(error), sentence)
    text = " ".join(str(error).split())[:200]
    return PictureError(path, f"it is damaged ({text})" if text else "it is damaged")
