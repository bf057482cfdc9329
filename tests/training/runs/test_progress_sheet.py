"""The sheet of a run and its charts: what is shown where, read back from the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from brushwork.pictures.chart import BACKGROUND, Chart, Series, running_mean
from brushwork.training.runs.progress_sheet import (
    CAPTION,
    CELL,
    COLORS,
    GAP,
    MARGIN,
    SIZE_COLORS,
    VALIDATION_COLOR,
    WARNING_INK,
    chosen_times,
    draw_sheet,
    loss_series,
    preview_files,
    size_series,
    summary,
    total_loss,
)

RED, BLUE = (213, 94, 0), (0, 114, 178)


def scores(*totals):
    """Validations every 10 steps."""
    return [
        {"step": 10 * i, "content": 1.0 + 0.01 * i, "gram": t / 2, "mean_std": t / 4, "total": t}
        for i, t in enumerate(totals)
    ]


def history(count):
    return [
        {"step": i, "content": 1.0, "gram": 2 / i, "mean_std": 1 / i, "total": 9 / i, "identity": 0.1}
        for i in range(1, count + 1)
    ]


@pytest.fixture
def run_folder(tmp_path):
    """Previews of steps 0, 10, … 80; the result of step s is a grey of 40 + s."""
    for step in range(0, 90, 10):
        strip = Image.new("RGB", (3 * CELL, CELL), (40 + step,) * 3)
        strip.paste((200, 30, 30), (0, 0, CELL, CELL))
        strip.paste((30, 30, 200), (CELL, 0, 2 * CELL, CELL))
        strip.save(tmp_path / f"preview_{step:06d}.jpg", quality=95)
    return tmp_path


def cells(sheet):
    """The colours in the middle of the pictures: the left column, then the results in reading order."""
    pixels = np.asarray(sheet).astype(int)
    # The first row of pictures begins where the content's red does.
    top = int(np.argmax((abs(pixels[:, MARGIN + 5] - (200, 30, 30)) < 8).all(1)))
    rows = [top + CELL // 2, top + CELL // 2 + CELL + CAPTION + GAP]
    columns = [MARGIN + CELL // 2 + i * (CELL + GAP) + (GAP if i else 0) for i in range(4)]
    return [[pixels[row, column] for column in columns] for row in rows]


def near(color, wanted):
    return np.abs(color - np.array(wanted)).max() <= 4


def test_pictures_in_the_order_of_time(run_folder):
    sheet = draw_sheet("run", preview_files(run_folder, 80), history(80), scores(5, 4, 3, 2, 1), 40)
    first, second = cells(sheet)
    assert near(first[0], (200, 30, 30))
    assert near(second[0], (30, 30, 200))
    steps = chosen_times(list(range(0, 90, 10)), 40)
    assert len(steps) == 6
    for color, step in zip([*first[1:], *second[1:]], steps, strict=True):
        assert near(color, (40 + step,) * 3)


def test_few_previews_leave_gaps(run_folder):
    sheet = draw_sheet("run", preview_files(run_folder, 10), history(10), scores(5, 4), 10)
    first, second = cells(sheet)
    assert near(first[1], (40, 40, 40))
    assert near(second[1], (50, 50, 50))
    assert near(first[2], BACKGROUND)


def test_previews_after_the_state_are_left_out(run_folder):
    (run_folder / "sheet_000010.jpg").write_bytes(b"")
    assert list(preview_files(run_folder, 35)) == [0, 10, 20, 30]


@pytest.mark.parametrize(
    ("steps", "best", "expected"),
    [
        ([], None, []),
        ([0, 5], 5, [0, 5]),
        (list(range(0, 100, 10)), None, [0, 20, 40, 50, 70, 90]),
        (list(range(0, 100, 10)), 30, [0, 30, 40, 50, 70, 90]),
        (list(range(0, 100, 10)), 10, [0, 10, 40, 50, 70, 90]),
        (list(range(0, 100, 10)), 35, [0, 20, 40, 50, 70, 90]),
    ],
)
def test_chosen_times(steps, best, expected):
    assert chosen_times(steps, best) == expected


def test_a_warning_is_seen(run_folder):
    def inked(warning):
        sheet = draw_sheet("run", preview_files(run_folder, 80), history(9), scores(5, 4), 10, "", warning)
        return (np.asarray(sheet) == WARNING_INK).all(2).sum(), sheet.height

    without, with_ = inked(""), inked("The loss was not finite in 8 steps in a row, up to step 40. " * 3)
    assert without[0] == 0
    assert with_[0] > 500
    assert with_[1] > without[1] + 40  # it takes more than a line


def test_nothing_runs_off_the_sheet(run_folder):
    title = "W" * 90 + " a title that is much too long for one line " * 3
    sheet = draw_sheet(title, preview_files(run_folder, 80), history(80), scores(5, 400, 4), 80, "where " * 3)
    pixels = np.asarray(sheet)
    for edge in (pixels[:, : MARGIN // 2], pixels[:, -MARGIN // 4 :], pixels[: MARGIN // 4], pixels[-4:]):
        assert (edge == BACKGROUND).all()


def test_the_gram_loss_of_each_size_has_a_chart_where_the_log_has_it():
    plain = [{name: value for name, value in line.items() if name != "identity"} for line in history(80)]
    factors = dict(zip(SIZE_COLORS, (1, 2, 3), strict=True))
    lines = [line | {f"gram_{name}": f / line["step"] for name, f in factors.items()} for line in plain]
    points = [[y for _, y in series.points[:2]] for series in size_series(lines)]
    assert points == [[1, 0.5], [2, 1], [3, 1.5]]

    def has_quarter(history):
        pixels = np.asarray(draw_sheet("run", {}, history, scores(5, 4), 10)).astype(int)
        return (np.abs(pixels - SIZE_COLORS["quarter"]) <= 12).all(2).sum() > 100

    assert has_quarter(lines)
    assert not has_quarter(plain)


def test_validation_is_drawn_on_top_of_the_smoothed_losses():
    lines = [{"step": i, "total": 3 + (i % 2), "content": 1.0} for i in range(1, 61)]
    series = loss_series(lines, scores(4, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5))
    assert (series[0].name, series[0].points[:2]) == ("validation", [(0, 4), (10, 3.5)])
    chart = Chart("t", "step", series)
    # The running mean of the total lies under the line of the validations, whose first dot is above it.
    validation, total = places(chart, VALIDATION_COLOR), places(chart, COLORS["total"])
    over = validation[(validation[:, 0] > 200) & (validation[:, 0] < 500)]
    assert len(over) > 600
    at = {tuple(place) for place in over}
    assert not at & {tuple(place) for place in total}
    assert np.ptp(over[:, 1]) < 12  # dots and line at one height, whole


def test_what_the_node_plots_is_smoothed_and_finite():
    rough = [{"step": i, "total": 10.0 + (-1) ** i} for i in range(1, 101)]
    assert np.ptp(total_loss(rough)[10:]) < 0.5
    assert total_loss(rough[:4]) == [9, 11, 9, 11]
    assert total_loss([*rough[:2], {"step": 3, "total": float("nan")}, {"step": 4}]) == [9, 11]


def test_before_the_first_step(tmp_path):
    sheet = draw_sheet("run", {}, [], scores(5), 0)
    assert sheet.width > 600


def test_summary():
    assert summary(scores(4), 0) == ""
    assert summary(scores(4, 5, 6), 0) == "No validation has been better than before the training."
    assert summary(scores(4, 3, 5), 10) == (
        "Best weights: step 10. Against step 0, the style loss is 25 % lower and the content loss 1 % higher."
    )


# -- charts ---------------------------------------------------------------------------------------


def places(chart, color, width=540, height=340):
    """[N,2]: the pixels of a colour as (x, y), below the legend."""
    pixels = np.asarray(chart.draw(width, height)).astype(int)
    found = np.argwhere((np.abs(pixels - color) <= 12).all(2))
    return found[found[:, 0] > 60][:, ::-1]


def ends(found):
    """Mean y at the left end and at the right end."""
    left, right = found[:, 0].min(), found[:, 0].max()
    return [found[np.abs(found[:, 0] - x) <= 2][:, 1].mean() for x in (left, right)]


def test_lines_go_where_the_values_go():
    chart = Chart("t", "x", [Series("up", RED, [(0, 1), (10, 2)]), Series("down", BLUE, [(0, 2), (10, 1)])])
    up, down = ends(places(chart, RED)), ends(places(chart, BLUE))
    assert up[0] > up[1] + 100
    assert down[0] < down[1] - 100
    assert up == pytest.approx(down[::-1], abs=3)


def test_wide_ranges_are_logarithmic():
    """Equal ratios are equal distances: 1, 10, 100 is a straight line."""
    found = places(Chart("t", "x", [Series("a", RED, [(0, 1), (5, 10), (10, 100)])]), RED)
    middle = (found[:, 0].min() + found[:, 0].max()) / 2
    at_middle = found[np.abs(found[:, 0] - middle) <= 2][:, 1].mean()
    assert at_middle == pytest.approx(np.mean(ends(found)), abs=3)


def test_a_long_title_leaves_the_scale_whole():
    """Narrow charts with the title of the validations once cut "logarithmic" off."""
    points = [(0, 1.0), (5, 100.0)]
    drawn = [
        np.asarray(Chart(title, "step", [Series("a", RED, points)]).draw(280, 340))
        for title in ("t", "Validation, on held-out photos")
    ]
    faint = [(pixels == (110, 110, 106)).all(2) for pixels in drawn]
    assert faint[0].any()
    assert (faint[0] == faint[1]).all()
    assert not faint[0][:, -8:].any()


def test_the_mark_is_at_its_place():
    def ink(mark):
        pixels = np.asarray(Chart("t", "x", [Series("a", RED, [(0, 1), (10, 2)])], mark).draw(540, 340))
        return (pixels == (110, 110, 106)).all(2)

    marked = ink((5, "best"))[120:280]
    columns = marked.sum(0)
    assert columns.argmax() == pytest.approx(64 + (540 - 16 - 64) / 2, abs=2)
    assert not ink(None)[120:280].any()


@pytest.mark.parametrize(
    "points",
    [
        [(3, 1.0)],
        [(0, 0.0)],
        [(0, 2.0), (5, 2.0)],
        [(0, 0.0), (5, 0.0)],
        [(0, 0.0), (5, 1.0), (6, 100.0)],
        [(0, -1.0), (5, 1.0)],
        [(0, 1e-9), (40_000, 1e9)],
    ],
)
def test_unusual_values_are_drawn(points):
    assert len(places(Chart("t", "x", [Series("a", RED, points)]), RED)) > 8


def test_no_values():
    blank = np.asarray(Chart("t", "x", [Series("a", RED, [])]).draw(400, 300))
    assert (blank != BACKGROUND).any()


def test_noise_is_smoothed_over():
    ys = np.random.default_rng(1).normal(10, 1, 400)
    means = [y for _, y in running_mean([(i, y) for i, y in enumerate(ys)])]
    assert np.std(means[40:]) < np.std(ys) / 3
    assert np.mean(means[40:]) == pytest.approx(10, abs=0.2)


def test_colours_of_the_lines_differ():
    colors = np.array([*COLORS.values(), VALIDATION_COLOR])
    distances = np.abs(colors[:, None] - colors[None]).sum(2) + 1000 * np.eye(len(colors))
    assert distances.min() > 90
