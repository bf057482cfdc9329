"""`brushwork` itself: commands by name, their help, the version."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from brushwork.cli.main import COMMANDS, main

# Longer than any file system takes.
LONG = "a" * 300

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
    assert main(["pant", "--help"]) == 2
    assert capsys.readouterr().err == "brushwork: there is no command pant; did you mean paint?\n"


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


@pytest.mark.parametrize(
    "arguments",
    [
        ("paint", "a.png", "--style", "klimt-kiss", "--out", LONG),
        ("paint", "a.png", "--style", "klimt-kiss", "--checkpoint", LONG),
        ("encode", "a.png", "--out", LONG),
        ("dataset", LONG),
        ("dataset", ".", "--json", LONG),
        ("render", "stylize_photo", "--output-dir", LONG),
        ("judge", "sheet", ".", ".", "--out", LONG),
    ],
    ids=" ".join,
)
def test_a_path_that_the_system_does_not_take(arguments, tmp_path, monkeypatch, capsys):
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"brushwork {arguments[0]}: {LONG[:100]}")
    assert error.endswith(" cannot be used: File name too long; give it a shorter name.\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermissionError(13, "Permission denied", "closed/x"),
            "closed/x cannot be used: Permission denied; ",
        ),
        (OSError(5, "Input/output error"), "Input/output error."),
        (OSError("odd"), "odd."),
    ],
)
def test_what_the_system_says_is_one_sentence(error, said, monkeypatch, capsys):
    def run(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("brushwork.cli.dataset.run", run)
    assert main(["dataset", "folder"]) == 2
    assert capsys.readouterr().err.startswith(f"brushwork dataset: {said}")


@pytest.mark.parametrize(
    "arguments", [("paint", "a.png", "--random", "1", "--out", ""), ("dataset", ""), ("encode", "--out", "")]
)
def test_an_empty_path_is_not_the_current_folder(arguments, capsys):
    assert main(arguments) == 2
    name = "--out" if "--out" in arguments else "DIR"
    assert capsys.readouterr().err == f"brushwork {arguments[0]}: {name} is empty; give a name.\n"


def test_a_path_with_a_zero_byte(tmp_path, capsys):
    assert main(["dataset", str(tmp_path), "--json", "a\0.json"]) == 2
    assert "--json has a zero byte, which no path has; give another name." in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a folder that is in use")
def test_a_current_folder_that_was_deleted(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["dataset", "folder"]) == 2
    said = "brushwork dataset: the current folder is gone or closed; change to another one.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "arguments",
    [
        ("paint", "a.png", "--style", "b.png", "--tile", "9" * 5000),
        ("paint", "a.png", "--style", "b.png", "--device", "cpu", "--pairs", "x" * 5000),
        ("queue", "w", "--content", "a", "--out", "b", "--retries", "9" * 5000),
        ("dataset", ".", "--no-such-option", "x" * 5000),
        ("x" * 5000,),
    ],
    ids=lambda arguments: arguments[-2] if len(arguments) > 1 else "command",
)
def test_errors_repeat_no_value_of_any_length(arguments, capsys):
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()[-1]) < 700


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--retries", "give a whole number of 0 or more."),
        ("--patience", "give a number of 0 or more."),
        ("--transfer-timeout", "give a number of 0 or more."),
        ("--max-download-size", "give a number of MB above 0."),
    ],
)
@pytest.mark.parametrize("value", ["", "nan", "inf", "-1", "1e400", "0x10", "many"])
def test_numbers_of_the_queue(option, said, value, capsys):
    assert main(["queue", "w", "--content", "a", "--out", "b", f"{option}={value}"]) == 2
    assert capsys.readouterr().err == f"brushwork queue: {option} is {value or 'empty'}; {said}\n"
