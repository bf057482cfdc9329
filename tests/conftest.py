"""What all tests share: the shipped network and two pictures that ship with the workflows."""

from __future__ import annotations

import copy
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from forked_python import ForkedPython
from PIL import Image
from slim_loss_network import slim_loss_networks
from small_pictures import small_copies
from small_run import VALIDATION_SIDE
from torch import Tensor

import brushwork
from brushwork.models import StyleGAN
from brushwork.models.grid import GRID
from brushwork.training import options, validation
from brushwork.training.runs import plan

PACKAGE = Path(brushwork.__file__).resolve().parent

# `benchmarks` and `scripts` are packages of the repository and not of the wheel.
sys.path.append(str(Path(__file__).resolve().parents[1]))

TESTS = Path(__file__).parent

# These begin first, the longest at the head: a worker that begins a long file at the end works alone.
LONG_FILES = (
    "training/test_processes.py",
    "cli/paint/test_paint_ray.py",
    "painting/engines/test_ray_data.py",
    "cli/queue/test_queue_hostile.py",
    "painting/test_tuned_network.py",
    "painting/test_refine.py",
    "painting/films/test_paint_film.py",
    "painting/films/test_stopped_films.py",
    "training/runs/test_run.py",
    "training/test_trainer.py",
    "benchmarks/test_refine_benchmark.py",
    "nodes/test_any_image.py",
    "test_wheel.py",
    "nodes/test_other_devices.py",
    "painting/test_objective.py",
    "nodes/train_style/test_train_style_node.py",
    "nodes/refine_painting/test_refine_painting_node.py",
    "models/video/test_steady.py",
    "benchmarks/quality/test_quality.py",
    "scripts/test_default_weights.py",
    "training/test_training_modes.py",
    "training/test_training_trouble.py",
    "training/test_other_devices_step.py",
    "cli/paint/test_paint_results.py",
    "cli/paint/test_paint_options.py",
    "cli/train/test_train_command.py",
    "training/runs/test_killed_runs.py",
    "painting/test_stylizer.py",
    "nodes/test_paint_video_node.py",
    "evaluation/test_evaluate.py",
    "benchmarks/speed/test_speed.py",
    "training/test_step.py",
    "test_what_is_loaded.py",
)

# A shell lets what it starts in the background ignore Ctrl-C, and nohup that the terminal closes. So would
# every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

