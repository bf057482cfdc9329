"""One training at a time in a run's folder; a dead one's lock does not block."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from brushwork.cli.main import main
from brushwork.training.runs.files import LOCK_FILE
from brushwork.training.runs.owner import OwnedError, owned

HOLDS = """
import sys, time
from pathlib import Path
from brushwork.base.locks import held
with held(Path(sys.argv[1]), "process 7 on pluto"):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder():
    """A living process that trains in a folder, as far as the lock is concerned."""
    started = []

    def start(folder: Path) -> subprocess.Popen:
        folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", HOLDS, str(folder / LOCK_FILE)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_owned_until_the_end_and_after_a_kill(tmp_path, holder):
    alive = holder(tmp_path / "run")
    with pytest.raises(OwnedError, match=r"is being trained by process 7 on pluto; wait until it"):
        owned(tmp_path / "run").__enter__()
    alive.kill()
    alive.wait()
    assert (tmp_path / "run" / LOCK_FILE).exists()
    with owned(tmp_path / "run"):
        assert f"process {os.getpid()} on " in (tmp_path / "run" / LOCK_FILE).read_text()
    assert list((tmp_path / "run").iterdir()) == []


def test_the_command_refuses_a_run_that_is_being_trained(tmp_path, inputs_dir, holder, capsys):
    (tmp_path / "art").mkdir()
    shutil.copy(inputs_dir / "art-hokusai-great-wave.jpg", tmp_path / "art")
    command = [
        "train",
        "--mode",
        "style_code",
        "--style",
        str(tmp_path / "art"),
        "--out",
        str(tmp_path / "run"),
    ]
    alive = holder(tmp_path / "run")
    assert main(command) == 2
    assert "is being trained by process 7 on pluto; wait" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK_FILE]
    alive.kill()
    alive.wait()
    # The lock of a dead process does not block: it comes as far as the next mistake.
    assert main([*command, "--device", "nowhere"]) == 2
    assert "--device nowhere cannot be used here" in capsys.readouterr().err
