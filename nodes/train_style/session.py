"""A training inside ComfyUI: its files, what it shows meanwhile, and clean-up of everything else."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ...base.duration import duration
from ...base.files import safe_file_name
from ...base.system_errors import system_sentence
from ...base.tensor_header import SAFETENSORS
from ...dataset.collection import PictureSet
from ...models.checkpoint import CheckpointError
from ...models.memory import out_of_memory_as
from ...models.style_gan import StyleGAN
from ...training.options import TrainOptions
from ...training.runs.files import RECIPE_FILE, RunFiles
from ...training.runs.owner import OwnedError, owned
from ...training.runs.progress_sheet import run_sheet, total_loss
from ...training.runs.recipe import has_recipe, recipe, write_recipe
from ...training.runs.run import Run, open_run
from ...training.runs.spec import RunSpec
from ...training.trainer import TrainingError
from ..bridge import api
from ..bridge.progress import StepProgress, notify, show_text

logger = logging.getLogger(__name__)

RUNS_FOLDER = "brushwork_training"
_SAVE_MINUTES = 0.5
_LOG_SECONDS = 30


@dataclass(frozen=True)
class TrainTask:
    """Everything that a training needs to know."""

    options: TrainOptions
    photos: PictureSet
    paintings: PictureSet
    gan: StyleGAN
    """It stays as it is. From scratch, only its shape is used."""
    save_name: str
    resume: bool = True
    licence: str = ""
    preview_every: int = 0


@dataclass(frozen=True)
class TrainResult:
    """The result of a training, all on the CPU; no tensor comes from inference mode."""

    gan: StyleGAN
    """The best network; the task's own where only a style was learned."""
    code: Tensor
    """[1,L,D]"""
    losses: list[float]
    """The total loss over time, finite."""
    sheet: Image.Image
    name: str
    """The name of the files."""


@dataclass(frozen=True)
class Place:
    """The files of a run, and whether there is a state to go on from."""

    name: str
    files: RunFiles
    started: bool


def train(task: TrainTask) -> TrainResult:
    """Train, showing bar, text and previews on the running node.

    It may be called in inference mode. If the user cancels, everything is saved before ComfyUI's own
    exception is raised. Raises ValueError, one sentence, for every other failure.
    """
    device = api.device()
    progress = StepProgress(task.options.steps)
    if device.type != "cpu":
        api.unload_all()
    with _training_mode(device):
        # Raise here and not inside: the traceback would keep the trainer and its memory alive.
        result = _try_to_train(task, device, progress)
    gc.collect()
    api.empty_cache()
    if isinstance(result, str):
        raise ValueError(result)
    if result is None:
        progress.cancel()
    progress.show_result(result.sheet)
    return result


def find_place(save_name: str, wanted: dict[str, Any], resume: bool) -> Place:
    """The first of NAME, NAME_2, NAME_3, … that is free, or, with `resume`, holds the run of this recipe.

    So no files are overwritten, and changed pictures or options begin a new run.
    Raises ValueError for a name that cannot be used.
    """
    stem = file_stem(save_name)
    number, name = 1, stem
    while True:
        files = run_files(name)
        if not any(path.exists() for path in (files.folder, files.best, files.last, files.style)):
            return Place(name, files, started=False)
        if resume and has_recipe(files.folder, wanted):
            return Place(name, files, _can_go_on(files, wanted["options"]["mode"]))
        number += 1
        name = f"{stem}_{number}"


def take_place(save_name: str, wanted: dict[str, Any], resume: bool, owner: ExitStack) -> Place:
    """The place as `find_place` says, owned until `owner` is closed, and marked with the recipe.

    Raises OwnedError, one sentence, if the run of this recipe is being trained already.
    """
    while True:
        place = find_place(save_name, wanted, resume)
        folder = place.files.folder
        known = has_recipe(folder, wanted)
        try:
            owner.enter_context(owned(folder))
        except OwnedError:
            if known:
                raise
            continue  # Another run took the free name a moment ago.
        if not known and (folder / RECIPE_FILE).exists():
            owner.close()
            continue
        # From here on the files belong to this run: the recipe tells the next queueing so.
        write_recipe(folder, wanted)
        return place


def _can_go_on(files: RunFiles, mode: str) -> bool:
    """Whether there is a state, and the best network or style that belongs to it: users delete files."""
    needed = [files.state]
    needed += [] if mode == "style_code" else [files.best]
    needed += [] if mode == "from_scratch" else [files.style]
    return all(path.exists() for path in needed)


def file_stem(save_name: str) -> str:
    """`save_name` as a file name without an ending. Raises ValueError if nothing of it is left."""
    name = save_name.strip().removesuffix(SAFETENSORS)
    if not name.strip("./\\ "):
        raise ValueError(f"save_name is '{save_name}'; give a name, for instance 'my style'.")
    return safe_file_name(name)


def run_files(name: str) -> RunFiles:
    """State, log and previews below ComfyUI's output folder; networks and style in its model folders."""
    models, styles = api.model_folder(api.MODEL_FOLDER), api.model_folder(api.STYLE_FOLDER)
    return RunFiles(
        api.output_folder() / RUNS_FOLDER / name,
        models / f"{name}{SAFETENSORS}",
        models / f"{name}_last{SAFETENSORS}",
        styles / f"{name}{SAFETENSORS}",
    )


