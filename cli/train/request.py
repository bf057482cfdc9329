"""The typed request to `brushwork train`; only this leaves the parser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...models.style_file import LONGEST_TEXT
from ...training.options import DEFAULT_MODE, TrainOptions
from ...training.runs.files import RunFiles
from ..results import check_folder, check_writable, lies_among


@dataclass(frozen=True)
class TrainRequest:
    """The arguments of one `brushwork train`; an argument that was not given is None."""

    style: Path
    out: Path
    content: Path | None = None
    split: Path | None = None
    init: Path | None = None
    resume: bool = False
    dry_run: bool = False
    name: str | None = None
    licence: str | None = None
    save_minutes: float = 5.0
    preview_every: int = 0
    tensorboard: bool = False
    device: str = "auto"
    devices: int | None = None
    num_nodes: int | None = None
    accelerator: str = "auto"
    strategy: str = "ddp"
    changes: Mapping[str, object] = field(default_factory=dict)
    """The options of `TrainOptions` that were given, by name."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """The weights of the losses that were given, by name."""

    @property
    def files(self) -> RunFiles:
        """The files that the run writes."""
        return RunFiles.in_folder(self.out)

    def options(self) -> TrainOptions:
        """The options of a new run, or those of the run to resume with the given ones changed.

        Raises ValueError or CommandError, one sentence, also for options that exclude each other.
        """
        self._check()
        if not self.resume:
            changes = dict(self.changes)
            mode = str(changes.pop("mode", DEFAULT_MODE))
            return TrainOptions.for_mode(mode, self.weights, **changes)
        from ...training.runs.resume import resume_options

        kept = asdict(resume_options(self.files.state, {}).weights)
        return resume_options(self.files.state, {**self.changes, "weights": {**kept, **self.weights}})

    def check_place(self) -> None:
        """Raise CommandError or ValueError, one sentence, or NoFileError if the run cannot be in the folder
        `out`."""
        check_folder(self.out, "--out")
        check_writable(self.out, "--out")
        for option, folder in (("--style", self.style), ("--content", self.content)):
            # A run of before may go on where it is.
            if not self.resume and folder is not None and lies_among(self.out, folder):
                raise ValueError(
                    f"--out {self.out} is in the folder of {option}, where the pictures of the run would be "
                    "taken for some to train on; name another place."
                )
        self.files.check()
        if not self.resume and self.files.state.exists():
            raise ValueError(f"{self.out} holds a run already; add --resume, or name another folder.")

    def _check(self) -> None:
        self.check_place()
        if self.split is not None and not self.split.is_file():
            raise ValueError(f"--split {self.split}: there is no such file; name one that is there.")
        # The style file would refuse them when it is saved, after minutes of training.
        for flag, text in (("--name", self.name), ("--licence", self.licence)):
            if text is not None and len(text) > LONGEST_TEXT:
                raise ValueError(f"{flag} has {len(text)} characters; give at most {LONGEST_TEXT}.")
        for flag, value in (("--save-minutes", self.save_minutes), ("--preview-every", self.preview_every)):
            if not value >= 0:
                raise ValueError(f"{flag} is {value:g}; give 0 or more.")
