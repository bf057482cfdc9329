"""Whether a file that came from a server is what it should be: a picture that decodes, a film, a sound."""

from __future__ import annotations

import re
import threading
from pathlib import Path, PurePosixPath

from PIL import Image, UnidentifiedImageError

from ...base.excerpt import excerpt, value_excerpt
from ...pictures.reading import DAMAGE
from .answers import BadAnswerError

# Formats that pictures are saved in, without those that run programs or read other files.
_PICTURES = {
    "PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "GIF": ".gif", "BMP": ".bmp", "TIFF": ".tif",
    "AVIF": ".avif",
}  # fmt: skip
# A result that says that it is one of these must decode.
_PICTURE_ENDINGS = {*_PICTURES.values(), ".jpeg", ".jpe", ".jfif", ".tiff", ".apng"}
_OTHER_ENDINGS = {
    ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a", ".aac",
    ".exr", ".hdr", ".jxl", ".psd", ".svg",
}  # fmt: skip
RESULT_ENDINGS = frozenset(_PICTURE_ENDINGS | _OTHER_ENDINGS)
# The first bytes of films and sounds, and the ending that they call for.
_SIGNATURES = (
    (rb"\x1aE\xdf\xa3.{0,60}webm", ".webm"), (rb"\x1aE\xdf\xa3", ".mkv"), (rb"....ftypqt", ".mov"),
    (rb"....ftypM4A", ".m4a"), (rb"....ftyp", ".mp4"), (rb"RIFF....AVI ", ".avi"), (rb"RIFF....WAVE", ".wav"),
    (rb"fLaC", ".flac"), (rb"ID3", ".mp3"), (rb"OggS", ".ogg"),
)  # fmt: skip
# What begins like this is a page or a message of a server. An SVG is a page as well, and may run scripts.
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*(<|\{|\[)")
# 16,384 x 16,384: 800 MB when decoded.
_MOST_PIXELS = 2**28
_pillow_limit = threading.Lock()


def ending_of(path: Path, name: str, declared: str) -> str:
    """The file ending that the content of `path` calls for; decodes it if it should be a picture.

    `name` is the server's name of the file, `declared` the Content-Type that came with it.
    Raises BadAnswerError, half a sentence, if it is neither a picture that decodes nor another kind of media.
    """
    with path.open("rb") as file:
        head = file.read(256)
    if not head:
        raise BadAnswerError(f"its result {excerpt(name)} is empty")
    if re.match(_PAGE, head):
        raise BadAnswerError(f"its result {excerpt(name)} is a page or a message, not a picture")
    wanted = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if wanted not in _OTHER_ENDINGS:
        return _decode(path, name)

    # Another kind of media: it may be a picture after all, and need not be what its name says.
    kind = declared.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind == "application/json":
        raise BadAnswerError(f"its result {excerpt(name)} is a text ({excerpt(kind)})")
    found = next((ending for start, ending in _SIGNATURES if re.match(start, head, re.DOTALL)), None)
    if found is None and head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        return _decode(path, name)
    same = {".m4v": ".mp4", ".mov": ".mp4", ".m4a": ".mp4", ".aac": ".mp4", ".opus": ".ogg", ".webm": ".mkv"}
    # Relatives share a signature.
    return wanted if found is None or same.get(wanted, wanted) == same.get(found, found) else found


def _decode(path: Path, name: str) -> str:
    """Decode every frame of the picture; its ending."""
    with _pillow_limit:
        usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # _MOST_PIXELS holds instead
        try:
            with Image.open(path, formats=tuple(_PICTURES)) as picture:
                width, height = picture.size
                if width * height > _MOST_PIXELS:
                    raise BadAnswerError(
                        f"its result {excerpt(name)} has {width} x {height} pixels, more than "
                        f"{_MOST_PIXELS // 10**6} million"
                    )
                for frame in range(_frames(picture)):
                    picture.seek(frame)
                    picture.load()
                return _PICTURES[str(picture.format)]
        except (*DAMAGE, MemoryError) as error:
            raise BadAnswerError(
                f"its result {excerpt(name)} is no picture that can be decoded ({_reason(error)})"
            ) from error
        finally:
            Image.MAX_IMAGE_PIXELS = usual


def _frames(picture: Image.Image) -> int:
    count: int = getattr(picture, "n_frames", 1)
    return count


def _reason(error: Exception) -> str:
    # Pillow's sentence about an unknown format names the temporary file.
    if isinstance(error, UnidentifiedImageError):
        return "its content is of no known format"
    return excerpt(str(error)) or value_excerpt(error)
