"""The log of a run and its previews survive a crash and other people."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from brushwork.training.runs.log import log_interval, read_log
from brushwork.training.runs.progress_sheet import draw_sheet, preview_files

GOOD = b'{"step": 10, "total": 1.5}\n'


@pytest.mark.parametrize(
    "more",
    [
        b'{"step": 20, "tot',
        b'{"step": 20, "total": 1}'[:-3],
        b"\xff\xfe\0\n",
        b"\0" * 4096,
        b"[1]\n",
        b'{"step": "x", "total": 1}\n',
        b'{"step": 20, "total": NaN}\n',
        b'{"step": 20, "total": "1"}\n',
        b'{"step": 20, "total": 1' + b"0" * 400 + b"}\n",
        b'{"step": -1' + b"0" * 400 + b"}\n",
        b'{"step": true}\n',
        b"[" * 99_999,
        b"9" * 9999,
    ],
)
def test_torn_and_foreign_lines_are_left_out(tmp_path: Path, more: bytes) -> None:
    log = tmp_path / "log.jsonl"
    assert read_log(log) == []
    log.write_bytes(GOOD + more)
    assert read_log(log) == [{"step": 10, "total": 1.5}]
    log.write_bytes(GOOD + more.removesuffix(b"\n") + b"\n" + GOOD)
    assert len(read_log(log)) == 2


def test_previews_of_other_names_and_damaged_ones(tmp_path: Path) -> None:
    for name in ("preview_000010.jpg", "preview_000020.jpg", "preview_000010 (2).jpg", "preview_x.jpg"):
        Image.new("RGB", (768, 256), "teal").save(tmp_path / name)
    (tmp_path / "preview_000020.jpg").write_bytes(b"x")
    found = preview_files(tmp_path, 30)
    assert list(found) == [10, 20]
    assert draw_sheet("run", found, [], [], None).width > 256
    (tmp_path / "preview_000010.jpg").write_bytes(b"x")
    assert draw_sheet("run", found, [], [], None).height > 0


@pytest.mark.parametrize(("steps", "expected"), [(1, 1), (30, 1), (500, 5), (40_000, 50)])
def test_log_interval(steps: int, expected: int) -> None:
    assert log_interval(steps) == expected
