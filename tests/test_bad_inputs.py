"""The table of bad files and what people see: every row is true."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_inputs import BAD_INPUTS, BadInput

from brushwork.cli.main import main
from scripts import bad_inputs_table

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "bad-inputs.md"


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=[bad.what for bad in BAD_INPUTS])
def test_what_you_see(tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: BadInput) -> None:
    places = bad.place(tmp_path)
    assert main([part.format(**places) for part in bad.command]) == bad.code
    out, error = capsys.readouterr()
    said = " ".join((out + error).split())
    assert " ".join(bad.message.format(**places).split()) in said
    if bad.code == 2:
        assert error.startswith(f"brushwork {bad.command[0]}: ")
        assert error.count("\n") == 1
        assert error.endswith(".\n")
    if bad.command[0] == "paint":  # which has made the folder, since other pictures may come out
        assert list((tmp_path / "out").iterdir()) == []
    else:
        assert not (tmp_path / "out").exists()
    assert bad_inputs_table.row(bad, bad.shown(out + error, places)) in DOCUMENT.read_text(encoding="utf-8")


def test_the_document_has_no_other_rows() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("| ") for line in lines) == len(BAD_INPUTS) + 2
