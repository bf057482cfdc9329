"""The benchmark of fine-tuning: its material, its figures, its bars."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from benchmarks.finetune import OF_ARTIST, SINGLE, Table, as_table, main, ratios, read_material, verdict

LOSSES = {"content": 0.5, "style": 0.1, "style_whole": 0.2, "style_half": 0.1, "style_quarter": 0.4}


def table(**factors: float) -> Table:
    """What a tuning did that multiplied the losses by these factors."""
    after = {name: value * factors.get(name, 1.0) for name, value in LOSSES.items()}
    return {OF_ARTIST: {"before": LOSSES, "after": after}, SINGLE: {"before": LOSSES, "after": LOSSES}}


def test_ratios_and_the_change_that_the_table_shows() -> None:
    found = table(content=1.05, style_half=0.5)
    assert ratios(found, OF_ARTIST) == pytest.approx(
        dict.fromkeys(LOSSES, 1) | {"content": 1.05, "style_half": 0.5}
    )
    lines = as_table(found).splitlines()
    assert "| style of the artist | after | 0.525 | 0.100 | 0.200 | 0.050 | 0.400 |" in lines
    assert "| style of the artist | change | +5% | +0% | +0% | -50% | +0% |" in lines
    assert "| single paintings | change | +0% | +0% | +0% | +0% | +0% |" in lines


def test_every_size_has_to_meet_the_bar() -> None:
    sizes = ("style_whole", "style_half", "style_quarter")
    assert "missed" not in verdict(table(content=1.1, **dict.fromkeys(sizes, 0.7)), 300.0)
    for name, factor, most in (("content", 1.11, 1.1), *((size, 0.71, 0.7) for size in sizes)):
        line = verdict(table(**{**dict.fromkeys(sizes, 0.6), name: factor}), 299.0)
        assert line.count("missed") == 1
        assert f"{name.removeprefix('style_')} {factor:.2f} (at most {most}: missed)" in line
    assert "301 s (at most 300: missed)" in verdict(table(**dict.fromkeys(sizes, 0.6)), 301.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Lists of twenty paintings by A, of them three for validation and one for testing, and twelve by B."""
    split = {
        "content": {"train": [], "val": [f"content/{i}.jpg" for i in range(8)], "test": []},
        "style": {
            "train": [f"style/a{i}.jpg" for i in range(16)] + [f"style/b{i}.jpg" for i in range(12)],
            "val": [f"style/a{i}.jpg" for i in range(16, 19)],
            "test": ["style/a19.jpg"],
        },
    }
    (tmp_path / "split.json").write_text(json.dumps(split))
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "artist"])
        rows.writerows([f"style/{name}{i}.jpg", name.upper()] for name in "ab" for i in range(20))
    return tmp_path


def test_twelve_to_tune_on_and_others_to_measure_with(data: Path) -> None:
    material = read_material(data, "A")
    assert len(material.tuned) == 12
    assert [path.name for path in material.held_out[:3]] == ["a16.jpg", "a17.jpg", "a18.jpg"]
    assert len(material.held_out) == 3 + 4
    assert not {*material.tuned} & {*material.held_out}
    assert not any(path.name in ("a19.jpg", "b0.jpg") for path in (*material.tuned, *material.held_out))
    assert len(material.photos) == 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--artist", "B"], "There are 12 paintings by 'B'; choose one with more."),
        (["--artist", "A", "--weight", "texture=1"], "texture"),
        (["--artist", "A", "--weight", "style"], "could not convert string to float"),
        (["--artist", "A", "--steps", "0"], "steps is 0; give a value from 1"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_slow(
    arguments: list[str], sentence: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(data), *arguments]) == 2
    assert sentence in capsys.readouterr().err
