"""A film that is not painted to its end yet: its finished segments, in a hidden folder beside the result."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from torch import Tensor

from ...base.files import sha256_of, sync_file, write_atomically
from ...base.locks import HeldError, held
from ...base.temporary import hidden_beside
from ...base.text_files import read_json
from ...models.tensor_file import UNREADABLE, decode_texts, read_tensors
from ..errors import FilmError

_SHOTS, _STATE, _SEGMENT = "shots.json", "state.safetensors", ".mp4"


@dataclass(frozen=True, eq=False)
class FilmProgress:
    """How far it is: finished segments, their frames, and what the next frame of the shot needs."""

    segments: int = 0
    frames: int = 0
    state: Mapping[str, Tensor] | None = None


@contextmanager
def unfinished_film(target: Path, settings: Mapping[str, object]) -> Iterator[UnfinishedFilm]:
    """What `target` will be made of, for this process alone; after an error it stays for the next one.

    Raises FilmError, one sentence, while another process paints it, and OSError.
    """
    folder = hidden_beside(target, "unfinished")
    with ExitStack() as owner:
        try:
            # Beside the folder, which goes away while the lock is held: nobody can begin in it meanwhile.
            owner.enter_context(held(hidden_beside(target, "unfinished.lock")))
        except HeldError as error:
            raise FilmError(
                f"{target} is being painted by {error}; wait until it has ended, or choose another place."
            ) from error
        folder.mkdir(exist_ok=True)
        yield UnfinishedFilm(folder, settings)
        shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished(target: Path) -> None:
    """Remove what is left of `target`, which is whole, unless another process paints it."""
    folder, lock = hidden_beside(target, "unfinished"), hidden_beside(target, "unfinished.lock")
    if folder.exists() or lock.exists():
        with suppress(HeldError, OSError), held(lock):
            shutil.rmtree(folder, ignore_errors=True)


class UnfinishedFilm:
    """The folder of what a film will be made of. What other `settings` have left there goes away."""

    def __init__(self, folder: Path, settings: Mapping[str, object]):
        self._folder = folder
        self._settings = json.loads(json.dumps(settings))
        self._digests: list[str] = []  # of the segments that are whole
        if self._read_shots() is None:
            self._keep_only(())

    @property
    def shots(self) -> list[int] | None:
        """The numbers of frames of the film's shots; None while nobody knows."""
        return self._read_shots()

    def keep_shots(self, shots: Sequence[int]) -> None:
        known = {"settings": self._settings, "shots": list(shots)}
        text = json.dumps(known | {"digest": _digest(known)})
        write_atomically(self._folder / _SHOTS, text.encode())

    def progress(self) -> FilmProgress:
        """What is whole. What was begun after that goes away.

        Files that are not what `keep_progress` left, whatever is in them, are as good as none.
        """
        found = self._read_progress()
        self._keep_only((_SHOTS, _STATE, *(path.name for path in self.segments(found.segments))))
        return found

    def segment(self, number: int) -> Path:
        return self._folder / f"{number:06}{_SEGMENT}"

    def segments(self, count: int) -> list[Path]:
        return [self.segment(number) for number in range(count)]

    def keep_progress(self, progress: FilmProgress) -> None:
        """Call it when the last segment is whole; what was kept before is replaced."""
        # After a power cut, a state without its segment would be of no use.
        sync_file(self.segment(progress.segments - 1))
        self._digests += [
            sha256_of(self.segment(number)) for number in range(len(self._digests), progress.segments)
        ]
        tensors = {name: each.detach().cpu().contiguous() for name, each in (progress.state or {}).items()}
        facts = {"segments": self._digests, "frames": progress.frames}
        texts = {name: json.dumps(each) for name, each in facts.items()}
        texts["digest"] = json.dumps(_digest(facts, tensors))
        write_atomically(self._folder / _STATE, safetensors.torch.save(tensors, texts))

    def _keep_only(self, names: Collection[str]) -> None:
        """Remove all other files."""
        for path in self._folder.iterdir():
            if path.name not in names:
                path.unlink()

    def _read_shots(self) -> list[int] | None:
        try:
            known = read_json(self._folder / _SHOTS)
            # With other shots the film would end too early, or in an error each time.
            digest = known.pop("digest")
            settings, shots = known["settings"], known["shots"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return shots if settings == self._settings and digest == _digest(known) else None

    def _read_progress(self) -> FilmProgress:
        try:
            state, texts = read_tensors(self._folder / _STATE)
            facts = decode_texts(texts)
            # A state of other shapes or values would end in an error, or in a film that nobody wants.
            if facts.pop("digest") != _digest(facts, state):
                return FilmProgress()
            digests, frames = facts["segments"], facts["frames"]
            for number, digest in enumerate(digests):
                if sha256_of(self.segment(number)) != digest:
                    return FilmProgress()
        except (*UNREADABLE, KeyError, TypeError):
            return FilmProgress()
        self._digests = digests
        return FilmProgress(len(digests), frames, state or None)


def _digest(facts: Mapping[str, object], tensors: Mapping[str, Tensor] | None = None) -> str:
    """Of facts, and of the names, shapes, types and values of tensors."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(safetensors.torch.save(dict(tensors or {})))
    return digest.hexdigest()
