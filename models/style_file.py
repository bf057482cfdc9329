"""Style files: a style code as a safetensors file of a few kB, with a name and a thumbnail, to share."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn

from ..base.counts import counted
from ..base.excerpt import excerpt
from ..base.files import checked_path, write_atomically, write_new
from ..base.settings import check_type
from ..base.tensor_header import SAFETENSORS, join_header, split_header
from ..pictures.values import check_floating
from .checkpoint import CheckpointError, decode_metadata, encode_metadata, path_to_read
from .config import LARGEST_WIDTH
from .style_gan import StyleGAN
from .tensor_file import LARGEST_WEIGHT, UNREADABLE, TensorFile, open_tensors, why_unreadable
from .thumbnail import decode_thumbnail, encode_thumbnail

FORMAT = "brushwork-style"
FORMAT_VERSION = 2

# A style file has about 7 kB, or 13 kB with a thumbnail. Much larger files are not read at all.
LARGEST_FILE = 256 * 1024
LONGEST_TEXT = 1000
_TEXTS = ("name", "artist", "year", "licence", "origin")


@dataclass(frozen=True, eq=False)
class StyleFile:
    """A style to share: code [L,D] float32 on the CPU, and what a person should know about it.

    The first `structure_layers` of the L layers are structure, the rest colour. `encoder` is the
    `style_fingerprint` of the network that the code is made for, None if it is not known. The texts hold
    at most 1000 characters each; `thumbnail` is a JPEG.
    """

    code: Tensor
    structure_layers: int
    encoder: str | None
    name: str
    artist: str = ""
    year: str = ""
    licence: str = ""
    origin: str = ""
    thumbnail: bytes | None = None

    @classmethod
    def made_by(
        cls, gan: StyleGAN, code: Tensor, name: str, thumbnail: Image.Image | None = None, **texts: str
    ) -> StyleFile:
        """The style `code` [L,D] or [1,L,D] of `gan`; `texts` are artist, year, licence, origin.

        Raises ValueError for a code of another network's shape, and for a network or picture that is none.
        """
        check_type("gan", gan, StyleGAN)
        if thumbnail is not None:
            check_type("thumbnail", thumbnail, Image.Image)
        expected = (gan.config.layers, gan.config.code_dim)
        code = check_floating(code, "The style code", ending="")
        if tuple(code.shape) not in (expected, (1, *expected)):
            raise ValueError(
                f"The style code is {tuple(code.shape)} and one style of this network is {expected}."
            )
        return cls(
            code.detach().reshape(expected).to("cpu", torch.float32, copy=True),
            gan.config.structure_layers,
            style_fingerprint(gan),
            name,
            thumbnail=None if thumbnail is None else encode_thumbnail(thumbnail),
            **texts,
        )

    def picture(self) -> Image.Image | None:
        """The thumbnail, RGB, at most 512 pixels a side. Raises ValueError if it is not such a JPEG."""
        return None if self.thumbnail is None else decode_thumbnail(self.thumbnail)


class StyleFacts(NamedTuple):
    """What a style file says about itself."""

    name: str
    artist: str
    year: str
    has_thumbnail: bool


def style_fingerprint(gan: StyleGAN) -> str:
    """16 hexadecimal digits that networks share if their style encoders are the same up to float16.

    A style code means the same to all of them: also to a network that was fine-tuned with its
    encoders frozen, or saved and loaded again.
    """
    check_type("gan", gan, StyleGAN)
    return _digest(gan.style_encoder)


def content_fingerprint(gan: StyleGAN) -> str:
    """16 hexadecimal digits that networks share if their content encoders are the same up to float16."""
    check_type("gan", gan, StyleGAN)
    return _digest(gan.content_encoder)


def _digest(encoder: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        rounded = tensor.detach().to("cpu", torch.float16).contiguous(memory_format=torch.contiguous_format)
        digest.update(rounded.numpy().astype("<f2").tobytes())
    return digest.hexdigest()[:16]


def write_style(path: str | os.PathLike[str], style: StyleFile) -> None:
    """Write `style` to `path`, whole or not at all, its code as float16 (half the size, no visible change).

    Raises CheckpointError, one sentence, if a reader would refuse the file: values that are not
    finite, also after rounding, wrong shapes, texts too long, a thumbnail too large or not a JPEG. Raises
    ValueError for what is no path or no StyleFile, and OSError for a path that cannot be written.
    """
    check_type("style", style, StyleFile)
    path = checked_path(path)
    write_atomically(path, _pack(path.name, style))


def write_new_style(folder: Path, stem: str, style: StyleFile, number: int = 1) -> Path:
    """As `write_style`, to the first of `stem`, stem_2, … in `folder` that is free; returns the path.

    Several processes that save styles of one name at once each get a name of their own.
    """
    return write_new(folder, stem, SAFETENSORS, _pack(stem, style), number)


def _pack(name: str, style: StyleFile) -> bytes:
    try:
        code = check_floating(style.code, "its style code", ending="")
    except ValueError as error:
        raise CheckpointError(f"The style was not saved to {name}: {error}") from error
    if not isinstance(style.thumbnail, bytes | None):
        raise CheckpointError(f"The style was not saved to {name}: its thumbnail is not the bytes of a JPEG.")
    tensors = {"code": code.detach().to("cpu", torch.float16).contiguous()}
    if style.thumbnail is not None:
        tensors["thumbnail"] = torch.tensor(list(style.thumbnail), dtype=torch.uint8, device="cpu")
    header = {text: getattr(style, text) for text in _TEXTS}
    header |= {"structure_layers": style.structure_layers, "network": _network_of(style)}
    if problem := _problem(tensors, header):
        raise CheckpointError(f"The style was not saved to {name}: {problem}.")
    # safetensors writes its header in a random order, and a style library under version control should
    # change only where a style does.
    data = save(tensors, encode_metadata(FORMAT, FORMAT_VERSION, header))
    return join_header(*split_header(data))


def read_style(path: str | os.PathLike[str]) -> StyleFile:
    """Read a file that `write_style` made, the thumbnail checked.

    Raises CheckpointError, one sentence, for a file that is missing, too large, truncated, foreign, of
    another format version, not finite, or whose parts do not fit each other.
    """
    with _open_style(path) as (file, header):
        tensors = file.tensors()
    name = Path(path).name
    # Is what it holds whole? Anybody may have written it.
    if problem := _problem(tensors, header):
        raise CheckpointError(f"{name} is damaged: {problem}.")
    return StyleFile(
        tensors["code"].float(),
        header.get("structure_layers", len(tensors["code"]) - 1),
        header["network"].get("style_encoder"),
        thumbnail=bytes(tensors["thumbnail"].tolist()) if "thumbnail" in tensors else None,
        **{text: header[text] for text in _TEXTS},
    )


def read_style_facts(path: str | os.PathLike[str]) -> StyleFacts:
    """What a style file says about itself, for lists of thousands: neither code nor thumbnail is read.

    Raises CheckpointError as `read_style`, except for what is wrong with those two.
    """
    with _open_style(path) as (file, header):
        if problem := _text_problem(header):
            raise CheckpointError(f"{Path(path).name} is damaged: {problem}.")
        return StyleFacts(header["name"], header["artist"], header["year"], "thumbnail" in file.facts)


@contextmanager
def _open_style(path: str | os.PathLike[str]) -> Iterator[tuple[TensorFile, dict[str, Any]]]:
    """An open style file of this version and its header; no tensor is read yet. Raises CheckpointError."""
    path = path_to_read(path, "style file")
    # Check the size first: a foreign file may be large.
    _check_size(path)
    try:
        with open_tensors(path) as file:
            yield file, _checked_header(path.name, file.texts)
    except CheckpointError:
        raise
    except UNREADABLE as error:
        advice = "choose a file that Save Style or brushwork encode wrote"
        raise CheckpointError(why_unreadable(path, "a style file", advice, "cut short or damaged")) from error


def _checked_header(name: str, texts: dict[str, str]) -> dict[str, Any]:
    if texts.get("format") != FORMAT:
        raise CheckpointError(
            f"{name} is a safetensors file of another kind, not a Brushwork style; "
            "choose a file that Save Style or brushwork encode wrote."
        )
    version = texts.get("format_version")
    if version == "1":
        raise CheckpointError(
            f"{name} was made for the earlier network of Brushwork 0.2 and says nothing to this one; "
            "encode its paintings again with Encode Style and Save Style, or brushwork encode."
        )
    if version != str(FORMAT_VERSION):
        raise CheckpointError(
            f"{name} has style format version {excerpt(str(version), 20)}, and this Brushwork "
            f"reads version {FORMAT_VERSION}; update Brushwork or save the style again."
        )
    return decode_metadata(name, texts)


def _network_of(style: StyleFile) -> dict[str, Any]:
    layers, dim = style.code.shape if style.code.dim() == 2 else (0, 0)
    return {"style_encoder": style.encoder, "layers": layers, "code_dim": dim}


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise CheckpointError(
            f"{path.name} has {size:,} bytes and a style file at most {LARGEST_FILE:,}; "
            "choose a file that Save Style or brushwork encode wrote."
        )


def _problem(tensors: dict[str, Tensor], header: dict[str, Any]) -> str | None:
    """What is wrong with the parts of a style file, as the end of a sentence; None if nothing is."""
    if problem := _text_problem(header):
        return problem
    code = tensors.get("code")
    if code is None or code.dim() != 2 or code.dtype not in (torch.float16, torch.float32):
        return "it holds no style code of shape [layers, numbers]"
    layers, dim = code.shape
    if not (1 <= layers <= LARGEST_WIDTH and 1 <= dim <= LARGEST_WIDTH):
        return f"its style code is {layers} x {dim}"
    if not torch.isfinite(code).all():
        return "its style code has values that are not finite"
    if code.abs().max() > LARGEST_WEIGHT:
        return f"its style code has values up to {code.abs().max():.3g}, which no style has"
    structure = header.get("structure_layers", layers - 1)
    if type(structure) is not int or not 0 <= structure <= layers:
        return (
            f"structure_layers is {excerpt(str(structure), 20)} and the code has {counted(layers, 'layer')}"
        )
    return _network_problem(header.get("network"), layers, dim) or _thumbnail_problem(tensors)


def _text_problem(header: dict[str, Any]) -> str | None:
    for text in _TEXTS:
        if not isinstance(header.get(text), str) or len(header[text]) > LONGEST_TEXT:
            return f"its {text} is not a text of at most {LONGEST_TEXT} characters"
    return None


def _network_problem(network: object, layers: int, dim: int) -> str | None:
    if not isinstance(network, dict):
        return "it does not say which network it is for"
    encoder = network.get("style_encoder")
    if encoder is not None and not (isinstance(encoder, str) and len(encoder) <= 64):
        return "the fingerprint of its network is not a short text"
    if (network.get("layers"), network.get("code_dim")) != (layers, dim):
        return "its code does not have the shape that its header says"
    return None


def _thumbnail_problem(tensors: dict[str, Tensor]) -> str | None:
    thumbnail = tensors.get("thumbnail")
    if surplus := sorted(tensors.keys() - {"code", "thumbnail"}):
        return f"it has a tensor too many, '{excerpt(surplus[0], 40)}'"
    if thumbnail is None:
        return None
    if thumbnail.dim() != 1 or thumbnail.dtype != torch.uint8 or len(thumbnail) > LARGEST_FILE // 2:
        return f"its thumbnail is not the bytes of a JPEG, {LARGEST_FILE // 2:,} at most"
    try:
        decode_thumbnail(bytes(thumbnail.tolist()))
    except ValueError as error:
        return str(error)
    return None
