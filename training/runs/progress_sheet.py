"""The sheet that shows how a run went: one photo painted over time, the losses, the validation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from ...models.perception.statistics import SIZES
from ...pictures.chart import BACKGROUND, FAINT, INK, Chart, Color, Series
from ...pictures.lettering import font, wrapped
from ...pictures.reading import PictureError, read_picture
from .run import Run

CELL, GAP, MARGIN, CAPTION = 256, 14, 24, 28
CHART_HEIGHT = 340
TIMES = 6
WARNING_INK = (178, 74, 0)

# Colours that people without red or green vision can also tell apart (Okabe and Ito).
COLORS: dict[str, Color] = {
    "total": (20, 20, 20),
    "style": (213, 94, 0),
    "content": (0, 114, 178),
    "identity": (0, 140, 105),
    "adversarial": (190, 100, 150),
}
VALIDATION_COLOR: Color = (86, 180, 233)
SIZE_COLORS: dict[str, Color] = dict(zip(SIZES, [(213, 94, 0), (0, 114, 178), (0, 140, 105)], strict=True))

Line = Mapping[str, float]


def run_sheet(run: Run, title: str, warning: str = "") -> Image.Image:
    """The sheet of a run so far, from its preview files, log and scores: the same after a resume.

    `warning` is a sentence that the user must see, for instance why it stopped early.
    """
    previews = preview_files(run.files.folder, run.trainer.step)
    held_out = run.photos != run.trainer.photos
    where = "on held-out photos" if held_out else "on the training photos"
    return draw_sheet(
        title, previews, run.log.lines, run.progress.scores, run.progress.best_step, where, warning
    )


def preview_files(folder: Path, last_step: int) -> dict[int, Path]:
    """Step -> preview, up to `last_step`: later ones come from a killed run, after its last save."""
    found = {}
    for path in sorted(folder.glob("preview_*.jpg")):
        number = path.stem.removeprefix("preview_")
        # Somebody may have put a copy beside it, such as "preview_000100 (2).jpg".
        if number.isascii() and number.isdecimal() and int(number) <= last_step:
            found[int(number)] = path
    return found


def _strip(path: Path) -> Image.Image | None:
    """A preview; None if it is damaged, since the sheet must not end a run that is done."""
    try:
        return read_picture(path)
    except PictureError:
        return None


def draw_sheet(
    title: str,
    previews: Mapping[int, Path],
    history: Sequence[Line],
    scores: Sequence[Line],
    best_step: int | None,
    where: str = "",
    warning: str = "",
) -> Image.Image:
    """RGB, as wide as its pictures need.

    previews: step -> JPEG strip of photo, painting and result side by side, squares of one size.
    history: losses by name with their "step"; scores: the same of validations, done `where`.
    """
    # Lay it out: lines of text, then the pictures, then the charts side by side.
    times = chosen_times(sorted(previews), best_step)
    pictures = _pictures([(_time_caption(t, best_step), previews[t]) for t in times])
    width = 2 * MARGIN + max(pictures.width, 4 * CELL + 3 * GAP)
    inner = width - 2 * MARGIN
    texts = [(title, 26, INK), (summary(scores, best_step), 18, FAINT), (warning, 18, WARNING_INK)]
    lines = [(line, size, ink) for text, size, ink in texts for line in wrapped(text, size, inner)]
    pictures_top = MARGIN + sum(size + 10 for _, size, _ in lines) + 8
    charts_top = pictures_top + pictures.height + GAP

    # Draw the text and paste the pictures.
    sheet = Image.new("RGB", (width, charts_top + CHART_HEIGHT + MARGIN), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    top = MARGIN - 4
    for line, size, ink in lines:
        pen.text((MARGIN, top), line, fill=ink, font=font(size))
        top += size + 10
    sheet.paste(pictures, (MARGIN, pictures_top))

    # Draw the charts.
    best = None if best_step is None else (best_step, f"best: step {best_step}")
    charts = [
        Chart("Losses in training", "step", loss_series(history, scores)),
        Chart(f"Validation, {where}" if where else "Validation", "step", score_series(scores), best),
    ]
    if any(series.points for series in size_series(history)):
        charts.insert(1, Chart("Gram loss by size", "step", size_series(history)))
    chart_width = (inner - 2 * GAP * (len(charts) - 1)) // len(charts)
    for i, chart in enumerate(charts):
        sheet.paste(chart.draw(chart_width, CHART_HEIGHT), (MARGIN + i * (chart_width + 2 * GAP), charts_top))
    return sheet


def chosen_times(steps: Sequence[int], best: int | None, count: int = TIMES) -> list[int]:
    """At most `count` of the sorted steps, evenly spread, with the first, the best and the last.

    >>> chosen_times([0, 10, 20, 30, 40, 50, 60, 70, 80], 70, 4)
    [0, 30, 70, 80]
    """
    if len(steps) <= count:
        return list(steps)
    chosen = [round(i * (len(steps) - 1) / (count - 1)) for i in range(count)]
    if best in steps and (place := steps.index(best)) not in chosen:
        nearest = min(range(1, count - 1), key=lambda i: abs(chosen[i] - place))
        chosen[nearest] = place
    return [steps[i] for i in sorted(set(chosen))]


def summary(scores: Sequence[Line], best_step: int | None) -> str:
    """The effect of the training in a sentence; empty before the second validation."""
    best = next((line for line in scores if line["step"] == best_step), None)
    if best is None or best is scores[0]:
        return "No validation has been better than before the training." if len(scores) > 1 else ""
    first = scores[0]
    style, content = (_change(name_sum(first, n), name_sum(best, n)) for n in ("style", "content"))
    return (
        f"Best weights: step {best_step}. Against step {first['step']}, the style loss is {style} and the "
        f"content loss {content}."
    )


def loss_series(history: Sequence[Line], scores: Sequence[Line]) -> list[Series]:
    """The total of the validations, and of training the total and its parts without their weights, most
    important first.

    Small losses are left out, because their range would press the others flat.
    """
    validation = Series("validation", VALIDATION_COLOR, _points(scores, "total"))
    return [validation, *(Series(n, c, _points(history, n), noisy=True) for n, c in COLORS.items())]


def total_loss(lines: Sequence[Line]) -> list[float]:
    """The finite totals in `lines`, as training's are drawn: where there are many, their running mean."""
    line = Series("total", COLORS["total"], _points(lines, "total"), noisy=True)
    return [y for _, y in line.main_line]


