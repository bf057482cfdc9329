"""Teach a network to paint in one pass what it paints with more work.

    python -m scripts.one_pass_weights DATA OUT --minutes M [--lesson mean|calm|firm] [--start FILE]

DATA holds content/, style/ and split.json, as for `scripts.default_weights`. The teacher is the network as it
is. With `mean` it paints each photo at all places of its grid, and the mean, which has no weave, gets fine
detail as strong as the painting's (`models/cycle_spinning.py`, `painting/fine_contrast.py`). With `calm` it
paints once, and plain grounds become as calm as the painting's calm places (`painting/calm_grounds.py`). With
`firm`, too, but in the painting's colours, with strokes along the photo's forms (`scripts/along_forms.py`),
crisp detail and no rims (`scripts/rims.py`). The pupil begins as the same network and learns these pictures,
pixel by pixel (distillation, Hinton et al. 2015): each time at another place of the grid, and those of `firm`
at their own place, so that it learns their strokes and not the mean of many. The style encoder
stays as it is, so that styles keep their meaning. OUT is the pupil's checkpoint, written every few minutes;
stop as you like.
"""

from __future__ import annotations

import argparse
import copy
import math
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from brushwork.base.shipped import DEFAULT_CHECKPOINT, SHIPPED_INPUTS, THUMBNAIL_PHOTO
from brushwork.dataset.collection import photos_and_paintings
from brushwork.models import StyleGAN
from brushwork.models.passes import Trained
from brushwork.painting.fine_contrast import fine_detail
from brushwork.pictures.tensors import as_picture, load_square
from brushwork.training.crop_pool import CropPool, CropRule
from brushwork.training.painter import copy_network
from brushwork.training.runs.record import header_thumbnail
from scripts.one_pass_lessons import Lesson, Teacher, any_corner, paint_once, styles_of

# What the strip of a checkpoint shows, besides the photo of all thumbnails.
_PAINTING = SHIPPED_INPUTS / "art-vangogh-starry-night.jpg"

SAVE_EVERY = 300.0
"""Seconds."""

# Pixels of a cell whose fine detail is compared, and energy that nobody sees.
_CELL, _FAINTEST = 16, 1e-6


@dataclass(frozen=True)
class Options:
    """How to teach. `reuse`: how often a lesson is learned; `kept`: how many lessons are kept for it.

    share: how much of the pupil the new weights have; the rest is the teacher's (Wortsman et al. 2022).
    """

    lesson: str = "mean"
    side: int = 256
    batch: int = 4
    rate: float = 5e-4
    reuse: int = 3
    kept: int = 600
    fine: float = 4.0
    energy: float = 0.2
    ema: float = 0.995
    seed: int = 17
    share: float = 1.0


@dataclass
class Pupil:
    """The network that learns, and the moving average of its weights."""

    gan: StyleGAN
    options: Options
    step: int = 0
    average: StyleGAN = field(init=False)

    def __post_init__(self) -> None:
        self.gan.train().requires_grad_(False)
        self.gan.generator.requires_grad_(True)
        self.gan.content_encoder.requires_grad_(True)
        self.average = copy.deepcopy(self.gan).eval().requires_grad_(False)
        self._first = [weight.clone() for weight in self.average.parameters()]
        self._learning = [weight for weight in self.gan.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.Adam(self._learning, betas=(0.9, 0.99), foreach=True)

    def learn(self, lessons: Sequence[Lesson], done: float) -> dict[str, float]:
        """One step; `done` is the share of the time that is over. Returns the parts of the loss."""
        photos = _floats([lesson.photo for lesson in lessons])
        wanted = _floats([lesson.picture for lesson in lessons])
        codes = torch.stack([lesson.code for lesson in lessons])
        self._optimizer.zero_grad(set_to_none=True)
        # Firm pictures keep the strokes of the one pass that they come from, so the pupil has the same grid.
        corner = None if self.options.lesson == "firm" else any_corner()
        seeds = [lesson.seed for lesson in lessons]
        painted = paint_once(self.gan, photos, codes, seeds, Trained(), corner)
        parts = losses(painted, wanted)
        loss = parts["pixels"] + self.options.fine * parts["fine"] + self.options.energy * parts["energy"]
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self._learning, 1.0, foreach=True)
        # One step that is not finite would spoil all later ones.
        if bool(torch.isfinite(norm)):
            for group in self._optimizer.param_groups:
                group["lr"] = self._rate(done)
            self._optimizer.step()
        weight = 1 - min(self.options.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.gan.parameters()), weight)
        self.step += 1
        return {name: float(part.detach()) for name, part in parts.items()}

    def save(self, out: Path) -> None:
        """Write the average, or its mean with the first weights; the training's record gets a line on it."""
        lessons = {"steps": self.step, "samples": self.step * self.options.batch, **asdict(self.options)}
        name = {"mean": "one_pass", "calm": "calm_grounds", "firm": "firm"}[self.options.lesson]
        gan = copy.deepcopy(self.average)
        with torch.no_grad():
            for weight, first in zip(gan.parameters(), self._first, strict=True):
                weight.copy_(first.lerp(weight, self.options.share))
        gan.training_record = {**self.gan.training_record, name: lessons}
        gan.space = self.gan.space
        gan.save(out, extra={"thumbnail": header_thumbnail(_strip(gan))})

    def _rate(self, done: float) -> float:
        rising = min(1.0, (self.step + 1) / 50)
        falling = 1.0 if done < 0.3 else 0.02 + 0.98 * (1 + math.cos(math.pi * (done - 0.3) / 0.7)) / 2
        return self.options.rate * rising * falling


