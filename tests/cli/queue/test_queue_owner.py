"""`brushwork queue`: one process at a time writes to a folder of results."""

from __future__ import annotations

import os

import pytest

from brushwork.base.locks import held
from brushwork.cli.errors import CommandError
from brushwork.cli.queue.manifest import LOCK_FILE, MANIFEST, Results


def test_a_second_queue_into_one_folder_is_refused_while_the_first_lives(comfy, queue, tmp_path):
    with held(tmp_path / "out" / LOCK_FILE, "process 7 on pluto"):
        result = queue(comfy.url("good while another one lives"))
    assert result.code == 2
    assert "out is being written by another brushwork queue, process 7 on pluto; wait" in result.err
    assert result.files == []

    # A lock file without a living process does not count, and none is left behind.
    (tmp_path / "out" / LOCK_FILE).write_text("process 8 on pluto")
    result = queue(comfy.url("good after it"))
    assert (result.code, len(result.files)) == (0, 3)
    assert not (tmp_path / "out" / LOCK_FILE).exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_lock_or_a_manifest_that_is_no_file_is_named(tmp_path):
    for make, what in ((os.mkdir, "a folder"), (os.mkfifo, "a pipe")):
        folder = tmp_path / what
        folder.mkdir()
        make(folder / LOCK_FILE)
        with pytest.raises(CommandError, match=rf"lock cannot be used: It is {what} and no file; move it"):
            Results(folder).owned().__enter__()
    os.mkfifo(tmp_path / MANIFEST)
    with pytest.raises(CommandError, match=r"jsonl cannot be written: It is a pipe and no file; move it"):
        Results(tmp_path).check_writable()
