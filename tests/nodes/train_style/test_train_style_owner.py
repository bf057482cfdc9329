"""TrainStyle in two ComfyUIs at once: a run belongs to one of them, and a full disk ends no run."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack

import pytest

from brushwork.nodes import TrainStyle
from brushwork.nodes.train_style.place import run_files, take_place
from brushwork.training.runs.files import RECIPE_FILE
from brushwork.training.runs.owner import OwnedError

WANTED = {"options": {"mode": "style_code"}, "number": 1}
SMALL = {"steps": 2, "batch_size": 1, "resolution": 64, "mode": "style_code"}


def test_a_run_that_is_being_trained_is_refused_and_other_runs_get_other_names(fresh):
    with ExitStack() as first, ExitStack() as second:
        assert take_place("mine", WANTED, True, first).name == "mine"
        with pytest.raises(
            OwnedError, match=r"mine is being trained by process \d+ on .*; wait until it has"
        ):
            take_place("mine", WANTED, True, second)
        assert take_place("mine", WANTED | {"number": 2}, True, second).name == "mine_2"
        assert json.loads((run_files("mine_2").folder / RECIPE_FILE).read_text())["number"] == 2
    with ExitStack() as again:
        assert take_place("mine", WANTED, True, again).name == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes to run into")
def test_a_full_disk_ends_in_a_sentence_and_the_run_goes_on(fresh, small_gan, paintings_dir):
    """As on a full disk: the system refuses to let any file grow beyond 2 kB."""
    import resource

    def queue():
        return TrainStyle.execute(small_gan, style_folder=str(paintings_dir), **SMALL)

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        sentence = (
            r"cannot be read or written: .* cannot be used: .*; use a disk that takes larger files\. "
            r"Then press Run again with resume on"
        )
        with pytest.raises(ValueError, match=sentence):
            queue()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    folder = fresh / "output" / "brushwork_training"
    assert not [path for path in folder.rglob("*") if path.suffix in (".part", ".lock")]
    queue()
    assert [path.name for path in folder.iterdir()] == ["my style"]