def losses(painted: Tensor, wanted: Tensor) -> dict[str, Tensor]:
    """Distances of pictures [B,3,H,W]: of pixels, of fine detail, and of the logarithm of its energy.

    The first two are Charbonnier's (1994): squares for what is nearly right, absolute values beyond. Energies
    are compared in cells, so that the grain of grounds counts as much as outlines.
    """
    fine, fine_wanted = fine_detail(painted), fine_detail(wanted)
    cell = min(_CELL, *painted.shape[-2:])
    energy, energy_wanted = (
        (F.avg_pool2d(f.square().mean(1, keepdim=True), cell) + _FAINTEST).log() for f in (fine, fine_wanted)
    )
    return {
        "pixels": ((painted - wanted).square() + 2e-5).sqrt().mean(),
        "fine": ((fine - fine_wanted).square() + 2e-6).sqrt().mean(),
        "energy": (energy - energy_wanted).square().mean(),
    }


def teach(teacher: Teacher, pupil: Pupil, out: Path, minutes: float) -> None:
    """Lessons and steps for that time. The pupil's average is written to `out` on the way and at the end."""
    kept: list[Lesson] = []
    made = learned = 0
    begin = saved = time.monotonic()
    rng = random.Random(pupil.options.seed)
    batch = pupil.options.batch
    while (spent := time.monotonic() - begin) < 60 * minutes or not pupil.step:
        # As many lessons as the reuse asks for, and a few more, so that a batch is of several.
        while made * pupil.options.reuse <= learned + 3 * batch * pupil.options.reuse:
            kept = [*kept, *teacher.lessons()][-pupil.options.kept :]
            made += batch
        parts = pupil.learn([rng.choice(kept) for _ in range(batch)], spent / (60 * max(minutes, 1e-9)))
        learned += batch
        if pupil.step % 100 == 0:
            told = ", ".join(f"{name} {value:.4f}" for name, value in parts.items())
            print(f"step {pupil.step}, {learned / spent:.1f} samples/s: {told}", flush=True)
        if time.monotonic() - saved > SAVE_EVERY:
            pupil.save(out)
            saved = time.monotonic()
    pupil.save(out)


def _strip(gan: StyleGAN) -> Image.Image:
    """A photo, a painting and what the network makes of them, as checkpoints show it in file lists."""
    photo, painting = (load_square(path, 160) for path in (THUMBNAIL_PHOTO, _PAINTING))
    return as_picture(torch.cat([photo, painting, gan.stylize(photo, painting)], 3)[0])


def _floats(pictures: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(pictures)).float() / 255


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m scripts.one_pass_weights", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of content/, style/ and split.json")
    parser.add_argument("out", type=Path, metavar="OUT", help="the new checkpoint")
    parser.add_argument("--minutes", type=float, required=True, metavar="M", help="of lessons and steps")
    parser.add_argument("--start", type=Path, default=DEFAULT_CHECKPOINT, metavar="FILE", help="the teacher")
    parser.add_argument(
        "--lesson", choices=("mean", "calm", "firm"), default=Options.lesson, help="what to learn"
    )
    parser.add_argument("--side", type=int, default=Options.side, metavar="S", help="pixels of a crop")
    parser.add_argument("--share", type=float, default=Options.share, metavar="S", help="of the pupil in OUT")
    chosen = parser.parse_args(arguments)
    options = Options(lesson=chosen.lesson, side=chosen.side, share=chosen.share)
    try:
        # The pictures, read once.
        photos, paintings = photos_and_paintings(
            chosen.data / "content", chosen.data / "style", chosen.data / "split.json"
        )
        gan = StyleGAN.load(chosen.start)
        rule = CropRule(options.side, options.side + 16, max(640, options.side + 16))
        pool = CropPool(photos.train, rule, 2, options.seed)
        with torch.inference_mode():
            codes, traits = (found.clone() for found in styles_of(gan, paintings.train))
        # The lessons.
        torch.manual_seed(options.seed)
        pupil = Pupil(copy_network(gan), options)
        teacher = Teacher(
            gan, pool, codes, traits, lesson=options.lesson, batch=options.batch, seed=options.seed
        )
        teach(teacher, pupil, chosen.out, chosen.minutes)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"scripts.one_pass_weights: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
