"""A run on disk: its log, validation, best and last weights, and the way back into it."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from ...base.counts import counted
from ...base.files import write_atomically
from ...models.devices import own_defaults
from ...models.style_file import StyleFile, read_style, write_style
from ...models.style_gan import StyleGAN
from ...pictures.tensors import as_picture, load_square
from ..painter import fit_to_codes, mean_code
from ..processes import Processes
from ..trainer import Diverged, Trainer, TrainingError
from ..validation import Scores, Validation, spread
from .files import PREVIEW_FILE, SHEET_FILE
from .log import RunLog, log_interval
from .record import header_thumbnail, picture_records, training_record
from .resume import RunProgress
from .spec import RunSpec
from .style_sheet import style_sheet


@dataclass(frozen=True)
class RunOutcome:
    """How `Run.train` ended: 'done', 'stopped', 'early' or 'diverged', and a sentence on it."""

    reason: str
    sentence: str


class Run:
    """Drives a `Trainer`, validates it and keeps the best.

    run = open_run(RunSpec(options, photos, paintings, RunFiles.in_folder(out), gan))
    outcome = run.train()
    gan, code = run.finish()
    """

    @own_defaults()
    def __init__(self, trainer: Trainer, spec: RunSpec, log_every: int | None = None):
        """`trainer` trains on the pictures of `spec`.

        It writes a line of the log every `log_every` steps, by default `log_interval`. Without validation
        pictures, training pictures replace them.
        """
        self.trainer, self.files, self.name, self.licence = trainer, spec.files, spec.name, spec.licence
        self.photos = spec.photos.val or trainer.photos
        self.paintings = spec.paintings.val or trainer.paintings
        self.save_minutes, self.preview_every = spec.save_minutes, spec.preview_every
        self.log_every = log_interval(spec.options.steps) if log_every is None else log_every
        self.writes = trainer.processes.rank == 0
        self.progress = RunProgress({}, {}, [])
        self.log = RunLog(self.files.log, self.writes)
        mode = spec.options.mode
        self.style_only = mode == "style_code"

        # The pictures of the score. The learned style stands for all the paintings. A score on the few
        # held-out ones alone would measure how they differ from the rest.
        collection = [] if mode == "from_scratch" else [*spec.paintings.val, *trainer.paintings]
        single = [] if self.style_only else self.paintings
        self.validation = Validation(
            self.photos, single, collection, trainer.loss_network, spec.options, trainer.device
        )
        self._photo_records = picture_records(spec.photos.part("train"))
        self._painting_records = picture_records(spec.paintings.part("train"))
        if self.writes:
            self.files.folder.mkdir(parents=True, exist_ok=True)
            self.files.check()

    @own_defaults()
    def resume(self) -> None:
        """Go on from the files. Raises CheckpointError or TrainingError, one sentence, if it cannot."""
        self.progress = RunProgress.read(self.trainer.load_state(self.files.state))
        self.log.resume(self.trainer.step)

    # -- training ------------------------------------------------------------------------------

    @own_defaults()
    def train(
        self,
        on_step: Callable[[int, dict[str, float]], None] = lambda step, values: None,
        stop: Callable[[], bool] = lambda: False,
        on_preview: Callable[[int, Image.Image], None] = lambda step, image: None,
    ) -> RunOutcome:
        """Train to the last step, until `stop()`, or until it no longer helps. Saves in any case."""
        trainer, options = self.trainer, self.trainer.options

        # The score before the first step is the one to beat.
        if not self.progress.scores:
            self.log.begin()
            self._validate()
        saved = logged = time.monotonic()
        outcome = self._ended()
        while outcome is None:
            if self._all_stop(stop):
                outcome = RunOutcome("stopped", f"Stopped at step {trainer.step} of {options.steps}.")
                break

            # One step. Its errors leave the weights as they were.
            try:
                values = trainer.train_step()
            except Diverged as error:
                outcome = RunOutcome("diverged", str(error))
                break
            except TrainingError:
                self.save()  # Out of memory with nothing left to halve: the step has changed nothing yet.
                raise

            # Log, validate, show and save, each when it is due.
            self.progress.count(values)
            on_step(trainer.step, values)
            if trainer.step % self.log_every == 0:
                rate = self.log_every / (time.monotonic() - logged)
                self.log.add(trainer.step, rate, self.progress.take_means())
                logged = time.monotonic()
            if self._is_due(options.validate_every):
                self._validate()
            if self._is_due(self.preview_every or options.validate_every) and self.writes:
                on_preview(trainer.step, self.preview())
            if time.monotonic() - saved > self.save_minutes * 60:
                self.save()
                saved = time.monotonic()
            outcome = self._ended()
        self.save()
        return outcome

    def _is_due(self, every: int) -> bool:
        return self.trainer.step % every == 0 or self.trainer.step >= self.trainer.options.steps

    def _ended(self) -> RunOutcome | None:
        step, options = self.trainer.step, self.trainer.options
        if step >= options.steps:
            return RunOutcome("done", f"Trained {counted(step, 'step')}.")
        if options.patience and self.progress.worse >= options.patience:
            sentence = (
                f"Stopped at step {step}: the validation score was best at step {self.progress.best_step}."
            )
            return RunOutcome("early", sentence)
        return None

    def _all_stop(self, stop: Callable[[], bool]) -> bool:
        """Whether any of the processes is asked to stop: they must agree, or the others wait forever."""
        asked = torch.tensor([float(stop())], device=self.trainer.device)
        self.trainer.processes.sum_([asked])
        return bool(asked.item())

    # -- validation ----------------------------------------------------------------------------

    def _validate(self) -> None:
        """Score the average weights; keep them if they are the best so far."""
        # One process scores for all: whether to stop early has to be the same everywhere.
        own = (
            astuple(self.validation.score(self.trainer.ema)) if self.writes else (0.0,) * len(fields(Scores))
        )
        scores = Scores(*self.trainer.processes.first(own))
        progress, step = self.progress, self.trainer.step
        best = min((s["total"] for s in progress.scores if math.isfinite(s["total"])), default=math.inf)
        progress.scores.append({"step": step, **scores.as_dict()})
        if scores.as_dict()["total"] < best or progress.best_step is None:
            progress.best_step, progress.worse = step, 0
            if self.writes:
                self._write_best(scores)
        else:
            progress.worse += 1

    def _write_best(self, scores: Scores) -> None:
        painter = self.trainer.ema
        if not self.style_only:
            self._write_network(self.files.best)
        if painter.code is not None:
            self._write_style(painter.gan, painter.code)

    # -- files ---------------------------------------------------------------------------------

    def save(self) -> None:
        """State and last weights of this moment; from scratch also a sheet."""
        if self.writes:
            # The lines of the log first: a resumed run logs only what came after the state.
            self.log.sync()
            self.trainer.save_state(self.files.state, asdict(self.progress))
            if not self.style_only:
                self._write_network(self.files.last)
            if self.trainer.options.mode == "from_scratch":
                photos, paintings = spread(self.photos, 4), spread(self.paintings, 6)
                sheet = style_sheet(self.trainer.ema.gan, photos, paintings, 256)
                self._write_picture(SHEET_FILE.format(self.trainer.step), sheet)

    def preview(self) -> Image.Image:
        """Photo, painting and result of the first validation pair, side by side; also written to a file."""
        strip = self.strip(256)
        self._write_picture(PREVIEW_FILE.format(self.trainer.step), strip)
        return strip

    @torch.no_grad()
    def strip(self, side: int) -> Image.Image:
        """[3*side, side] pixels: the first validation photo, painting, and the one painted like the other."""
        painter, device = self.trainer.ema, self.trainer.device
        photo, painting = (load_square(p[0], side).to(device) for p in (self.photos, self.paintings))
        learned = painter.code if self.style_only else None
        code = painter.gan.encode_style(painting) if learned is None else learned
        result = painter.gan.generate(painter.gan.encode_content(photo), code)
        return as_picture(torch.cat([photo, painting, result], 3)[0])

    def _write_picture(self, name: str, picture: Image.Image) -> None:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=90)
        write_atomically(self.files.folder / name, buffer.getvalue())

    def _write_network(self, path: Path) -> None:
        gan = self.trainer.ema.gan
        gan.training_record = self.record()
        gan.save(path, extra={"thumbnail": header_thumbnail(self.strip(160))})

    def _write_style(self, gan: StyleGAN, code: torch.Tensor) -> None:
        with torch.no_grad():
            photo = load_square(self.photos[0], 160).to(self.trainer.device)
            thumbnail = as_picture(gan.generate(gan.encode_content(photo), code)[0])
        name = self.name or self.files.style.stem
        write_style(self.files.style, StyleFile.made_by(gan, code, name, thumbnail, licence=self.licence))

    def record(self) -> dict[str, Any]:
        """What the checkpoint's header says about the training."""
        options = self.trainer.options
        pictures = self._photo_records, self._painting_records
        record = training_record(options.as_dict(), *pictures, self.trainer.ancestor, self.licence)
        step = self.trainer.step
        return record | {
            "name": self.name,
            "steps": step,
            "samples": step * options.batch_size,
            "validation": self.progress.scores[-1:],
        }

    @own_defaults()
    def finish(self, say: Callable[[str], None] = lambda text: None) -> tuple[StyleGAN, torch.Tensor]:
        """The best network and the learned style [1,L,D], as they are on disk.

        From scratch, the style space and the colours of the best and of the last network are first fitted to
        the training paintings, and the style is their mean. If only a style was learned, the network is the
        one that the run began with.
        """
        if self.trainer.options.mode == "from_scratch":
            # Both networks get one: the score knows content and style only. If the discriminator or plain
            # grounds were the aim of a run, the last network is the one to use.
            self._fit_to_codes(self.files.last, say)
            best = self._fit_to_codes(self.files.best, say)
            self._write_style(best, mean_code(best, self.trainer.paintings))
        gan = self.trainer.ema.gan if self.style_only else StyleGAN.load(self.files.best)
        return gan, read_style(self.files.style).code[None]

    def _fit_to_codes(self, file: Path, say: Callable[[str], None]) -> StyleGAN:
        """Fit the style space and the colours of the network in `file` to the training paintings; the network
        as written."""
        paintings = self.trainer.paintings
        say(f"encoding {counted(len(paintings), 'painting')} for the style space of {file.name}")
        network = StyleGAN.load(file).to(self.trainer.device)
        fit_to_codes(network, paintings)
        network.save(file, extra={"thumbnail": header_thumbnail(self.strip(160))})
        return network


def open_run(
    spec: RunSpec,
    device: torch.device | str = "cpu",
    say: Callable[[str], None] = lambda text: None,
    processes: Processes | None = None,
) -> Run:
    """A run ready to train, new or resumed as `spec` says; further arguments go to the `Trainer`.

    Raises CheckpointError or TrainingError, one sentence, if it cannot begin, and OSError if its files cannot
    be where they should.
    """
    photos, paintings = spec.photos.train, spec.paintings.train
    trainer = Trainer(spec.options, photos, paintings, spec.config, device, say, spec.start, processes)
    run = Run(trainer, spec)
    if spec.resume:
        run.resume()
        say(f"going on from step {trainer.step}")
    return run
