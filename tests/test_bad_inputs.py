"""The table of bad files and what people see: every row is true."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_inputs import BAD_INPUTS, BadInput, png

from brushwork.cli.main import main


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=[bad.what for bad in BAD_INPUTS])
def test_what_you_see(tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: BadInput) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    file = folder / bad.name
    file.write_bytes(bad.make())
    if bad.name == "s.json" or bad.code == 0:
        (folder / "whole.png").write_bytes(png())
    places = {"file": file, "folder": folder, "out": tmp_path / "out"}
    assert main([part.format(**places) for part in bad.command]) == bad.code
    out, error = capsys.readouterr()
    said = " ".join((out + error).split())
    assert " ".join(bad.message.format(**places).split()) in said
    if bad.code == 2:
        assert error.startswith(f"brushwork {bad.command[0]}: ")
        assert error.count("\n") == 1
        assert error.endswith(".\n")
    assert not (tmp_path / "out").exists()
