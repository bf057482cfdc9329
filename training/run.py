"""A run on disk: its folder, log, sheets, state and checkpoints."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ..models import StyleGAN, StyleSpace
from ..models.checkpoint import write_atomically
from .options import TrainOptions
from .sheet import load_square, style_sheet
from .trainer import Trainer

STATE_FILE = "state.safetensors"
CHECKPOINT_FILE = "brushwork.safetensors"
LOG_FILE = "log.jsonl"


class Run:
    """Drives a `Trainer` in the folder `out`.

    out/log.jsonl             a line of mean losses every `log_every` steps
    out/state.safetensors     everything to resume from, every `save_minutes`
    out/brushwork.safetensors the EMA network, usable at once, as often
    out/sheet_NNNNNN.jpg      validation photos in validation styles, as often
    """

    def __init__(
        self,
        trainer: Trainer,
        out: Path,
        photos: Sequence[Path],
        paintings: Sequence[Path],
        save_minutes: float = 5.0,
        log_every: int = 50,
    ):
        self.trainer, self.out = trainer, Path(out)
        self.photos, self.paintings = _spread(photos, 4), _spread(paintings, 6)
        self.save_minutes, self.log_every = save_minutes, log_every
        self.out.mkdir(parents=True, exist_ok=True)

    def train(
        self,
        on_step: Callable[[int, dict[str, float]], None] = lambda step, values: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train to the last step, or until `stop()`; False if stopped. Saves in either case."""
        trainer, options = self.trainer, self.trainer.options
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        started = saved = time.monotonic()
        while trainer.step < options.steps and not stop():
            values = trainer.train_step()
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + value
                counts[name] = counts.get(name, 0) + 1
            on_step(trainer.step, values)
            if trainer.step % self.log_every == 0:
                rate = self.log_every / (time.monotonic() - started)
                self._log({k: sums[k] / counts[k] for k in sums}, rate)
                sums, counts, started = {}, {}, time.monotonic()
            if time.monotonic() - saved > self.save_minutes * 60:
                self.save()
                saved = time.monotonic()
        self.save()
        return trainer.step >= options.steps

    def _log(self, means: dict[str, float], rate: float) -> None:
        line = {"step": self.trainer.step, "steps_per_second": round(rate, 3)}
        line |= {name: round(value, 5) for name, value in means.items()}
        with (self.out / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def save(self) -> None:
        """State, checkpoint and sheet of this moment."""
        trainer = self.trainer
        trainer.save_state(self.out / STATE_FILE)
        trainer.ema.training_record = self.record()
        trainer.ema.save(self.out / CHECKPOINT_FILE)
        if self.photos and self.paintings:
            buffer = io.BytesIO()
            style_sheet(trainer.ema, self.photos, self.paintings, 256).save(buffer, "JPEG", quality=90)
            write_atomically(self.out / f"sheet_{trainer.step:06d}.jpg", buffer.getvalue())

    def record(self) -> dict[str, object]:
        """What the checkpoint's header says about the training."""
        options = self.trainer.options
        return {
            "steps": self.trainer.step,
            "samples": self.trainer.step * options.batch,
            "photos": len(self.trainer.photos),
            "paintings": len(self.trainer.paintings),
            "options": options.as_dict(),
            "started_from": self.trainer.ancestor,
        }

    def finish(self, say: Callable[[str], None] = lambda text: None) -> Path:
        """Fit the style space to the training paintings and write the final checkpoint."""
        gan = self.trainer.ema
        say(f"encoding {len(self.trainer.paintings)} paintings for the style space")
        gan.space = fit_style_space(gan, self.trainer.paintings)
        self.save()
        return self.out / CHECKPOINT_FILE


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """`count` of the paths, evenly spread: neighbours by name are often by one hand."""
    return list(paths[:: max(1, len(paths) // count)][:count])


@torch.no_grad()
def fit_style_space(gan: StyleGAN, paintings: Sequence[Path], side: int = 384) -> StyleSpace | None:
    """The distribution of the style codes of `paintings`; None for fewer than 2."""
    if len(paintings) < 2:
        return None
    device = next(gan.parameters()).device
    codes = [gan.encode_style(load_square(path, side).to(device)).cpu() for path in paintings]
    return StyleSpace.fit(torch.cat(codes))


def resume_options(out: Path, changes: dict[str, object]) -> TrainOptions:
    """The options that the run in `out` was started with, some of them changed."""
    from .state import read_state

    _, header = read_state(Path(out) / STATE_FILE)
    return TrainOptions.from_dict(header["options"] | changes)
