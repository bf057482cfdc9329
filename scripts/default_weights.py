"""Train the default weights from nothing, in one command that can be stopped and given again.

    python -m scripts.default_weights DATA OUT

DATA holds content/, style/ and split.json. Eight runs of `brushwork train`, each from the network of the one
before, in OUT/1 to OUT/8; the network is OUT/8/last.safetensors. Crops grow from run to run, since small ones
are cheap while everything is still to be learned. The shipped weights were trained this way, with the detours
in docs/history.md. On two cores the first seven stages take about ten hours and the last three and a half.
With CUDA the last stage takes larger crops and six times as many.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from brushwork.cli import main as brushwork
from brushwork.models import StyleGAN

Options = Mapping[str, float | tuple[int, int]]


@dataclass(frozen=True)
class Stage:
    """One run: its length, what differs from the defaults of from_scratch, and what from that with CUDA."""

    steps: int
    options: Options
    weights: Mapping[str, float] = field(default_factory=dict)
    on_cuda: Options = field(default_factory=dict)

    def length(self, scale: float) -> int:
        return max(1, round(self.steps * scale))

    def options_here(self) -> Options:
        return {**self.options, **self.on_cuda} if torch.cuda.is_available() else self.options

    def flags(self, scale: float) -> list[str]:
        flags = ["--steps", str(self.length(scale))]
        for name, value in self.options_here().items():
            values = value if isinstance(value, tuple) else (value,)
            flags += [f"--{name.replace('_', '-')}", *(f"{number:g}" for number in values)]
        for name, value in self.weights.items():
            flags += ["--weight", f"{name}={value:g}"]
        return flags


# The first stages train without these losses; all except the code loss join later.
_PERCEPTUAL = {"code": 0.0, "adversarial": 0.0, "steady": 0.0, "ground": 0.0}
_ALL: dict[str, float | tuple[int, int]] = {"late_from": 1, "ema": 0.998}
_LATER = _ALL | {"batch_size": 4, "identity_share": 0.25, "warmup": 150, "variants": 2}
_LARGE = _LATER | {"resolution": 256, "style_resolution": 256, "content_scale": (272, 576), "warmup": 50}

STAGES = (
    Stage(
        7200,
        _ALL
        | {"batch_size": 6, "resolution": 128, "style_resolution": 192, "identity_share": 0.17, "seed": 1},
        _PERCEPTUAL,
    ),
    Stage(
        5200,
        _LATER | {"resolution": 160, "style_resolution": 224, "lr": 6e-4, "decay_from": 0.3, "seed": 3},
        _PERCEPTUAL,
    ),
    Stage(
        2900,
        _LATER | {"resolution": 192, "style_resolution": 256, "lr": 5e-4, "decay_from": 0.2, "seed": 5},
        _PERCEPTUAL | {"identity": 8.0},
    ),
    Stage(
        4200,
        _LATER | {"resolution": 192, "style_resolution": 256, "lr": 5e-4, "decay_from": 0.2, "seed": 7},
        _PERCEPTUAL | {"identity": 8.0, "style": 11.0, "steady": 10.0},
    ),
    Stage(
        3500,
        _LARGE
        | {"lr": 5e-4, "decay_from": 0.3, "adversarial_from": 0.15, "adversarial_ramp": 0.03, "seed": 21},
        {"code": 0.0, "identity": 6.0, "style": 14.0, "steady": 10.0, "ground": 50.0, "adversarial": 1.0},
    ),
    Stage(
        3000,
        _LARGE
        | {"lr": 4e-4, "decay_from": 0.2, "adversarial_from": 0.01, "adversarial_ramp": 0.3, "seed": 23},
        {"code": 0.0, "content": 0.7, "identity": 6.0, "style": 15.0, "ground": 50.0, "adversarial": 4.0},
    ),
    Stage(
        3200,
        _LARGE
        | {"lr": 4e-4, "lr_d": 8e-4, "decay_from": 0.3, "adversarial_from": 0.005, "adversarial_ramp": 0.2}
        | {"seed": 31},
        {"code": 0.0, "content": 0.5, "identity": 6.0, "style": 16.0, "energy": 10.0, "ground": 80.0}
        | {"adversarial": 10.0},
    ),
    # The shipped weights mix this stage's end, at content 0.75, with its start (docs/history.md).
    Stage(
        5900,
        _LARGE
        | {"lr": 8e-4, "lr_d": 1.2e-3, "warmup": 150, "decay_from": 0.35, "ema": 0.9985, "seed": 41}
        | {"adversarial_from": 0.005, "adversarial_ramp": 0.05},
        {"code": 0.0, "content": 0.8, "identity": 6.0, "style": 18.0, "energy": 12.0, "ground": 110.0}
        | {"adversarial": 10.0},
        {"batch_size": 24, "resolution": 320, "style_resolution": 320, "identity_share": 1 / 6}
        | {"content_scale": (320, 560), "style_scale": (320, 560), "variants": 8},
    ),
)


def _is_finished(folder: Path, stage: Stage, scale: float) -> bool:
    last = folder / "last.safetensors"
    return last.exists() and StyleGAN.load(last).training_record["steps"] >= stage.length(scale)


def train_stages(data: Path, out: Path, scale: float = 1.0) -> int:
    """Train what is not yet trained; the exit code of the run that ended it, 0 when all are done."""
    network: Path | None = None
    for number, stage in enumerate(STAGES, 1):
        folder = out / str(number)
        if _is_finished(folder, stage, scale):
            network = folder / "last.safetensors"
            continue
        command = ["train", "--mode", "from_scratch", "--out", str(folder), *stage.flags(scale)]
        for name in ("content", "style"):
            command += [f"--{name}", str(data / name)]
        command += ["--split", str(data / "split.json")]
        if (folder / "state.safetensors").exists():
            command.append("--resume")
        elif network is not None:
            command += ["--init", str(network)]
        if code := brushwork.main(command):
            return code
        network = folder / "last.safetensors"
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m scripts.default_weights", description="Train the default weights from nothing."
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of content/, style/ and split.json")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the runs; given again, they go on")
    parser.add_argument(
        "--scale", type=float, default=1.0, metavar="X", help="times as many steps, to try it out (default 1)"
    )
    options = parser.parse_args(arguments)
    return train_stages(options.data, options.out, options.scale)


if __name__ == "__main__":
    sys.exit(main())
