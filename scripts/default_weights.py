"""Train the default weights, in one command that can be stopped and given again.

    python -m scripts.default_weights DATA OUT --minutes M [--start FILE] [flags of brushwork train]

DATA holds content/, style/ and split.json, as it is or packed by `scripts.pack_data`. From nothing, there are
two runs of `brushwork train`: OUT/shapes on small crops, since those are cheap while everything is still to
be learned, and OUT/strokes on large ones. From the weights in FILE, there is only the second. In it, the
discriminator joins half way. The network is OUT/strokes/last.safetensors.

Before a run begins, some of its steps are measured here, and it gets as many steps as fit into its share of M
minutes. Cutting crops, validation and saving come on top: in a machine lent for ten minutes, eight are for
steps. With CUDA, crops are 384 pixels, 32 at a time; on a CPU 224 pixels, 4 at a time.
"""

from __future__ import annotations

import _thread
import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from brushwork.base.counts import counted
from brushwork.base.duration import duration
from brushwork.cli import main as brushwork
from brushwork.cli.train import command as train
from brushwork.cli.train.flags import request_from
from brushwork.cli.train.setup import device_for, network_for
from brushwork.dataset.collection import photos_and_paintings
from brushwork.models import StyleGAN
from brushwork.training.processes import OneProcess
from brushwork.training.runs.plan import estimate

Options = Mapping[str, float | tuple[int, int]]

# The measurement is of a run of this many steps, so that its phases have their shares.
NOMINAL_STEPS = 1000

LAST = "last.safetensors"


@dataclass(frozen=True)
class Stage:
    """One run: its share of the time, and what differs from the defaults of from_scratch."""

    name: str
    share: float
    options: Options
    weights: Mapping[str, float] = field(default_factory=dict)
    on_cuda: Options = field(default_factory=dict)
    """What differs from `options` with CUDA."""

    def options_here(self) -> Options:
        return {**self.options, **self.on_cuda} if torch.cuda.is_available() else self.options

    def flags(self) -> list[str]:
        """Options and weights as flags of `brushwork train`."""
        flags = []
        for name, value in self.options_here().items():
            values = value if isinstance(value, tuple) else (value,)
            flags += [f"--{name.replace('_', '-')}", *(f"{number:g}" for number in values)]
        for name, value in self.weights.items():
            flags += ["--weight", f"{name}={value:g}"]
        return flags


_SMALL: Options = {
    "resolution": 128,
    "style_resolution": 160,
    "content_scale": (160, 432),
    "style_scale": (160, 432),
    "batch_size": 6,
    "variants": 2,
    "lr": 1e-3,
    "late_from": 1,
    "ema": 0.998,
    "seed": 1,
}
_SMALL_ON_CUDA: Options = {
    "resolution": 192,
    "style_resolution": 192,
    "content_scale": (192, 432),
    "style_scale": (192, 432),
    "batch_size": 64,
    "variants": 4,
}
_LARGE: Options = {
    "resolution": 224,
    "style_resolution": 224,
    "content_scale": (224, 560),
    "style_scale": (224, 560),
    "batch_size": 4,
    "variants": 2,
    "lr": 5e-4,
    "warmup": 150,
    "decay_from": 0.35,
    "late_from": 1,
    "ema": 0.998,
    "adversarial_from": 0.5,
    "adversarial_ramp": 0.1,
    "seed": 2,
}
_LARGE_ON_CUDA: Options = {
    "resolution": 384,
    "style_resolution": 384,
    "content_scale": (384, 560),
    "style_scale": (384, 560),
    "batch_size": 32,
    "variants": 6,
    "lr": 8e-4,
    "validate_every": 1000,
}

STAGES = (
    Stage("shapes", 0.3, _SMALL, {"adversarial": 0.0, "steady": 0.0, "ground": 0.0}, _SMALL_ON_CUDA),
    Stage("strokes", 0.7, _LARGE, {"adversarial": 5.0}, _LARGE_ON_CUDA),
)


