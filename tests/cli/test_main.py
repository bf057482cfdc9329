"""`brushwork` itself: commands by name, their help, the version."""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from brushwork.cli.main import COMMANDS, main

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def printed(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def test_help_names_every_command(capsys):
    text = printed(capsys, "--help")
    for name, command in COMMANDS.items():
        assert f"{name} {command.summary}" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_adds_its_own_parser(name, capsys):
    subparsers = argparse.ArgumentParser().add_subparsers()
    importlib.import_module(f"brushwork.cli.{COMMANDS[name].module}").add_parser(subparsers)
    assert list(subparsers.choices) == [name]
    assert printed(capsys, name, "--help").startswith(f"usage: brushwork {name} ")


def test_version(capsys):
    version = re.search(r'^version = "(.+)"', PROJECT.read_text(encoding="utf-8"), re.MULTILINE)
    assert printed(capsys, "--version") == f"brushwork {version[1]}"


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["pant", "--help"])
    assert stopped.value.code == 2
    assert "'pant'" in capsys.readouterr().err


def test_help_does_not_wait_for_pytorch():
    code = (
        "import sys\n"
        "from brushwork.cli.main import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "finally:\n"
        "    assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "evaluate" in done.stdout


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), RuntimeError("shapes")],
)
def test_memory_that_runs_out_is_one_sentence(error, monkeypatch, capsys):
    def run(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("brushwork.cli.dataset.run", run)
    if str(error) == "shapes":
        with pytest.raises(RuntimeError, match="shapes"):
            main(["dataset", "folder"])
        return
    assert main(["dataset", "folder"]) == 2
    expected = "brushwork dataset: memory ran out; close other programs, or give less at once.\n"
    assert capsys.readouterr().err == expected
