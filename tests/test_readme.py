"""The README in both languages: the same sections, commands, tables, figures and links."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import markdown_files
import pytest
from markdown_files import FENCE, HEADING, OWN_URLS, ROOT

# The sections that an artist reads, in this order.
SECTIONS = [
    "Brushwork",
    "How it compares",
    "Install in ComfyUI",
    "Your first painting",
    "Styles",
    "Nodes",
    "Workflows",
    "Train your own",
    "The command line",
    "Try it without ComfyUI",
    "Run the tests",
    "How good it is",
    "Licences",
]
# What a fresh machine needs, one line each: .ci/run and the checks of a release go by them.
FIRST_PAINTING = (
    "python -m venv .venv && .venv/bin/pip install . && "
    ".venv/bin/brushwork paint workflows/inputs/photo-city-singapore.jpg "
    "--style workflows/inputs/art-hokusai-great-wave.jpg"
)
TESTS = (
    'python -m venv .venv && .venv/bin/pip install ".[test]" && '
    ".venv/bin/python -m pytest -c tests/pytest.ini tests"
)


class Readme:
    """A README taken apart: its code blocks, and the prose of each section without them."""

    def __init__(self, path: Path):
        self.path = path
        text = path.read_text(encoding="utf-8")
        self.code = FENCE.findall(text)
        prose = FENCE.sub("", text)
        self.levels = [len(marks) for marks, _ in HEADING.findall(prose)]
        self.titles = [title for _, title in HEADING.findall(prose)]
        self.sections = re.split(r"^#+ .+$", prose, flags=re.MULTILINE)[1:]


ENGLISH, CHINESE = Readme(ROOT / "README.md"), Readme(ROOT / "README.zh-CN.md")


def tables(section: str) -> list[list[list[str]]]:
    blocks = re.findall(r"(?:^\|.*\|$\n?)+", section, re.MULTILINE)
    return [[line.strip("|").split(" | ") for line in block.splitlines()] for block in blocks]


def links(section: str) -> Counter[str]:
    """Targets; a help page counts alike in both languages."""
    return Counter(link.replace("/zh.md", ".md") for link in markdown_files.links(section))


def spans(section: str) -> Counter[str]:
    return Counter(re.findall(r"`([^`]+)`", section))


def items(section: str) -> int:
    return len(re.findall(r"^ *(?:- |\d+\. )", section, re.MULTILINE))


def figures(text: str) -> list[str]:
    return re.findall(r"\d[\d.]*", text)


def test_the_sections_are_the_same():
    assert len(ENGLISH.sections) > 10
    assert ENGLISH.titles == SECTIONS
    assert CHINESE.levels == ENGLISH.levels


def test_the_commands_are_the_same():
    assert len(ENGLISH.code) > 5
    assert CHINESE.code == ENGLISH.code


@pytest.mark.parametrize(
    ("section", "command"), [("Try it without ComfyUI", FIRST_PAINTING), ("Run the tests", TESTS)]
)
def test_a_fresh_machine_needs_one_line(section, command):
    text = (ROOT / "README.md").read_text(encoding="utf-8").split(f"### {section}\n")[1].split("\n#")[0]
    unix, windows = FENCE.findall(text)
    assert unix.splitlines() == ["```sh", command, "```"]
    line = windows.splitlines()[1]
    assert windows.splitlines() == ["```powershell", line, "```"]
    for ours, theirs in (
        ("python -m venv", "py -m venv"),
        (" && ", "; "),
        (".venv/bin/", ".venv\\Scripts\\"),
    ):
        command = command.replace(ours, theirs)
    assert line.replace("\\", "/") == command.replace("\\", "/")


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
                assert [figures(cell) for cell in map(without_links, their_row)] == [
                    figures(cell) for cell in map(without_links, our_row)
                ]


def without_links(cell: str) -> str:
    return re.sub(r"\]\([^)]*\)", "]", cell)


@pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_linked_files_are_there(readme):
    found = {link for section in readme.sections for link in markdown_files.links(section)}
    files = {place[0] for link in found if (place := markdown_files.target(link, readme.path))}
    assert len(files) > 5
    assert [path for path in sorted(files) if not path.exists()] == []


@pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_pypi_and_the_registry_can_follow_every_link(readme):
    found = [link for section in readme.sections for link in markdown_files.links(section)]
    assert [link for link in found if not link.startswith("https://")] == []
    pictures = re.findall(r'<img src="([^"]+)" alt="[^"]{10,}">', "".join(readme.sections))
    assert len(pictures) == 3
    assert [link for link in pictures if not link.startswith(OWN_URLS[1])] == []


def test_each_leads_to_the_other():
    assert f"({OWN_URLS[0]}README.zh-CN.md)" in ENGLISH.sections[0]
    assert f"({OWN_URLS[0]}README.md)" in CHINESE.sections[0]
    chinese = re.findall(r"[\u4e00-\u9fff]", "".join(CHINESE.sections))
    assert len(chinese) > 2000


def test_every_node_and_template_is_named():
    nodes = {path.stem for path in (ROOT / "web" / "docs").glob("*.md")}
    templates = {path.stem for path in (ROOT / "workflows").glob("*.json")}
    assert len(nodes) >= 14
    assert len(templates) >= 10
    by_title = dict(zip(ENGLISH.titles, ENGLISH.sections, strict=True))
    assert {row[0].split("`")[1] for row in tables(by_title["Nodes"])[0][2:]} == nodes
    assert {row[0].split("`")[1] for row in tables(by_title["Workflows"])[0][2:]} == templates
