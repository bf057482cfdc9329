"""docs/architecture.md: the tree is this tree, and models/ is told file by file."""

from __future__ import annotations

import re

from markdown_files import ROOT, read

SECTIONS = dict(
    re.findall(r"^## ([^\n]+)\n(.+?)(?=^## |\Z)", read(ROOT / "docs" / "architecture.md"), re.M | re.S)
)


def named(section: str) -> list[str]:
    """What stands in code marks in the first cells of the section's table."""
    heads = re.findall(r"^\| (`.+?) \|", SECTIONS[section], re.MULTILINE)
    return re.findall(r"`([^`]+)`", " ".join(heads))


def test_the_folders_are_there():
    folders = [ROOT / name for name in named("The tree")]
    assert len(folders) > 15
    assert [folder for folder in folders if not folder.is_dir()] == []


def test_every_package_has_a_line():
    parts = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("[a-z]*/__init__.py")}
    assert len(parts) > 5
    assert parts - {name.rstrip("/") for name in named("The tree")} == set()


def test_every_file_of_models_has_a_line():
    models = ROOT / "models"
    files = {
        path.relative_to(models).as_posix() for path in models.rglob("*.py") if path.name != "__init__.py"
    }
    assert len(files) > 15
    assert set(named("The files of models/")) == files
