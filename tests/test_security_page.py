"""SECURITY.md: every promise names the tests that hold it, and they are there."""

from __future__ import annotations

import re

import pytest
from markdown_files import CODE_SPAN, ROOT, read

PAGE = read(ROOT / "SECURITY.md")
PROMISES = re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)[2:]  # without head and rule


def files_of(number: int) -> list[str]:
    """The files that the promise of this number names; "the same" are those of the promise before."""
    named = PROMISES[number][1]
    return files_of(number - 1) if named == "the same" else re.findall(r"`(tests/[^`]+)`", named)


def test_the_promises_are_found() -> None:
    assert len(PROMISES) >= 14
    assert all(len(promise) > 20 for promise, _ in PROMISES)


@pytest.mark.parametrize("number", range(len(PROMISES)), ids=lambda number: PROMISES[number][0][:40])
def test_the_tests_of_a_promise_are_there(number: int) -> None:
    files = files_of(number)
    assert files
    for file in files:
        assert re.search(r"^def test_\w+\(", read(ROOT / file), re.MULTILINE), file


def test_nothing_else_stands_in_the_column_of_the_tests() -> None:
    for _, named in PROMISES:
        rest = CODE_SPAN.sub("", named)
        assert rest.strip(" ,") in ("", "the same", "; [the table](docs/bad-inputs.md)")