@contextmanager
def _training_mode(device: torch.device) -> Iterator[None]:
    """Gradients on, even if ComfyUI has switched them off; restores the global random numbers at the end."""
    devices = [device] if device.type == "cuda" else []
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices):
        yield


def _try_to_train(task: TrainTask, device: torch.device, progress: StepProgress) -> TrainResult | str | None:
    """The result; a sentence if it failed, None if it was cancelled."""
    # Find a run to go on with, or begin a new one.
    start = None if task.options.mode == "from_scratch" else task.gan
    wanted = recipe(task.options, task.photos, task.paintings, start)
    display = NodeDisplay(progress, task.options.steps)
    with ExitStack() as owner:
        try:
            place = take_place(task.save_name, wanted, task.resume, owner)
            return _train_at(place, task, start, device, display)
        except (TrainingError, CheckpointError) as error:
            return str(error)
        except OSError as error:
            return (
                f"A file cannot be read or written: {system_sentence(error)} "
                "Then press Run again with resume on: the run goes on from its last save."
            )


def _train_at(
    place: Place, task: TrainTask, start: StyleGAN | None, device: torch.device, display: NodeDisplay
) -> TrainResult | None:
    """Train at a place that this process owns; None if it was cancelled."""
    if place.name != file_stem(task.save_name):
        display.say(f"the name '{task.save_name}' is taken by another run; this one is called {place.name}")

    for path in (place.files.best, place.files.style):
        path.parent.mkdir(parents=True, exist_ok=True)
    spec = RunSpec(
        task.options,
        task.photos,
        task.paintings,
        place.files,
        start,
        task.gan.config,
        resume=place.started,
        name=place.name,
        licence=task.licence,
        save_minutes=_SAVE_MINUTES,
        preview_every=task.preview_every,
    )
    too_large = "Memory ran out; give a smaller resolution or batch_size, or close other programs."
    with out_of_memory_as(TrainingError, too_large):
        return _drive(open_run(spec, device, display.say), task, display)


def _drive(run: Run, task: TrainTask, display: NodeDisplay) -> TrainResult | None:
    """Train and finish; None if it was cancelled."""
    if run.trainer.step == 0:
        display.preview(0, run.preview())
    outcome = run.train(display.step, display.cancelled, display.preview)
    if outcome.reason == "stopped":
        sentence = f"{outcome.sentence} Everything is saved. To go on, press Run again with resume on."
        display.say(sentence)
        notify(sentence)
        return None
    display.say(outcome.sentence)
    gan, code = run.finish(display.say)
    warning = outcome.sentence if outcome.reason in ("early", "diverged") else ""
    if warning:
        logger.warning("Brushwork: %s The best weights are kept.", warning)
    sheet = run_sheet(run, _title(run, task), warning)
    learned = task.options.mode == "style_code"
    return TrainResult(task.gan if learned else gan, code.cpu(), loss_curve(run), sheet, run.name)


def _title(run: Run, task: TrainTask) -> str:
    mode = task.options.mode.replace("_", " ")
    return f"{run.name}: {mode}, {run.trainer.step} steps, {task.paintings.describe('paintings')}"


def loss_curve(run: Run) -> list[float]:
    """The total loss, smoothed; for a run too short for two lines of the log, the validations' scores."""
    return total_loss(run.history if len(run.history) > 1 else run.progress.scores)


class NodeDisplay:
    """Shows a run on the node and in ComfyUI's log."""

    def __init__(self, progress: StepProgress, steps: int):
        self.progress, self.steps = progress, steps
        # The first step, which is slow, and its time.
        self._first: tuple[int, float] | None = None
        self._status = ""
        self._said = ""
        self._logged = time.monotonic()

    def say(self, text: str) -> None:
        """Show a message of the trainer; it stays under the node until the next one."""
        self._said = text
        logger.info("Brushwork: %s", text)
        show_text(self._text())

    def step(self, step: int, values: dict[str, float]) -> None:
        """After every step."""
        now = time.monotonic()
        self._first = self._first or (step, now)
        self._status = status(step, self.steps, self._rate(step, now), values["total"])
        self.progress.show(step, self._text())
        if now - self._logged > _LOG_SECONDS:
            self._logged = now
            logger.info("Brushwork: %s", self._status)

    def preview(self, step: int, picture: Image.Image) -> None:
        """Show a picture."""
        self.progress.show(step, self._text(), picture)

    def cancelled(self) -> bool:
        """Whether the user pressed cancel."""
        return self.progress.cancelled or api.is_interrupted()

    def _rate(self, step: int, now: float) -> float:
        """Steps a second since the first step; 0 if not known."""
        first, then = self._first or (step, now)
        return (step - first) / (now - then) if step > first and now > then else 0.0

    def _text(self) -> str:
        # Two spaces: pages with Nodes 2.0 read it as Markdown, which joins lines without them.
        return "  \n".join(text for text in (self._status, self._said) if text)


def status(step: int, steps: int, rate: float, loss: float) -> str:
    """How far, how fast, how long still, and how well.

    >>> status(120, 500, 1.3, 2.3456)
    'step 120 of 500, 1.3 steps/s, 4 min 52 s left, loss 2.346'
    """
    parts = [f"step {step} of {steps}"]
    if rate > 0:
        parts += [f"{rate:.1f} steps/s" if rate >= 1 else f"{1 / rate:.1f} s/step"]
        parts += [f"{duration((steps - step) / rate)} left"]
    return ", ".join([*parts, f"loss {loss:.4g}"])
