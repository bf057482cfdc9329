"""What a few minutes of fine-tuning on a dozen pictures of one artist do for others by that artist.

    python -m benchmarks.finetune --data DIR --sheet FILE --json FILE

The run gets twelve of the artist's paintings, as a user would give them to TrainStyle, the default options of
the mode and the photos that ship with Brushwork. It holds some of the twelve out to choose its best weights.
The figures are losses of the network before and after, on the artist's other paintings and on validation
photos. The fine-tuning has seen neither:

    style of the artist   the learned style (before: the mean code of the twelve) against the mean
                          statistics of the other paintings
    single paintings      each of the other paintings painted like by its own code

The bar is for the style of the artist: its loss at whole, half and quarter size is at most 0.7 of what it
was, for at most 1.1 times the content loss, and the run takes five minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from brushwork.base.files import write_atomically
from brushwork.base.shipped import demo_photos
from brushwork.dataset.collection import collect
from brushwork.models import StyleGAN
from brushwork.models.perception.statistics import SIZES
from brushwork.models.perception.vgg import LossNetwork
from brushwork.pictures.comparison_sheet import Column, ComparisonSheet
from brushwork.pictures.tensors import as_picture, load_picture
from brushwork.training.options import TrainOptions
from brushwork.training.painter import Painter, copy_network, mean_code
from brushwork.training.runs.files import RunFiles
from brushwork.training.runs.run import Run, open_run
from brushwork.training.runs.spec import RunSpec
from brushwork.training.validation import Scores, Validation, spread

TUNED, HELD_OUT, PHOTOS = 12, 24, 6
SHEET_PHOTOS, SHEET_PAINTINGS, SHEET_SIDE, SHEET_CELL = 3, 2, 512, 320

# Watercolours, engravings and oils; twelve paintings by each say what the others look like (docs/history.md).
ARTISTS = ("Warwick Goble", "Gustave Dore", "J. M. W. Turner")

# The question that the bars are for, how the losses after may relate to those before, and the seconds.
OF_ARTIST, SINGLE = "style of the artist", "single paintings"
BARS = {"content": 1.1, **{f"style_{name}": 0.7 for name in SIZES}}
MOST_SECONDS = 300

Table = dict[str, dict[str, dict[str, float]]]
"""{question: {'before' or 'after': losses by name}}"""


@dataclass(frozen=True)
class FinetuneRequest:
    """What was asked for; None is what was not given."""

    data: Path
    artists: tuple[str, ...]
    mode: str
    steps: int | None
    weights: tuple[str, ...]
    """NAME=VALUE each."""
    sheet: Path | None
    json: Path | None

    def training(self) -> TrainOptions:
        """Raises ValueError or TypeError for a weight or a number of steps that cannot be."""
        weights = {name: float(value) for name, _, value in (text.partition("=") for text in self.weights)}
        changes = {} if self.steps is None else {"steps": self.steps}
        return TrainOptions.for_mode(self.mode, weights, **changes)


@dataclass(frozen=True)
class Material:
    """Paintings of one artist to tune on and others to measure with, and photos to measure with."""

    tuned: list[Path]
    held_out: list[Path]
    photos: list[Path]


def read_material(data: Path, artist: str) -> Material:
    """Twelve paintings of the train split, evenly spread; up to 24 others of the val split and then of the
    train split; photos of the val split. The test split stays untouched, since options are tuned here, too.

    Raises ValueError for an artist with fewer than 12 + 4 such paintings.
    """
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        mine = {row["file"] for row in csv.DictReader(file) if row["artist"] == artist}
    split = json.loads((data / "split.json").read_text(encoding="utf-8"))
    train, val = ([data / name for name in split["style"][part] if name in mine] for part in ("train", "val"))
    tuned = spread(train, TUNED)
    held_out = (val + [path for path in train if path not in tuned])[:HELD_OUT]
    if len(tuned) < TUNED or len(held_out) < 4:
        raise ValueError(f"There are {len(train) + len(val)} paintings by '{artist}'; choose one with more.")
    return Material(tuned, held_out, spread([data / name for name in split["content"]["val"]], PHOTOS))


def tune(material: Material, options: TrainOptions, folder: Path) -> tuple[Run, float]:
    """The finished run and its seconds, everything included."""
    started = time.monotonic()
    paintings = collect("paintings", pictures=material.tuned, share=options.validation_share)
    photos = collect("photos", pictures=demo_photos(), share=options.validation_share)
    print(f"{paintings.describe('painting')}; {photos.describe('photo')}", file=sys.stderr)
    run = open_run(RunSpec(options, photos, paintings, RunFiles.in_folder(folder), StyleGAN.default()))

    def show(step: int, values: dict[str, float]) -> None:
        print(f"\rstep {step} of {options.steps}, loss {values['total']:.3f}", end="", file=sys.stderr)

    outcome = run.train(show)
    print(f"\n{outcome.sentence}", file=sys.stderr)
    return run, time.monotonic() - started


def painters(material: Material, run: Run) -> tuple[Painter, Painter]:
    """The network before and after, each with its style of the artist."""
    before, (gan, code) = StyleGAN.default(), run.finish()
    mean = mean_code(before, material.tuned)
    pair = Painter(before, "fine_tune", mean), Painter(copy_network(gan), "fine_tune", code)
    return pair[0].eval(), pair[1].eval()


def compare(material: Material, before: Painter, after: Painter) -> Table:
    """The losses of both painters, for each question."""
    options, device = TrainOptions.for_mode("fine_tune"), torch.device("cpu")
    validation = Validation(
        material.photos, material.held_out, material.held_out, LossNetwork(), options, device
    )
    return {
        question: {"before": losses_of(score(before)), "after": losses_of(score(after))}
        for question, score in ((OF_ARTIST, validation.score_learned), (SINGLE, validation.score_paintings))
    }


def losses_of(scores: Scores | None) -> dict[str, float]:
    """Content and style loss, as training weighs them, and the style loss at each size."""
    assert scores is not None  # there are paintings to score with: `read_material` refuses a lack of them
    names = ("content", "style", *(f"style_{name}" for name in SIZES))
    return {name: round(getattr(scores, name), 4) for name in names}


def ratios(table: Table, question: str) -> dict[str, float]:
    """Each loss after, as a share of the loss before."""
    before, after = table[question]["before"], table[question]["after"]
    return {name: after[name] / before[name] for name in before}


def verdict(table: Table, seconds: float) -> str:
    """Which bars are met, in a line."""
    found = ratios(table, OF_ARTIST)
    parts = [
        f"{name.replace('style_', '')} {found[name]:.2f} (at most {most}: "
        f"{'met' if found[name] <= most else 'missed'})"
        for name, most in BARS.items()
    ]
    in_time = "met" if seconds <= MOST_SECONDS else "missed"
    return ", ".join([*parts, f"{seconds:.0f} s (at most {MOST_SECONDS}: {in_time})"])


def as_table(table: Table) -> str:
    """Markdown, with the change from before to after."""
    lines = ["| | | content | style | whole | half | quarter |", "| --- | --- |" + " ---: |" * 5]
    for question, rows in table.items():
        for name, values in rows.items():
            lines.append(f"| {question} | {name} | " + " | ".join(f"{v:.3f}" for v in values.values()) + " |")
        change = [ratio - 1 for ratio in ratios(table, question).values()]
        lines.append(f"| {question} | change | " + " | ".join(f"{c:+.0%}" for c in change) + " |")
    return "\n".join(lines)


def in_own_style(painter: Painter, photo: Tensor) -> Tensor:
    """`photo` [1,3,H,W] in the style that the painter has learned."""
    assert painter.code is not None  # `painters` gives both one
    return painter.gan.generate(painter.gan.encode_content(photo), painter.code)


@torch.no_grad()
def draw_sheet(material: Material, before: Painter, after: Painter) -> ComparisonSheet:
    """Photos down; two paintings of the artist, then each way before and after."""
    titles = ["photo"]
    for number in range(1, SHEET_PAINTINGS + 1):
        titles += [f"painting {number}", "before", "after"]
    titles += ["artist, before", "artist, after"]
    sheet = ComparisonSheet([Column(title, SHEET_CELL) for title in titles])
    styles = [load_picture(path, SHEET_SIDE) for path in spread(material.held_out, SHEET_PAINTINGS)]
    for path in spread(material.photos, SHEET_PHOTOS):
        photo = load_picture(path, SHEET_SIDE)
        row = [photo]
        for style in styles:
            row += [style, *(p.gan.stylize(photo, style) for p in (before, after))]
        row += [in_own_style(painter, photo) for painter in (before, after)]
        sheet.add_row([as_picture(picture) for picture in row])
    return sheet


def measure(artist: str, material: Material, training: TrainOptions, sheet: Path | None) -> dict[str, object]:
    """Train on the artist's twelve, print what it did, and return the record of it."""
    with tempfile.TemporaryDirectory() as folder:
        run, seconds = tune(material, training, Path(folder))
        before, after = painters(material, run)
    table = compare(material, before, after)
    print(f"\n{artist}: {TUNED} paintings, {run.trainer.step} steps; measured on ", end="")
    print(f"{len(material.held_out)} other paintings and {len(material.photos)} photos\n")
    print(f"{as_table(table)}\n\n{verdict(table, seconds)}", flush=True)
    if sheet is not None:
        draw_sheet(material, before, after).draw().save(sheet)
    record = {"artist": artist, "seconds": round(seconds), "threads": torch.get_num_threads(), "table": table}
    return record | {"options": training.as_dict(), "validation": run.progress.scores}


