"""From a request to `brushwork train` to a run: pictures, device, network."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import torch

from ...base.counts import counted
from ...dataset.collection import PictureSet, photos_and_paintings
from ...dataset.splits import SplitFileError
from ...models.devices import usable_device
from ...models.style_file import read_style, style_fingerprint
from ...models.style_gan import StyleGAN
from ...training.options import TrainOptions
from ...training.processes import Processes
from ...training.runs.files import LOCK_FILE
from ...training.runs.owner import owned
from ...training.runs.run import Run, open_run
from ...training.runs.spec import RunSpec
from ...training.runs.tensorboard_log import require_tensorboard
from ..errors import of_option
from .request import TrainRequest


def open_run_for(
    request: TrainRequest, processes: Processes, tell: Callable[[str], None], owner: ExitStack
) -> Run:
    """The requested run, new or resumed, owned by the first process until `owner` is closed.

    Raises ValueError or TrainingError, one sentence.
    """
    # If somebody has trained there, is it still going on? A new folder is made only when all else is checked.
    writes, trained_before = processes.rank == 0, (request.out / LOCK_FILE).exists()
    if writes and trained_before:
        owner.enter_context(owned(request.out))

    # Check options, pictures and device before anything slow happens.
    options = request.options()
    if writes and request.tensorboard:
        require_tensorboard()
    photos, paintings = pictures_for(request, options)
    device = device_for(request, processes)
    for kind, what in ((photos, "photo"), (paintings, "painting")):
        tell(kind.describe(what))

    # The network to begin with, and the names of the results.
    start = network_for(request, options)
    name, licence = _texts(request, start)
    spec = RunSpec(
        options,
        photos,
        paintings,
        request.files,
        start,
        resume=request.resume,
        name=name,
        licence=licence,
        save_minutes=request.save_minutes,
        preview_every=request.preview_every,
    )
    where = str(device) if processes.world == 1 else f"{processes.world} processes, {device.type}"
    tell(f"{options.mode}, {counted(options.steps, 'step')}, on {where}")
    if writes and not trained_before:
        owner.enter_context(owned(request.out))
        request.check_place()
    return open_run(spec, device, tell, processes)


def pictures_for(request: TrainRequest, options: TrainOptions) -> tuple[PictureSet, PictureSet]:
    """Photos and paintings. Raises ValueError or CommandError, one sentence, where there are none to train
    on."""
    with of_option("--split", SplitFileError):
        return photos_and_paintings(request.content, request.style, request.split, options.validation_share)


def device_for(request: TrainRequest, processes: Processes) -> torch.device:
    """The device of this process. Raises ValueError, one sentence, if it cannot be used."""
    if processes.device is not None:
        check_device_is_free(request)
        return processes.device
    if request.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return usable_device(request.device, "--device {} cannot be used here; give cpu, or leave it out.")


def check_device_is_free(request: TrainRequest) -> None:
    """Raise ValueError, one sentence, if --device names one although several processes have their own."""
    if request.device != "auto":
        raise ValueError(f"--device {request.device} is for one process; for several say --accelerator.")


def network_for(request: TrainRequest, options: TrainOptions) -> StyleGAN | None:
    """The network to begin with; for a resumed run, the network that the state fills.

    Raises ValueError, one sentence, if that network is needed and not given.
    """
    files = request.files
    if request.init:
        with of_option("--init"):
            return StyleGAN.load(request.init)
    if request.resume and files.best.exists():
        return StyleGAN.load(files.best)
    if options.mode == "from_scratch":
        return None
    default = StyleGAN.default()
    resumed_style = request.resume and files.style.exists()
    if resumed_style and read_style(files.style).encoder != style_fingerprint(default):
        raise ValueError(
            f"The run in {request.out} began with a network of yours; give it again with --init."
        )
    return default


def _texts(request: TrainRequest, start: StyleGAN | None) -> tuple[str, str]:
    """Name and licence note as given, or as the run to resume has them."""
    known = "", ""
    if request.resume and request.files.style.exists():
        style = read_style(request.files.style)
        known = style.name, style.licence
    elif request.resume and start is not None and start.training_record:
        known = start.training_record.get("name", ""), start.training_record.get("licence", "")
    name = known[0] if request.name is None else request.name
    return name, known[1] if request.licence is None else request.licence
