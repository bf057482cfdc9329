"""Texts that may come from anywhere: pipes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from brushwork.base.text_files import read_json, read_text
from brushwork.cli.main import main

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no named pipes in folders")


def test_a_pipe_among_the_files_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in an archive of a stranger."""
    pipe = tmp_path / "list.json"
    os.mkfifo(pipe)
    for read in (read_text, read_json):
        with pytest.raises(ValueError, match=r"list\.json is a pipe and no file; give a file\.$"):
            read(pipe)
    assert main(["encode", "--catalogue", str(pipe), "--out", str(tmp_path / "out")]) == 2
    assert main(["judge", "tally", str(pipe), str(pipe)]) == 2
    assert main(["dataset", str(tmp_path), "--split", str(pipe)]) == 2
    assert capsys.readouterr().err.count("\n") == 3


def test_a_pipe_that_is_open_is_read() -> None:
    """As in `--catalogue <(make-list)`."""
    reads, writes = os.pipe()

    def write() -> None:
        os.write(writes, b"[1, 2]")
        os.close(writes)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_json(f"/dev/fd/{reads}") == [1, 2]
    writer.join()
    os.close(reads)
