"""The reading order of the packages in docs/architecture.md: each imports only from packages to its left."""

from __future__ import annotations

import ast
import functools
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ORDER = (
    ("base",),
    ("pictures",),
    ("models", "dataset"),
    ("painting", "training", "evaluation"),
    ("nodes",),
    ("cli",),
    ("scripts", "benchmarks", "fuzz"),
)
FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
FILES = {p.relative_to(ROOT).as_posix(): p for room in FLOOR for p in sorted((ROOT / room).rglob("*.py"))}
OF_COMFYUI = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "folder_paths", "nodes", "server"}
WITH_TORCH = {"pictures/color.py", "pictures/tensors.py", "pictures/values.py"}
WITHOUT_TORCH = [name for name in FILES if name.startswith(("base/", "pictures/")) and name not in WITH_TORCH]


@functools.cache
def imported(name: str) -> list[str]:
    """All that a file imports, also within functions, by full names such as `brushwork.models.codes.lerp`."""
    package, found = ("brushwork", *Path(name).parts[:-1]), []
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            place = ".".join((*above, node.module or ""))
            found += [f"{place}.{alias.name}".replace("..", ".") for alias in node.names]
    return found


def rooms_of(name: str) -> set[str]:
    """The packages that a file imports from, and its own."""
    ours = {full.removeprefix("brushwork.") for full in imported(name) if full.startswith("brushwork.")}
    ours |= {full for full in imported(name) if full.startswith(("scripts.", "benchmarks.", "fuzz."))}
    return {full.split(".")[0] for full in ours} | {name.split("/")[0]}


# Both tests look at all files at once and name those that fail: 300 cases of each would cost seconds.


def test_a_file_imports_only_from_rooms_to_its_left() -> None:
    assert len(FILES) > 300
    wrong: dict[str, list[str]] = {}
    for name in FILES:
        own = name.split("/")[0]
        for room in rooms_of(name) - {own}:
            if FLOOR.get(room, -1) >= FLOOR[own]:
                wrong.setdefault(name, []).append(room)
    assert wrong == {}


def test_only_the_bridge_imports_comfyui() -> None:
    found = {
        name: modules
        for name in FILES
        if not name.startswith("nodes/bridge/")
        and (modules := {full.split(".")[0] for full in imported(name)} & OF_COMFYUI)
    }
    assert found == {}


def test_base_and_pictures_load_without_torch() -> None:
    modules = [".".join(("brushwork", *Path(name).with_suffix("").parts)) for name in WITHOUT_TORCH]
    modules = [module.removesuffix(".__init__") for module in modules]
    assert {"brushwork.base.files", "brushwork.pictures.reading"} <= set(modules)
    code = """
import importlib, json, sys
sys.path, names = json.loads(sys.argv[1])
sys.modules["torch"] = None  # which makes its import fail
for name in names:
    importlib.import_module(name)
"""
    command = [sys.executable, "-c", code, json.dumps([sys.path, modules])]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
