"""All Markdown documents: links lead somewhere, lines have one width, the English is plain."""

from __future__ import annotations

import re

import pytest
from markdown_files import ROOT, anchors, documents, is_chinese, links, name, prose, read, target

WIDTH = 110
DOCUMENTS = documents()
ENGLISH = [path for path in DOCUMENTS if not is_chinese(path)]
# The lab notebook stands as it was written at the time.
PLAIN = [path for path in ENGLISH if path.name != "history.md"]
# Inverted or bookish turns, and a network that speaks of itself: plain English has subject, verb, object.
BANNED = (
    "of which",
    "is none",
    "are none",
    "owes its being",
    "owe its being",
    "no taste",
    "but for",
    "where models lie",
    "ours",
    "we",
    "our",
)

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name)
# What a line cannot be broken in: code, pictures, addresses.
UNBROKEN = re.compile(r"`[^`]+`|!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)")
MARK = re.compile(r"^ *(?:[-*] |\d+\. )?")


def test_the_documents_are_found():
    names = {name(path) for path in DOCUMENTS}
    assert {
        "README.md",
        "README.zh-CN.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/training.md",
        "docs/history.md",
        "weights/README.md",
        "web/docs/Generate.md",
        "web/docs/Generate/zh.md",
    } <= names
    assert len(DOCUMENTS) > 40


@each_document
def test_links_lead_to_files_and_headings(path):
    text = read(path)
    places = [(link, target(link, path)) for link in links(text)]
    own = [(link, *place) for link, place in places if place is not None]
    assert [link for link, file, _ in own if not file.exists()] == []
    assert [link for link, file, _ in own if not file.is_relative_to(ROOT)] == []
    lost = [link for link, file, anchor in own if anchor and anchor not in anchors(read(file))]
    assert lost == []


def test_links_and_headings_are_told_apart():
    document = ROOT / "docs" / "page.md"
    text = "[a](lost.md) [b](training.md#lost) [c](#b-c) `[d](code.md)` [e](https://example.org)\n"
    text += "# B, c\n# B, c\n"
    assert links(text) == ["lost.md", "training.md#lost", "#b-c", "https://example.org"]
    assert target("lost.md", document) == (ROOT / "docs" / "lost.md", "")
    assert target("training.md#lost", document) == (ROOT / "docs" / "training.md", "lost")
    assert target("https://example.org", document) is None
    assert anchors(text) == {"b-c", "b-c-1"}


def too_long(text: str) -> list[str]:
    """Lines wider than WIDTH that could be broken; code, tables and raw HTML keep theirs."""
    found = []
    for line in prose(text).splitlines():
        body = UNBROKEN.sub("x", MARK.sub("", line, count=1))
        if len(line) > WIDTH and not line.startswith(("|", "<")) and " " in body:
            found.append(line)
    return found


@pytest.mark.parametrize("path", ENGLISH, ids=name)
def test_lines_are_at_most_110_characters_wide(path):
    """English only: a line break between two Chinese characters shows as a space."""
    assert too_long(read(path)) == []


def test_a_long_line_is_found():
    words = "word " * 30
    text = f"{words}\n- {words}\n| {words} |\n```\n{words}\n```\n"
    assert too_long(text) == [
        words.rstrip("\n"),
        f"- {words}",
    ]
    assert too_long(f"- **`{words}`**\n") == []


def banned_in(text: str) -> list[str]:
    plain = " ".join(prose(text).lower().split())
    return [phrase for phrase in BANNED if re.search(rf"(?<![\w'`]){phrase}(?![\w'`])", plain)]


@pytest.mark.parametrize("path", PLAIN, ids=name)
def test_the_english_is_plain(path):
    assert banned_in(read(path)) == []


def test_a_banned_phrase_is_found_across_lines_and_not_in_words():
    assert banned_in("Two networks, one of\nwhich is Ours.") == ["of which", "ours"]
    assert banned_in("Hours of four weights owed; but forward.") == []