# More threads than this cost more in waiting than they save on pictures this small. The processes that tests
# start inherit the number. So do the workers of xdist, but each has its share of the cores: it chooses anew.
CHOSEN_HERE = "BRUSHWORK_TESTS_CHOSE_THREADS"
if "OMP_NUM_THREADS" not in os.environ or CHOSEN_HERE in os.environ:
    os.environ["OMP_NUM_THREADS"] = os.environ[CHOSEN_HERE] = str(max(1, min(4, CORES // PROCESSES)))
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

# Each of the dozens of processes that tests start would compile anew what it loads: Ray's cost seconds each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

HAS_ACCELERATOR = torch.cuda.is_available() or torch.backends.mps.is_available()

# pytest hangs its handlers on every logger that keeps its lines to itself, six times a test: PyTorch has
# dozens.
for logger in logging.root.manager.loggerDict.values():
    if isinstance(logger, logging.Logger) and logger.name.startswith("torch"):
        logger.propagate = True


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Folders are shared among processes; single files run in this one, which starts at once."""
    named = [Path(config.invocation_params.dir, argument.split("::")[0]) for argument in config.args]
    # Two more than cores: a third of the time, a test waits for a server, for Ray or for a killed process.
    return 0 if all(path.is_file() for path in named) else min(CORES + 2, 4)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays until the end: to look for garbage in it is a fifth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {TESTS / name: place for place, name in enumerate(LONG_FILES)}
    assert all(path.is_file() for path in places), "a file of LONG_FILES has moved"
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    leave_to_garbage_collection_only_what_comes()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """The same random numbers in every run, whatever ran before: a failure comes back."""
    if HAS_ACCELERATOR:
        torch.manual_seed(0)
    else:
        # `torch.manual_seed` notes the whole stack for each kind of device that is not there.
        torch.default_generator.manual_seed(0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    if nextitem is not None and nextitem.path != item.path:
        leave_to_garbage_collection_only_what_comes()


def leave_to_garbage_collection_only_what_comes() -> None:
    """All modules and collected tests are half a million objects, and every training looks through them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _threads_stay() -> Iterator[None]:
    """A benchmark chooses PyTorch's threads for its whole process.

    If all workers of xdist used all cores from then on, each later test would take several times as long.
    """
    threads = torch.get_num_threads()
    yield
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def forked_python() -> Iterator[ForkedPython]:
    """Starts Python processes that have PyTorch loaded already, where the system can fork."""
    with ForkedPython() as forked:
        yield forked


def read_picture(path: Path, longest: int) -> Tensor:
    """[1,3,H,W] in 0..1 with the longer side reduced to `longest` pixels."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    picture.thumbnail((longest, longest))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="session")
def inputs_dir() -> Path:
    """The folder of the pictures that the shipped workflows read."""
    return PACKAGE / "workflows" / "inputs"


@pytest.fixture(scope="session")
def gan() -> StyleGAN:
    """The shipped network, on the CPU. Shared: tests must not change it."""
    return StyleGAN.default()


@pytest.fixture(scope="session")
def woven_gan(gan: StyleGAN) -> StyleGAN:
    """The shipped network with a pattern that repeats in every cell of its grid."""
    woven = copy.deepcopy(gan)
    woven.generator.head.bias.add_(torch.linspace(-0.1, 0.1, GRID * GRID).repeat(3))
    return woven


@pytest.fixture(scope="session")
def photo(inputs_dir: Path) -> Tensor:
    """A portrait, [1,3,H,W] with a longer side of 192."""
    return read_picture(inputs_dir / "photo-portrait-astronaut.jpg", 192)


@pytest.fixture(scope="session")
def scene(inputs_dir: Path) -> Tensor:
    """A city, [1,3,H,W] with a longer side of 256."""
    return read_picture(inputs_dir / "photo-city-singapore.jpg", 256)


@pytest.fixture(scope="session")
def artwork(inputs_dir: Path) -> Tensor:
    """A painting, [1,3,H,W] with a longer side of 192."""
    return read_picture(inputs_dir / "art-vangogh-starry-night.jpg", 192)


@pytest.fixture(scope="module")
def small_validation() -> Iterator[None]:
    """Training runs of the module score at `VALIDATION_SIDE` pixels, not 256."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "SIDE", VALIDATION_SIDE)
        yield


@pytest.fixture(scope="module")
def slim_loss_network() -> Iterator[None]:
    """The module's loss networks have few channels: for what does not depend on what they see."""
    with slim_loss_networks():
        yield


@pytest.fixture
def shipped_loss_network() -> Iterator[None]:
    """For a test of such a module that is about looks."""
    with slim_loss_networks(False):
        yield


@pytest.fixture(scope="module")
def few_crops() -> Iterator[None]:
    """Training runs of the module cut 2 crops of every picture, not up to 24, unless a test says how many.

    Before its first step a run computes what the crops of all paintings ask for.
    """
    with pytest.MonkeyPatch.context() as patch:
        for mode, defaults in options.MODE_DEFAULTS.items():
            patch.setitem(options.MODE_DEFAULTS, mode, defaults | {"variants": 2})
        yield


@pytest.fixture(scope="module")
def quick_estimates() -> Iterator[None]:
    """Estimates of the module measure a step or two of each phase, not a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MEASURED_SECONDS", 0.05)
        yield


@pytest.fixture(scope="session")
def photos(inputs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Small copies of three of the photos that ship with the workflows."""
    return small_copies(sorted(inputs_dir.glob("photo-*.jpg"))[:3], tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="session")
def paintings(inputs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Small copies of three of the paintings that ship with the workflows."""
    return small_copies(sorted(inputs_dir.glob("art-*.jpg"))[:3], tmp_path_factory.mktemp("paintings"))
