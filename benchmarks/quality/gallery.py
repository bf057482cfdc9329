"""Pictures that the systems paint at one size, with their scores; what is on disk is not painted again."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from benchmarks.peers import System
from benchmarks.pictures import load_picture, rounded
from benchmarks.quality.pairs import Pair
from benchmarks.quality.results_cache import Record, ResultsCache
from benchmarks.quality.scoring import Judge, Seen
from brushwork.base.files import write_atomically
from brushwork.models.perception.vgg import STYLE_LAYERS
from brushwork.pictures.tensors import as_picture, as_tensor


class Gallery:
    """`size` is the shorter side in pixels that photos and paintings are brought to."""

    def __init__(self, folder: Path, size: int, judge: Judge, device: str):
        self.cache, self.size, self.judge, self.device = ResultsCache(folder), size, judge, device
        self._scored_as = f"{size}-{judge.identity}"
        self._last: dict[str, tuple[tuple[Path, int], Tensor]] = {}

    def load(self, path: Path, shorter: int | None = None) -> Tensor:
        """A file as [1,3,H,W] in 0..1, shorter side `size` or `shorter`; a folder's last stays loaded."""
        key = (path, shorter or self.size)
        kind = path.parent.name
        if self._last.get(kind, (None,))[0] != key:
            self._last[kind] = key, load_picture(*key).to(self.device)
        return self._last[kind][1]

    def remember(
        self, system: System, kind: str, files: Sequence[Path], compute: Callable[[], Record]
    ) -> Record:
        """A measurement of a system on `files`, from disk if it is there."""
        return self.cache.remember(_owner(system), f"{kind}-{self._scored_as}", files, compute)

    def picture(self, system: System, pair: Pair, keep: bool = False) -> Tensor:
        """What the system paints, rounded to 8 bits: [1,3,H,W] in 0..1; with `keep` its file stays."""
        file = self.picture_file(system, pair)
        if file.is_file():
            with Image.open(file) as kept:
                return as_tensor(kept.convert("RGB")).to(self.device)
        painted = rounded(system.paint(self.load(pair.content), self.load(pair.style)))
        if keep:
            data = io.BytesIO()
            as_picture(painted).save(data, "PNG")
            write_atomically(file, data.getvalue())
        return painted

    def picture_file(self, system: System, pair: Pair) -> Path:
        """Where `picture` keeps it."""
        path = self.cache.path(_owner(system), f"pictures-{self.size}", pair)
        return path.with_name(f"{path.name}.png")

    def scored(self, system: System, pair: Pair, keep: bool = False) -> Record:
        """Scores by name, and features by extractor, of what the system paints."""
        if keep:
            self.picture(system, pair, keep=True)

        def compute() -> Record:
            content, style = self.load(pair.content), self.load(pair.style)
            scores, seen = self.judge.examine(self.picture(system, pair), content, style, pair)
            return Record(scores, seen.features)

        return self.remember(system, "scores", pair, compute)

    @torch.inference_mode()
    def painting(self, path: Path) -> Record:
        """Features by extractor and moments by layer of a real painting."""
        kind = f"looks-{self._scored_as}"
        return self.cache.remember(
            "paintings", kind, [path], lambda: described(self.judge.look(self.load(path)))
        )


def described(seen: Seen) -> Record:
    """What is kept of a picture that has no photo or no painting beside it."""
    return Record(tensors={**seen.features, **{name: seen.moments[name] for name in STYLE_LAYERS}})


def moments(record: Record) -> dict[str, Tensor]:
    """The moments [1,2,C] by layer that `described` put in."""
    return {name: record.tensors[name] for name in STYLE_LAYERS}


def _owner(system: System) -> str:
    return f"{system.name}-{system.identity}"
