"""The table of options in the documentation."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from brushwork.training.options import LossWeights, TrainOptions
from scripts.options_table import END, START, insert, main, tables

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "training.md"


def test_the_documentation_is_up_to_date() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert insert(text) == text, f"run: python -m scripts.options_table {DOCUMENT}"


def test_every_option_and_weight_has_a_row() -> None:
    named = re.findall(r"^\| `(\w+)` \|", tables(), re.MULTILINE)
    options = [f.name for f in fields(TrainOptions) if f.name not in ("mode", "weights")]
    assert named == options + [f.name for f in fields(LossWeights)]
    assert "| `steps` | 150 | 300 | 40,000 | 1 … 10,000,000 | Training steps. |" in tables()


def test_marks_are_needed() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        insert("# Training")


def test_the_document_is_rewritten_or_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "training.md"
    path.write_text("# Training\n", encoding="utf-8")
    assert main([str(path)]) == 2
    assert "training.md: The text lacks the lines" in capsys.readouterr().err
    path.write_text(f"# Training\n\n{START}\nold\n{END}\n", encoding="utf-8")
    assert main([str(path)]) == 0
    assert path.read_text(encoding="utf-8") == f"# Training\n\n{START}\n\n{tables()}\n\n{END}\n"