def size_series(history: Sequence[Line]) -> list[Series]:
    """The Gram loss at each size: the smaller the picture, the larger the strokes that it is about."""
    return [Series(n, c, _points(history, f"gram_{n}"), noisy=True) for n, c in SIZE_COLORS.items()]


def score_series(scores: Sequence[Line]) -> list[Series]:
    """The parts of the validation score."""
    return [Series(n, COLORS[n], _points(scores, n)) for n in ("total", "style", "content")]


def name_sum(line: Line, name: str) -> float:
    """A loss in a line of the log; 'style' is Gram plus twice mean/std, as `LossWeights` weighs them."""
    return line["gram"] + 2 * line["mean_std"] if name == "style" else line[name]


def _points(lines: Sequence[Line], name: str) -> list[tuple[float, float]]:
    needed = ("gram", "mean_std") if name == "style" else (name,)
    points = [(line["step"], name_sum(line, name)) for line in lines if all(n in line for n in needed)]
    return [(x, y) for x, y in points if math.isfinite(y)]


def _change(before: float, after: float) -> str:
    percent = round(100 * (after / before - 1)) if before > 0 else 0
    return f"{abs(percent)} % {'lower' if percent < 0 else 'higher'}" if percent else "the same"


def _time_caption(step: int, best_step: int | None) -> str:
    caption = f"step {step:,}" if step else "before training"
    return f"{caption} (best)" if step == best_step else caption


def _pictures(times: Sequence[tuple[str, Path]]) -> Image.Image:
    """Photo over painting at the left, then the results over time in two rows."""
    found = [(caption, _strip(path)) for caption, path in times]
    strips = [(caption, strip) for caption, strip in found if strip is not None]
    if not strips:
        return Image.new("RGB", (1, 1), BACKGROUND)
    columns = (len(strips) + 1) // 2
    size = ((columns + 1) * (CELL + GAP) + GAP, 2 * (CELL + CAPTION + GAP))
    sheet = Image.new("RGB", size, BACKGROUND)
    pen = ImageDraw.Draw(sheet)

    def place(column: int, row: int, caption: str, picture: Image.Image) -> None:
        # A wider gap sets the originals apart.
        left, top = column * (CELL + GAP) + (GAP if column else 0), row * (CELL + CAPTION + GAP)
        pen.text((left, top), caption, fill=INK, font=font(18))
        sheet.paste(picture.resize((CELL, CELL), Image.Resampling.LANCZOS), (left, top + CAPTION))

    newest = strips[-1][1]
    place(0, 0, "content", _third(newest, 0))
    place(0, 1, "style", _third(newest, 1))
    for i, (caption, strip) in enumerate(strips):
        place(1 + i % columns, i // columns, caption, _third(strip, 2))
    return sheet


def _third(strip: Image.Image, index: int) -> Image.Image:
    return strip.crop((index * strip.height, 0, (index + 1) * strip.height, strip.height))
