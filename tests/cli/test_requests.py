"""What argparse made leaves the parser as a typed request; nothing else travels."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import brushwork.cli
from brushwork.cli.main import COMMANDS

CLI = Path(brushwork.cli.__file__).parent
ROOT = Path(__file__).resolve().parents[2]

# It hands the arguments to the entry of a command.
MAIN = ("main.py", "main")


def makes_request(name: str) -> bool:
    return name == "request_from" or name.endswith("_request_from")


def only_makes_request(function: ast.FunctionDef, argument: str) -> bool:
    """Whether all that an entry does with its `argument` is one call that makes the request."""
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == argument]
    calls = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and makes_request(ast.unparse(node.func).rpartition(".")[2])
        and [ast.unparse(each) for each in node.args] == [argument]
    ]
    return len(uses) == len(calls) == 1


def strays(source: str, file: str = "") -> list[str]:
    """The places in `source` where a namespace of argparse is named, and may not be."""
    tree = ast.parse(source)
    allowed: set[int] = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        is_entry = function.name == "run" or function.name.startswith("run_")
        for each in function.args.args:
            if makes_request(function.name) or (is_entry and only_makes_request(function, each.arg)):
                allowed |= {id(node) for node in ast.walk(each)}
        if (file, function.name) == MAIN:
            allowed |= {id(node) for node in ast.walk(function)}
    return [
        f"{file}:{node.lineno}"
        for node in ast.walk(tree)
        if (
            (isinstance(node, ast.Attribute) and node.attr == "Namespace")
            or (isinstance(node, ast.Name) and node.id == "Namespace")
            or (isinstance(node, ast.alias) and node.name == "Namespace")
        )
        and id(node) not in allowed
    ]


def test_no_namespace_travels_past_the_parser() -> None:
    files = sorted(CLI.rglob("*.py"))
    found = [stray for f in files for stray in strays(f.read_text("utf-8"), f.relative_to(CLI).as_posix())]
    assert found == []


@pytest.mark.parametrize("room", ["benchmarks", "fuzz", "scripts"])
def test_no_namespace_is_handed_on_in_what_does_not_ship(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    found = [stray for f in files for stray in strays(f.read_text("utf-8"), f.relative_to(ROOT).as_posix())]
    assert found == []


def test_each_command_makes_a_request() -> None:
    for command in COMMANDS.values():
        tree = ast.parse((CLI / f"{command.module.replace('.', '/')}.py").read_text("utf-8"))
        names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        assert any(name == "run" or name.startswith("run_") for name in names), command


@pytest.mark.parametrize(
    "source",
    [
        "def paint(args: argparse.Namespace): ...",
        "def run(args: argparse.Namespace): paint(args)",
        "def run(args: argparse.Namespace): paint(request_from(args), args.out)",
        "def run(args: argparse.Namespace): args.func(request_from(args.rest))",
        "def run() -> argparse.Namespace: ...",
        "class Run:\n    args: argparse.Namespace",
        "from argparse import Namespace",
    ],
)
def test_what_is_refused(source: str) -> None:
    assert len(strays(source)) == 1