def parse(arguments: list[str] | None) -> FinetuneRequest:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.finetune",
        description="What fine-tuning on a dozen paintings by one artist does for others by that artist.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of content/, style/, split.json, manifest.csv",
    )
    parser.add_argument(
        "--artist",
        dest="artists",
        action="append",
        metavar="NAME",
        help=f"as in manifest.csv; may be repeated (default: {', '.join(ARTISTS)})",
    )
    parser.add_argument(
        "--mode",
        default="fine_tune",
        choices=["fine_tune", "style_code"],
        help="of training (default %(default)s)",
    )
    parser.add_argument("--steps", type=int, metavar="COUNT", help="of training (default: the mode's)")
    parser.add_argument(
        "--weight",
        dest="weights",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="weight of a loss, to try another than the mode's",
    )
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE", help="write contact sheets here, FILE-1.png, FILE-2.png, …"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    given = vars(parser.parse_args(arguments))
    lists = {"artists": tuple(given["artists"] or ARTISTS), "weights": tuple(given["weights"])}
    return FinetuneRequest(**given | lists)


def main(arguments: list[str] | None = None) -> int:
    request = parse(arguments)

    # Choose the pictures and the options of the training.
    try:
        materials = [read_material(request.data, artist) for artist in request.artists]
        training = request.training()
    except (ValueError, TypeError, OSError) as error:
        print(f"benchmarks.finetune: {error}", file=sys.stderr)
        return 2

    # Train for each artist, and compare the network before and after.
    records = []
    for number, (artist, material) in enumerate(zip(request.artists, materials, strict=True), 1):
        sheet = request.sheet
        if sheet is not None:
            sheet = sheet.with_stem(f"{sheet.stem}-{number}")
        records.append(measure(artist, material, training, sheet))
        if request.json is not None:
            write_atomically(request.json, json.dumps(records, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
