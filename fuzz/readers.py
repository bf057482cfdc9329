"""The readers of files from strangers, each with whole files to begin with and the errors it may raise."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import av
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save

from brushwork.base.shipped import WORKFLOWS_DIR, library_styles
from brushwork.base.tensor_header import join_header, read_metadata, split_header
from brushwork.cli.encode.catalogue import read_catalogue
from brushwork.cli.errors import CommandError
from brushwork.cli.queue.manifest import MANIFEST, Results
from brushwork.cli.workflow.files import read_workflow
from brushwork.dataset.splits import read_split_file
from brushwork.evaluation.judging.errors import JudgeError
from brushwork.evaluation.judging.sheets import Key, read_key
from brushwork.evaluation.judging.tally import read_answers, tally
from brushwork.models import CheckpointError, StyleGAN, read_style
from brushwork.models.config import StyleGANConfig
from brushwork.models.perception.fetched_weights import read_state_dict
from brushwork.models.perception.vgg import LossNetwork
from brushwork.models.style_space import StyleSpace
from brushwork.painting.errors import FilmError
from brushwork.painting.films.joining import read_film_settings
from brushwork.painting.films.reading import Film
from brushwork.painting.films.unfinished import FilmProgress, UnfinishedFilm
from brushwork.pictures.metadata import PictureMetadata, encode_picture, read_settings, read_with_metadata
from brushwork.pictures.reading import PictureError, read_picture
from brushwork.training.options import TrainOptions
from brushwork.training.runs.log import read_log
from brushwork.training.runs.recipe import has_recipe
from brushwork.training.runs.resume import RunProgress, resume_options
from brushwork.training.state import STATE_FORMAT, open_state
from brushwork.training.trainer import TrainingError

LONGEST_MESSAGE = 1000
KEY = Key("S-1", "one", "other", ("a", "b"), (True, False))


@dataclass(frozen=True)
class Reader:
    """A reader: `read` takes a path and returns anything, or raises one of `errors` with one sentence."""

    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    errors: tuple[type[Exception], ...]
    name: str = "file"
    """The name of the file, which decides what some readers expect."""

    def attempt(self, folder: Path, data: bytes) -> str | None:
        """Read a file of `data` in `folder`; the message of an expected error, None if it was read.

        Raises AssertionError for a message that is no single short sentence, and whatever else is raised.
        """
        path = folder / self.name
        path.write_bytes(data)
        try:
            self.read(path)
            return None
        except self.errors as error:
            said = error
        message = str(said)
        one_line = "\n" not in message or isinstance(said, JudgeError)  # which has a sentence a line
        if not (message.endswith(".") and len(message) < LONGEST_MESSAGE and one_line):
            raise AssertionError(f"This is no short sentence: {message[:2000]}") from said
        return message


@cache
def tiny_checkpoint() -> bytes:
    torch.manual_seed(0)
    gan = StyleGAN(StyleGANConfig(8, 8, 8, 1, 1, 8, 8, 1, 2, 2, 2, 8))
    gan.space = StyleSpace.fit(torch.randn(6, gan.config.layers, gan.config.code_dim), rank=2, centers=1)
    with tempfile.TemporaryDirectory() as folder:
        gan.save(Path(folder) / "tiny")
        return (Path(folder) / "tiny").read_bytes()


def _style() -> bytes:
    return next(iter(library_styles().values())).read_bytes()


def _state() -> bytes:
    progress = {"sums": {"total": 1.5}, "counts": {"total": 2}, "scores": [{"step": 0, "total": 2.0}]}
    header = {"step": 3, "options": TrainOptions().as_dict(), "ancestor": None, "micro_batch": 2}
    header |= {"rate_factor": 1.0, "bad_in_row": 0, "progress": progress | {"best_step": 0, "worse": 0}}
    texts = {"format": STATE_FORMAT, "header": json.dumps(header)}
    return save({"painter.code": torch.ones(2, 3), "opt_g.0.step": torch.ones(())}, texts)


def _read_state(path: Path) -> None:
    with open_state(path) as (file, header):
        file.tensors()
    RunProgress.read(header.get("progress", {}))
    resume_options(path, {})


def _weights() -> bytes:
    data = io.BytesIO()
    torch.save({"conv.weight": torch.ones(2, 3)}, data)
    return data.getvalue()


def _picture(kind: str) -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize((16, 12)).convert("RGB").save(data, kind)
    return data.getvalue()


def _key() -> bytes:
    record = {"format": "brushwork-judge-key", "version": 1, "sheet": "S-1", "a": "x", "b": "y"}
    return json.dumps(record | {"rows": ["r"], "sides": "AA=="}).encode()


def _read_key(path: Path) -> None:
    key = read_key(path)
    assert len(tally(key, ["="] * len(key.rows)).text()) < 20_000


def _catalogue(path: Path) -> object:
    (path.parent / "a.png").write_bytes(b"x")
    return read_catalogue(path, [path.parent])


def _csv() -> bytes:
    return b"file,name,artist,year\na.png,Wave,Hokusai,1831\n"


def _rows() -> bytes:
    return json.dumps([{"file": "a.png", "name": "Wave", "year": 1831}]).encode()


def _workflows() -> list[bytes]:
    return [(WORKFLOWS_DIR / "api" / "stylize_photo.json").read_bytes()]


def _thumbnail() -> bytes:
    found = read_style(next(iter(library_styles().values()))).thumbnail
    assert found is not None
    return found


def _read_thumbnail(path: Path) -> None:
    """As a part of a style, whose sentence it is."""
    header, tensors = split_header(_style())
    data = path.read_bytes()
    code = len(tensors) - len(_thumbnail())
    header["thumbnail"] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [code, code + len(data)]}
    whole = path.with_name("style")
    whole.write_bytes(join_header(header, tensors[:code] + data))
    read_style(whole).picture()


def _painting(ending: str) -> bytes:
    picture = Image.linear_gradient("L").resize((16, 12)).convert("RGB")
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    exif[0x8769] = {0x927C: b"note", 0xA002: 16}
    profile = b"\0" * 16 + b"RGB " + b"\0" * 12
    metadata = PictureMetadata(profile, exif.tobytes())
    return encode_picture(picture, ending, metadata, {"style": "Wave", "strength": 0.5})


def _read_painting(path: Path) -> None:
    read_settings(path)
    picture, metadata = read_with_metadata(path)
    for ending in (".png", ".jpg"):
        encode_picture(picture, ending, metadata, {"style": "Wave"})


@cache
def _film(kind: str, codec: str) -> bytes:
    data = io.BytesIO()
    with av.open(data, "w", format=kind) as container:
        container.metadata["title"] = "Wave"
        stream = cast(av.VideoStream, container.add_stream(codec, rate=5))
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for level in (0, 80, 255):
            pixels = np.full((16, 32, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return data.getvalue()


def _read_film(path: Path) -> None:
    read_film_settings(path)
    film = Film(path)
    for frame in film.frames(range(3)):
        assert 0 <= frame.tensor.amin() <= frame.tensor.amax() <= 1
    for _ in zip(range(3), film.thumbnails(), strict=False):
        pass


def _unfinished_film(folder: Path) -> UnfinishedFilm:
    """A film of one shot, whose first segment is painted."""
    unfinished = UnfinishedFilm(folder, {})
    unfinished.keep_shots([9])
    unfinished.segment(0).write_bytes(b"4 frames")
    return unfinished


@cache
def _film_state() -> bytes:
    state = {"reads": torch.tensor(2), "painted": torch.rand(1, 3, 4, 4)}
    with tempfile.TemporaryDirectory() as folder:
        _unfinished_film(Path(folder)).keep_progress(FilmProgress(1, 4, state))
        return (Path(folder) / "state.safetensors").read_bytes()


def _read_film_state(path: Path) -> None:
    data = path.read_bytes()
    unfinished = _unfinished_film(path.parent)
    path.write_bytes(data)
    found = unfinished.progress()
    assert (found.segments, found.frames) in ((0, 0), (1, 4))
    assert found.state is None or found.state["painted"].shape == (1, 3, 4, 4)


@cache
def _film_shots() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _unfinished_film(Path(folder))
        return (Path(folder) / "shots.json").read_bytes()


def _read_film_shots(path: Path) -> None:
    assert UnfinishedFilm(path.parent, {}).shots in (None, [9])


READERS = {
    "checkpoint": Reader(StyleGAN.load, lambda: [tiny_checkpoint()], (CheckpointError,)),
    "style": Reader(read_style, lambda: [_style()], (CheckpointError,)),
    "state": Reader(_read_state, lambda: [_state()], (CheckpointError, TrainingError, ValueError)),
    "vgg": Reader(
        LossNetwork,
        lambda: [save({"block1_conv1.bias": torch.ones(64)}), b"version https://git-lfs"],
        (CheckpointError,),
    ),
    "weights": Reader(read_state_dict, lambda: [_weights()], (ValueError,)),
    "header": Reader(read_metadata, lambda: [_style()[:2000]], (ValueError,)),
    "log": Reader(read_log, lambda: [b'{"step": 10, "total": 1.5}\n{"step": 20, "total": 1.25}\n'], ()),
    "recipe": Reader(
        lambda path: has_recipe(path.parent, {"options": {}}), lambda: [b'{"options": {}}'], (), "recipe.json"
    ),
    "key": Reader(_read_key, lambda: [_key()], (JudgeError,)),
    "answers": Reader(
        lambda path: read_answers(path, KEY),
        lambda: [b"sheet,row,answer\r\nS-1,1,l\r\nS-1,2,=\r\n", b"sheet;row;answer\r\nS-1;1;r\r\n"],
        (JudgeError,),
    ),
    "manifest": Reader(
        lambda path: Results(path.parent).digest("a"),
        lambda: [b'{"job": "a", "status": "done", "digest": "0f"}\n{"job": "b", "status": "failed"}\n'],
        (CommandError,),
        MANIFEST,
    ),
    "table": Reader(_catalogue, lambda: [_csv()], (CommandError,), "c.csv"),
    "catalogue": Reader(_catalogue, lambda: [_rows()], (CommandError,), "c.json"),
    "split": Reader(
        lambda path: read_split_file(path, Path("art")),
        lambda: [b'{"art": {"train": ["art/a.jpg"], "val": []}}'],
        (ValueError,),
    ),
    "workflow": Reader(read_workflow, _workflows, (CommandError,), "w.json"),
    "picture": Reader(
        read_picture,
        lambda: [_picture(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF")],
        (PictureError,),
    ),
    "painting": Reader(
        _read_painting,
        lambda: [_painting(ending) for ending in (".png", ".jpg", ".webp", ".tif")],
        (PictureError,),
    ),
    "thumbnail": Reader(_read_thumbnail, lambda: [_thumbnail()], (CheckpointError,)),
    "film": Reader(
        _read_film,
        lambda: [_film("mp4", "libx264"), _film("matroska", "libx264"), _film("avi", "mpeg4")],
        (FilmError,),
        "a.mp4",
    ),
    "film_shots": Reader(_read_film_shots, lambda: [_film_shots()], (), "shots.json"),
    "film_state": Reader(_read_film_state, lambda: [_film_state()], (), "state.safetensors"),
}