def train_stages(
    data: Path, out: Path, minutes: float, start: Path | None = None, flags: Sequence[str] = ()
) -> int:
    """Train what is not yet trained; the exit code of the run that ended it, 0 when all are done.

    `flags` are for the last stage. Raises ValueError, one sentence, if a run cannot begin.
    """
    stages = STAGES if start is None else STAGES[-1:]
    network = start
    for stage in stages:
        folder = out / stage.name
        # Each stage is a run of `brushwork train`, begun with the network of the one before.
        resumed = (folder / "state.safetensors").exists()
        if not (resumed and _is_finished(folder)):
            command = ["train", "--mode", "from_scratch", "--out", str(folder)]
            for name in ("content", "style"):
                command += [f"--{name}", str(data / name)]
            command += ["--split", str(data / "split.json")]
            if resumed:
                command.append("--resume")
            else:
                command += stage.flags() if network is None else [*stage.flags(), "--init", str(network)]
                command += flags if stage is stages[-1] else ()
                share = stage.share / sum(each.share for each in stages)
                # As many steps as this machine makes in the stage's share of the time.
                command += ["--steps", str(fitting_steps(command, stage.name, 60 * minutes * share))]
            if code := brushwork.main(command):
                return code
        network = folder / LAST
    return 0


def _is_finished(folder: Path) -> bool:
    if not (folder / LAST).exists():
        return False
    network = StyleGAN.load(folder / LAST)
    # The style space comes at the very end.
    record = network.training_record
    return network.space is not None and bool(record["steps"] >= record["options"]["steps"])


def fitting_steps(command: Sequence[str], name: str, seconds: float) -> int:
    """How many steps the run of this command makes here in that time, measured on some of its pictures.

    Raises ValueError or TrainingError, one sentence, if it cannot begin.
    """
    parser = argparse.ArgumentParser()
    train.add_parser(parser.add_subparsers())
    request = request_from(parser.parse_args(list(command)))
    options = replace(request.options(), steps=NOMINAL_STEPS)
    photos, paintings = photos_and_paintings(
        request.content, request.style, request.split, options.validation_share
    )
    device = device_for(request, OneProcess())
    found = estimate(options, photos.train, paintings.train, network_for(request, options), device)
    steps = max(1, round(NOMINAL_STEPS * seconds / found.seconds))
    for phase, each in found.seconds_per_step.items():
        joined = "with" if phase.adversarial else "without"
        print(f"{name}: {options.batch_size / each:.1f} samples/s {joined} the discriminator", flush=True)
    print(f"{name}: {counted(steps, 'step')} in {duration(seconds)}", flush=True)
    return steps


# What a command does on SIGTERM before its training begins, and after.
_ENDS_AT_ONCE = (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler)


@contextmanager
def stopping_after(minutes: float) -> Iterator[None]:
    """After that time, what `brushwork train` does on SIGTERM: it ends the step and saves."""
    over = threading.Event()

    def watch() -> None:
        # Again and again: nobody hears a signal that comes before the training.
        wait = 60 * minutes
        while not over.wait(wait):
            wait = 1.0
            # Any other answer than the training's would end it before it has anything to save.
            if signal.getsignal(signal.SIGTERM) not in _ENDS_AT_ONCE:
                _thread.interrupt_main(signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m scripts.default_weights",
        description="Train the default weights; flags that are not named here go to brushwork train, for the "
        "last run.",
    )
    # What it trains on, and for how long.
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of content/, style/ and split.json")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the runs; given again, they go on")
    parser.add_argument("--minutes", type=float, required=True, metavar="M", help="of steps, all in all")
    parser.add_argument("--start", type=Path, metavar="FILE", help="weights to begin with (default: nothing)")
    parser.add_argument(
        "--stop-after",
        type=float,
        default=float("inf"),
        metavar="M",
        help="save and stop after this many minutes in all; the same command goes on",
    )
    options, flags = parser.parse_known_args(arguments)
    try:
        with stopping_after(min(options.stop_after, threading.TIMEOUT_MAX / 60)):
            return train_stages(options.data, options.out, options.minutes, options.start, flags)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"scripts.default_weights: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
