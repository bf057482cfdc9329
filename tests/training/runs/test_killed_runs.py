"""Runs that are killed with -9: what is on disk is whole, and they go on in the very same bits."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from network_weights import equal
from picture_sets import picture_set
from slim_loss_network import slim_loss_networks
from small_run import SMALL, VALIDATION_SIDE
from tiny_network import TINY
from training_states import read_state

from brushwork.models.style_gan import StyleGAN
from brushwork.training import validation
from brushwork.training.options import TrainOptions
from brushwork.training.runs.files import STATE_FILE, RunFiles
from brushwork.training.runs.run import Run, open_run
from brushwork.training.runs.spec import RunSpec

pytestmark = pytest.mark.usefixtures("small_validation", "slim_loss_network")


def train_saving_every_step(
    photos: list[Path], paintings: list[Path], options: dict[str, object], out: Path
) -> None:
    """Train a tiny network in the folder `out`, or go on with it there."""
    # One of each to validate on: a run from scratch paints a sheet of all that there are at every save.
    sets = (picture_set(pictures[:2], pictures[2:]) for pictures in (photos, paintings))
    files = RunFiles.in_folder(out)
    again = files.state.exists()
    spec = RunSpec(TrainOptions.from_dict(options), *sets, files, None, TINY, again, save_minutes=0)
    open_run(spec).train()


def train_alone(*arguments: object) -> None:
    """`train_saving_every_step` in a process of its own: with one thread, which sums in the same order, and
    as small as this module's fixtures make it in the tests' own process."""
    torch.set_num_threads(1)
    validation.SIDE = VALIDATION_SIDE
    with slim_loss_networks():
        train_saving_every_step(*arguments)


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.BaseContext:
    """One import of PyTorch serves all processes that are killed, where processes can fork."""
    known = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in known else "spawn")
    context.set_forkserver_preload([Run.__module__])
    return context


def test_training_survives_sigkill(
    photos: list[Path],
    paintings: list[Path],
    processes: multiprocessing.context.BaseContext,
    tmp_path: Path,
) -> None:
    """Killed with -9 while it saves after every step, a run is resumed and ends in the very same bits."""
    options = replace(SMALL, steps=8, validate_every=4)

    torch.set_num_threads(1)  # Sums in the same order as in the other process.
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_saving_every_step(photos, paintings, options.as_dict(), whole)

    process = processes.Process(
        target=train_alone, args=(photos, paintings, options.as_dict(), cut), daemon=True
    )
    process.start()
    deadline = time.monotonic() + 120
    while not ((cut / STATE_FILE).exists() and read_state(cut / STATE_FILE)[1]["step"] >= 3):
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.join(60)
    assert read_state(cut / STATE_FILE)[1]["step"] < 8, "the run ended before it could be killed"
    StyleGAN.load(cut / "last.safetensors")
    StyleGAN.load(cut / "brushwork.safetensors")

    train_saving_every_step(photos, paintings, options.as_dict(), cut)
    expected, found = read_state(whole / STATE_FILE), read_state(cut / STATE_FILE)
    assert found[1]["step"] == 8
    assert equal(expected[0], found[0])
    for name in ("brushwork.safetensors", "last.safetensors"):
        one, other = (StyleGAN.load(folder / name).state_dict() for folder in (whole, cut))
        assert equal(one, other)


def overwrite_forever(path: Path) -> None:
    """What the killed processes do."""
    gan = StyleGAN.default()
    while True:
        gan.save(path)


def test_sigkill_in_the_middle_of_a_checkpoint_write_leaves_a_loadable_file(
    gan: StyleGAN, processes: multiprocessing.context.BaseContext, tmp_path: Path
) -> None:
    """A process that only overwrites a checkpoint is killed as soon as it is seen writing."""
    path = tmp_path / "mine.safetensors"
    gan.save(path)
    shipped = gan.state_dict()
    unfinished = 0
    for _ in range(4):
        process = processes.Process(target=overwrite_forever, args=(path,), daemon=True)
        process.start()
        deadline = time.monotonic() + 120
        while not (parts := list(tmp_path.glob(f".*.{process.pid}.part"))):
            assert process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.kill()
        process.join(60)
        loaded = StyleGAN.load(path).state_dict()
        assert all(loaded[name].shape == tensor.shape for name, tensor in shipped.items())
        unfinished += parts[0].exists()
    assert unfinished, "no kill fell into a write"
