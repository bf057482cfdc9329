"""The pictures and the counting of benchmarks/queue_servers.py; the run itself needs two servers."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks.queue_servers import QueueOutcome, main, make_pictures, sheet


def test_pictures_are_all_different(tmp_path):
    photos, paintings = make_pictures(tmp_path, 80)
    for folder, count in ((photos, 8), (paintings, 10)):
        files = sorted(folder.iterdir())
        assert len(files) == count
        assert len({path.read_bytes() for path in files}) == count
    with Image.open(photos / "000.png") as photo:
        assert photo.size == (128, 128)
    assert sheet(sorted(photos.iterdir())).size == (1280, 128)


def test_what_is_missing_and_what_is_there_twice():
    lines = [{"job": job, "server": "a", "finished": f"0{i}"} for i, job in enumerate("xyyz")]
    outcome = QueueOutcome(5, ["x.png", "y.png", "z.png"], lines)
    assert (outcome.missing, outcome.twice) == (2, 1)
    assert outcome.painted_by("a") == 4
    assert outcome.painted_by("a", since="02") == 2
    assert outcome.painted_by("b") == 0


def test_memory_by_progress():
    outcome = QueueOutcome(100, memory=[(0, 10.0), (24, 11.0), (31, 12.0), (100, 13.0)])
    assert [outcome.memory_at(share) for share in (0.1, 0.25, 0.95)] == [11.0, 12.0, 13.0]


@pytest.mark.parametrize("jobs", ["0", "15"])
def test_jobs_that_cannot_be_shared_out_are_refused(jobs, capsys):
    with pytest.raises(SystemExit):
        main(["--jobs", jobs])
    assert f"--jobs is {jobs}; give a multiple of 10." in capsys.readouterr().err
