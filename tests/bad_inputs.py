"""Bad files that people give to Brushwork, and what they see: the rows of a table, each held by a test.

`tests/test_bad_inputs.py` makes each file and runs the command. `scripts/bad_inputs_table.py` does the same
and puts what it saw into docs/bad-inputs.md; the test compares.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from safetensors.torch import load, save

from brushwork.base.tensor_header import join_header, split_header
from fuzz.readers import READERS, tiny_checkpoint


class BadInput(NamedTuple):
    """`{file}` in command and message is the path of the file with these bytes."""

    what: str
    """The file in words, for a table."""
    name: str
    make: Callable[[], bytes]
    command: tuple[str, ...]
    message: str
    """Part of what the command says."""
    code: int = 2

    def place(self, folder: Path) -> dict[str, Path]:
        """Make the file in a new folder; what the words in braces stand for."""
        given = folder / "given"
        given.mkdir()
        (given / self.name).write_bytes(self.make())
        if self.code == 0 or self.name == "s.json" or self.name.endswith(".safetensors"):
            (given / "whole.png").write_bytes(png())
        return {"file": given / self.name, "folder": given, "out": folder / "out"}

    def shown(self, said: str, places: Mapping[str, Path]) -> str:
        """The line of what was `said` that the message is in, with short paths; of a report the message."""
        message = self.message.format(**places)
        # In a report Pillow's own words follow, which change.
        line = next((line for line in said.splitlines() if message in line), said) if self.code else message
        line = line.replace(str(places["file"]), self.name).replace(str(places["folder"]), "FOLDER")
        return " ".join(line.split())


def png(width: int = 40, height: int = 30) -> bytes:
    data = io.BytesIO()
    Image.effect_noise((width, height), 80).save(data, "PNG")
    return data.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + data
        + struct.pack(">I", zlib.crc32(data))
        + b"\0\0\0\0IDAT"
    )


def key(**change: object) -> bytes:
    record = {"format": "brushwork-judge-key", "version": 1, "sheet": "S-1", "a": "x", "b": "y"}
    return json.dumps(record | {"rows": ["r"], "sides": "AA=="} | change).encode()


def checkpoint(
    change: Callable[[dict[str, torch.Tensor]], object] | None = None, **texts: str
) -> Callable[[], bytes]:
    """A small network's file with changed tensors or texts in its header."""

    def make() -> bytes:
        tensors, header = load(tiny_checkpoint()), split_header(tiny_checkpoint())[0]
        if change is not None:
            change(tensors)
        return save(tensors, header["__metadata__"] | texts)

    return make


def bias(value: float, dtype: torch.dtype) -> Callable[[dict[str, torch.Tensor]], object]:
    return lambda tensors: tensors.update({"generator.head.bias": torch.full((48,), value, dtype=dtype)})


def state(**change: object) -> Callable[[], bytes]:
    """A training state with other values in its header."""

    def make() -> bytes:
        header, tensors = split_header(READERS["state"].seeds()[0])
        texts: dict[str, Any] = header["__metadata__"]
        texts["header"] = json.dumps(json.loads(texts["header"]) | change)
        return join_header(header, tensors)

    return make


def pickled() -> bytes:
    data = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, data)
    return data.getvalue()


_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 29882232\n"
_NETWORK = ("encode", "{folder}/whole.png", "--checkpoint", "{file}", "--out", "{out}")
_STYLE = ("paint", "{folder}/whole.png", "--style", "{file}", "--out", "{out}")
_RESUME = ("train", "--resume", "--style", "{folder}", "--out", "{folder}")
_ENCODE = ("encode", "{file}", "--out", "{out}")
_CATALOGUE = ("encode", "--catalogue", "{file}", "--out", "{out}")
_DATASET = ("dataset", "{folder}")
_SPLIT = ("dataset", "{folder}", "--split", "{file}")
_TALLY = ("judge", "tally", "{file}", "{file}")
_BROKEN = "{file} is not a picture that can be read; choose a whole picture."
_KEY = "{file} is not a key that this Brushwork wrote; give the sheet's key.json."

