"""Docstrings, comments and messages of the code: plain English, and what they point to is there."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from functools import cache

from markdown_files import ROOT, name, read
from plain_english import banned_in

PACKAGES = (
    "base",
    "pictures",
    "models",
    "dataset",
    "painting",
    "training",
    "evaluation",
    "nodes",
    "cli",
    "scripts",
    "benchmarks",
    "fuzz",
)
FILES = [ROOT / "__init__.py", *(path for room in PACKAGES for path in sorted((ROOT / room).rglob("*.py")))]
NOTES = read(ROOT / "docs" / "history.md").split("\n## Notes from the code\n")[1]

NAMED_FILE = re.compile(r"(?<![\w/.…-])[a-z_]+/[\w/]+\.(?:py|md)\b")
# "If there is none" is plain English in a docstring.
ALLOWED = {"is none", "are none"}

# Names are American, except for released ones.
BRITISH = (
    "colour",
    "grey",
    "centre",
    "normalis",
    "optimis",
    "initialis",
    "recognis",
    "minimis",
    "neighbour",
    "behaviour",
)
RELEASED = {"colour"}
STRING_OR_COMMENT = re.compile(r'"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#.*')

# The tests look at all files at once and name those that fail: 300 cases of each would cost seconds.


@cache
def sentences(code: str) -> list[str]:
    """All comments, as one text each if they follow each other, and all strings with a space in them."""
    comments: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            line = token.start[0]
            first = next((n for n in comments if n + comments[n].count("\n") + 1 == line), line)
            comments[first] = (comments[first] + "\n" if first in comments else "") + token.string.lstrip("#")
    strings = [
        node.value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    ]
    return [*comments.values(), *strings]


def test_the_english_is_plain() -> None:
    assert len(FILES) > 300
    found = [
        (name(path), phrase, text)
        for path in FILES
        for text in sentences(read(path))
        for phrase in banned_in(text)
        if phrase not in ALLOWED
    ]
    assert found == []


def test_a_phrase_is_found_in_comments_docstrings_and_messages() -> None:
    code = "# Three, two of\n# which are here.\nour = 1\n\n\ndef f():\n"
    code += '    """All but one."""\n    raise ValueError(f\'{our} is ours.\')\n'
    assert [banned_in(text) for text in sentences(code)] == [["of which"], ["all but"], ["ours"]]


def british_names(code: str) -> set[str]:
    """British spellings in the code's names, without what strings and comments say."""
    if not any(part in code.lower() for part in BRITISH):
        return set()
    words = set(re.findall(r"\w+", STRING_OR_COMMENT.sub("", code))) - RELEASED
    # The name of a test is a sentence.
    return {w for w in words if not w.startswith("test_") and any(part in w.lower() for part in BRITISH)}


def test_names_are_american() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert len(tests) > 200
    found = [(name(path), names) for path in [*FILES, *tests] if (names := british_names(read(path)))]
    assert found == []


def test_a_british_name_is_found_and_prose_is_not() -> None:
    code = 'def f(grey_level, colour):\n    """A grey sky."""\n    return "#centre" + centred  # neighbours\n'
    assert british_names(code) == {"grey_level", "centred"}
    assert british_names("def test_grey_stays_grey(): ...") == set()


def test_files_that_are_named_exist() -> None:
    named = {
        (name(path), p)
        for path in FILES
        for text in sentences(read(path))
        for p in NAMED_FILE.findall(text)
        if (ROOT / p.split("/")[0]).is_dir()
    }
    assert named
    assert [(path, p) for path, p in sorted(named) if not (ROOT / p).exists()] == []


def test_a_pointer_to_the_notebook_leads_to_an_entry() -> None:
    pointing = [
        name(path) for path in FILES if any("docs/history.md" in text for text in sentences(read(path)))
    ]
    assert pointing
    assert [path for path in pointing if f"`{path}`" not in NOTES] == []
