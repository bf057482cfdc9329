"""A folder or a pipe where a run keeps a file of its own: one sentence that names it, at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from brushwork.base.locks import held
from brushwork.base.system_errors import NoFileError
from brushwork.cli.main import main
from brushwork.models.checkpoint import CheckpointError
from brushwork.training.runs.files import LOCK_FILE, RunFiles
from brushwork.training.runs.owner import owned
from brushwork.training.state import open_state

OTHERS: dict[str, Callable[[Path], None]] = {"a folder": Path.mkdir}
if hasattr(os, "mkfifo"):
    OTHERS["a pipe"] = os.mkfifo
FILES = ["run.lock", "state.safetensors", "log.jsonl", "recipe.json"]
FILES += ["brushwork.safetensors", "last.safetensors", "style.safetensors"]
FILES += ["preview_000001.jpg", "sheet_000001.jpg"]


@pytest.fixture(params=list(OTHERS))
def other(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("more", [[], ["--resume"], ["--dry-run"]], ids=["new", "resumed", "planned"])
def test_what_is_no_file_is_named_before_anything_is_trained(
    tmp_path: Path, inputs_dir: Path, capsys, name: str, other: str, more: list[str]
) -> None:
    path = tmp_path / "run" / name
    path.parent.mkdir()
    OTHERS[other](path)
    assert main(["train", "--style", str(inputs_dir), "--out", str(path.parent), *more]) == 2
    sentence = (
        f"A file cannot be read or written: {path} cannot be used: It is {other} and no file; move it away."
    )
    assert capsys.readouterr().err == f"brushwork train: {sentence}\n"
    assert [each.name for each in path.parent.iterdir()] == [name]


def test_a_run_in_python_refuses_it(tmp_path: Path, other: str) -> None:
    files = RunFiles.in_folder(tmp_path)
    files.check()
    OTHERS[other](files.log)
    with pytest.raises(NoFileError, match=f"It is {other} and no file"):
        files.check()
    OTHERS[other](files.state)
    with pytest.raises(CheckpointError, match=rf"state\.safetensors cannot be used: It is {other} and no"):
        open_state(files.state).__enter__()


def test_no_lock_is_taken_on_what_is_no_file(tmp_path: Path, other: str) -> None:
    OTHERS[other](tmp_path / LOCK_FILE)
    for holder in (owned(tmp_path), held(tmp_path / LOCK_FILE)):
        with pytest.raises(NoFileError, match=f"It is {other} and no file"):
            holder.__enter__()
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]
