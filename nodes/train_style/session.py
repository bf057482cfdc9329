"""A training inside ComfyUI: from the task to the result, and clean-up of everything else."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from ...base.counts import counted
from ...base.system_errors import system_sentence
from ...dataset.collection import PictureSet
from ...models.checkpoint import CheckpointError
from ...models.memory import out_of_memory_as
from ...models.style_gan import StyleGAN
from ...training.options import TrainOptions
from ...training.runs.progress_sheet import run_sheet, total_loss
from ...training.runs.recipe import recipe
from ...training.runs.run import Run, open_run
from ...training.runs.spec import RunSpec
from ...training.trainer import TrainingError
from ..bridge import api
from ..bridge.progress import StepProgress, notify
from .display import NodeDisplay
from .place import RunPlace, file_stem, take_place

logger = logging.getLogger(__name__)

_SAVE_MINUTES = 0.5


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
    place: RunPlace, task: TrainTask, start: StyleGAN | None, device: torch.device, display: NodeDisplay
) -> TrainResult | None:
    """Train at a place that this process owns; None if it was cancelled."""
    # The user learns of another name, and the folders of the files are made.
    if place.name != file_stem(task.save_name):
        display.say(f"the name '{task.save_name}' is taken by another run; this one is called {place.name}")
    for path in (place.files.best, place.files.style):
        path.parent.mkdir(parents=True, exist_ok=True)

    # Begin the run, or go on with it.
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
    return f"{run.name}: {mode}, {counted(run.trainer.step, 'step')}, {task.paintings.describe('painting')}"


def loss_curve(run: Run) -> list[float]:
    """The total loss, smoothed; for a run too short for two lines of the log, the validations' scores."""
    return total_loss(run.log.lines if len(run.log.lines) > 1 else run.progress.scores)
