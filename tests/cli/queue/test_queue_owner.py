"""`brushwork queue`: one process at a time writes to a folder of results."""

from __future__ import annotations

from brushwork.base.locks import held
from brushwork.cli.queue.manifest import LOCK_FILE


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