BAD_INPUTS = [
    BadInput("an empty picture", "a.png", lambda: b"", _ENCODE, _BROKEN),
    BadInput("half a picture", "a.png", lambda: png()[:300], _ENCODE, _BROKEN),
    BadInput("a text called .png", "a.png", lambda: b"no picture", _ENCODE, _BROKEN),
    BadInput("PostScript called .jpg", "a.jpg", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", _ENCODE, _BROKEN),
    BadInput(
        "a scan of 180 million pixels",
        "a.png",
        lambda: png_of_size(15_000, 12_000),
        _ENCODE,
        "it claims more than 179 million pixels, and at most 128 million are read; scale it down, or raise "
        "the limit with --max-megapixels.",
    ),
    BadInput(
        "a small file of 162 million pixels",
        "a.png",
        lambda: png_of_size(13_000, 12_500),
        _ENCODE,
        "it has 162.5 million pixels, and at most 128 million are read; scale it down",
    ),
    BadInput(
        "the same in a folder",
        "a.png",
        lambda: png_of_size(13_000, 12_500),
        _DATASET,
        "a.png: it has 162.5 million pixels, and at most 128 million are read (--max-megapixels raises that)",
        0,
    ),
    BadInput("half a picture in a folder", "a.png", lambda: png()[:300], _DATASET, "a.png: it is damaged", 0),
    BadInput(
        "a hidden picture in a folder",
        "._a.png",
        png,
        _DATASET,
        "holds no picture (1 hidden picture (._a.png)",
    ),
    BadInput(
        "a folder of empty pictures",
        "a.png",
        lambda: b"",
        ("train", "--style", "{folder}", "--out", "{out}"),
        "holds no paintings that can be read (1 unreadable file, first a.png: the file is empty)",
    ),
    BadInput(
        "a catalogue in UTF-16",
        "c.csv",
        lambda: "file,name".encode("utf-16"),
        _CATALOGUE,
        "save it as UTF-8.",
    ),
    BadInput("a catalogue that is no JSON", "c.json", lambda: b"{", _CATALOGUE, "{file} is not JSON: "),
    BadInput(
        "JSON nested 100,000 deep",
        "c.json",
        lambda: b"[" * 100_000,
        _CATALOGUE,
        "its values are too long or deep.",
    ),
    BadInput("a catalogue of 17 MB", "c.csv", lambda: b" " * 17 * 2**20, _CATALOGUE, "is larger than 16 MB"),
    BadInput("a split file without the folder", "s.json", lambda: b"{}", _SPLIT, "has no entry"),
    BadInput("a key of another version", "k.json", lambda: key(version=2), _TALLY, _KEY),
    BadInput("a key with numbers for names", "k.json", lambda: key(rows=[1]), _TALLY, _KEY),
    BadInput("a key for answers", "k.json", key, _TALLY, "has no columns sheet, row and answer"),
    BadInput("an empty network file", "x.safetensors", lambda: b"", _NETWORK, "cut short at 0 bytes"),
    BadInput(
        "half a network", "x.safetensors", lambda: tiny_checkpoint()[:30_000], _NETWORK, "is cut short at"
    ),
    BadInput("a pointer of Git LFS", "x.safetensors", lambda: _POINTER, _NETWORK, "is a pointer of Git LFS"),
    BadInput("a pickle", "x.safetensors", pickled, _NETWORK, "can run foreign code when it is read"),
    BadInput("a web page", "x.safetensors", lambda: b"<!DOCTYPE html>", _NETWORK, "not a safetensors file"),
    BadInput(
        "another program's weights",
        "x.safetensors",
        lambda: save({"lora": torch.zeros(2)}),
        _NETWORK,
        "is a safetensors file of another kind",
    ),
    BadInput(
        "whole numbers as weights",
        "x.safetensors",
        checkpoint(bias(1, torch.int32)),
        _NETWORK,
        "is I32, and weights are",
    ),
    BadInput(
        "weights that are not finite",
        "x.safetensors",
        checkpoint(bias(1e300, torch.float64)),
        _NETWORK,
        "has values that are not finite",
    ),
    BadInput(
        "weights of 1e30",
        "x.safetensors",
        checkpoint(bias(1e30, torch.float32)),
        _NETWORK,
        "which no trained network has",
    ),
    BadInput(
        "tensors too many",
        "x.safetensors",
        checkpoint(lambda tensors: tensors.update(ghost=torch.zeros(9))),
        _NETWORK,
        "has 1 tensor too many, 'ghost' first.",
    ),
    BadInput(
        "a header that is wrong",
        "x.safetensors",
        checkpoint(style_space="[]"),
        _NETWORK,
        "its style distribution does not fit the network.",
    ),
    BadInput(
        "half a style", "s.safetensors", lambda: READERS["style"].seeds()[0][:3000], _STYLE, "cut short or", 1
    ),
    BadInput("a network as a style", "s.safetensors", tiny_checkpoint, _STYLE, "not a Brushwork style", 1),
    BadInput(
        "a text as a training state", "state.safetensors", lambda: b"no", _RESUME, "not a readable training"
    ),
    BadInput(
        "a training state at step x", "state.safetensors", state(step="x"), _RESUME, "its step is 'x' and"
    ),
    BadInput(
        "a training state with other options",
        "state.safetensors",
        state(options={"steps": -1}),
        _RESUME,
        "was begun with another version of Brushwork",
    ),
]
