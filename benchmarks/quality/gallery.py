"""The pictures that the systems paint at one size, and their scores; the disk remembers both."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.peers import System
from benchmarks.quality.pairs import Pair
from benchmarks.quality.results_cache import Record, ResultsCache
from benchmarks.quality.scoring import Scorer
from brushwork.base.files import write_atomically
from brushwork.evaluation.observer import Observation
from brushwork.models.perception.vgg import STYLE_LAYERS
from brushwork.pictures.reading import read_picture
from brushwork.pictures.tensors import as_picture, as_tensor, load_picture, rounded


class Gallery:
    """`size` is the shorter side in pixels that photos and paintings are brought to."""

    def __init__(self, folder: Path, size: int, scorer: Scorer, device: str):
        self.cache, self.size, self.scorer, self.device = ResultsCache(folder), size, scorer, device
        self._scored_as = f"{size}-{scorer.identity}"
        self._last: dict[str, tuple[tuple[Path, int], Tensor]] = {}

    def load(self, path: Path, shorter: int | None = None) -> Tensor:
        """A file as [1,3,H,W] in 0..1, shorter side `size` or `shorter`; each folder's last stays loaded."""
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
        """The system's picture, rounded to 8 bits: [1,3,H,W] in 0..1; with `keep` its file stays."""
        file = self.picture_file(system, pair)
        if file.is_file():
            return as_tensor(read_picture(file)).to(self.device)
        painted = rounded(system.paint(self.load(pair.content), self.load(pair.style)))
        if keep:
            data = io.BytesIO()
            as_picture(painted).save(data, "PNG")
            write_atomically(file, data.getvalue())
        return painted

    def picture_file(self, system: System, pair: Pair) -> Path:
        """The path where `picture` keeps it."""
        path = self.cache.path(_owner(system), f"pictures-{self.size}", pair)
        return path.with_name(f"{path.name}.png")

    def scored(self, system: System, pair: Pair, keep: bool = False) -> Record:
        """Scores by name, and features by extractor, of the system's picture."""
        if keep:
            self.picture(system, pair, keep=True)

        def compute() -> Record:
            content, style = self.load(pair.content), self.load(pair.style)
            scores, seen = self.scorer.examine(self.picture(system, pair), content, style, pair)
            return Record(scores, features(seen))

        return self.remember(system, "scores", pair, compute)

    @torch.inference_mode()
    def painting(self, path: Path) -> Record:
        """Features by extractor and moments by layer of a real painting."""
        kind = f"looks-{self._scored_as}"
        return self.cache.remember(
            "paintings", kind, [path], lambda: described(self.scorer.look(self.load(path)))
        )


def features(seen: Observation) -> dict[str, Tensor]:
    """The features [D] of one picture, by extractor."""
    return {name: row[0] for name, row in seen.features.items()}


def described(seen: Observation) -> Record:
    """The record of a picture that has no photo or no painting beside it."""
    return Record(tensors={**features(seen), **{name: seen.moments[name] for name in STYLE_LAYERS}})


def moments(record: Record) -> dict[str, Tensor]:
    """The moments [1,2,C] by layer in a record of `described`."""
    return {name: record.tensors[name] for name in STYLE_LAYERS}


def _owner(system: System) -> str:
    return f"{system.name}-{system.identity}"
