"""The README in both languages: the same sections, commands, tables, figures and links."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


class Readme:
    """A README taken apart: its code blocks, and the prose of each section without them."""

    def __init__(self, path: Path):
        text = path.read_text(encoding="utf-8")
        self.code = FENCE.findall(text)
        prose = FENCE.sub("", text)
        self.levels = [len(marks) for marks, _ in HEADING.findall(prose)]
        self.sections = re.split(r"^#+ .+$", prose, flags=re.MULTILINE)[1:]


ENGLISH, CHINESE = Readme(ROOT / "README.md"), Readme(ROOT / "README.zh-CN.md")


def tables(section: str) -> list[list[list[str]]]:
    blocks = re.findall(r"(?:^\|.*\|$\n?)+", section, re.MULTILINE)
    return [[line.strip("|").split(" | ") for line in block.splitlines()] for block in blocks]


def links(section: str) -> Counter[str]:
    return Counter(re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", section))


def spans(section: str) -> Counter[str]:
    return Counter(re.findall(r"`([^`]+)`", section))


def items(section: str) -> int:
    return len(re.findall(r"^ *(?:- |\d+\. )", section, re.MULTILINE))


def figures(text: str) -> list[str]:
    return re.findall(r"\d[\d.]*", text)


def test_the_sections_are_the_same():
    assert len(ENGLISH.sections) > 10
    assert CHINESE.levels == ENGLISH.levels


def test_the_commands_are_the_same():
    assert len(ENGLISH.code) > 5
    assert CHINESE.code == ENGLISH.code


@pytest.mark.parametrize("number", range(len(ENGLISH.sections)))
def test_each_section_has_the_same_names_lists_and_links(number):
    ours, theirs = ENGLISH.sections[number], CHINESE.sections[number]
    assert spans(theirs) == spans(ours)
    assert items(theirs) == items(ours)
    if number:  # the first links to the other language
        assert links(theirs) == links(ours)


def test_the_tables_have_the_same_cells_and_figures():
    assert sum(len(tables(section)) for section in ENGLISH.sections) >= 3
    for ours, theirs in zip(ENGLISH.sections, CHINESE.sections, strict=True):
        assert [[len(row) for row in table] for table in tables(theirs)] == [
            [len(row) for row in table] for table in tables(ours)
        ]
        for our_table, their_table in zip(tables(ours), tables(theirs), strict=True):
            for our_row, their_row in zip(our_table, their_table, strict=True):
                assert [figures(cell) for cell in their_row] == [figures(cell) for cell in our_row]


@pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_linked_files_are_there(readme):
    files = {path or source for section in readme.sections for path, source in links(section)}
    files = {path.split("#")[0] for path in files if not path.startswith("https://")}
    assert len(files) > 5
    assert [path for path in sorted(files) if not (ROOT / path).exists()] == []


def test_each_leads_to_the_other():
    assert "(README.zh-CN.md)" in ENGLISH.sections[0]
    assert "(README.md)" in CHINESE.sections[0]
    chinese = re.findall(r"[\u4e00-\u9fff]", "".join(CHINESE.sections))
    assert len(chinese) > 2000
