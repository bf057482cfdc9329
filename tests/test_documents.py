"""All Markdown documents: links, paths and commands exist, lines have one width, the English is plain."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

import pytest
from markdown_files import (
    CODE_SPAN,
    FENCE,
    ROOT,
    anchors,
    documents,
    is_chinese,
    links,
    name,
    prose,
    read,
    target,
)
from plain_english import banned_in

from brushwork.cli.main import COMMANDS

WIDTH = 110
DOCUMENTS = documents()
ENGLISH = [path for path in DOCUMENTS if not is_chinese(path)]
# The lab notebook stands as it was written at the time.
PLAIN = [path for path in ENGLISH if path.name != "history.md"]

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name)
# Older names belong to the lab notebook and to the list of changes.
PRESENT = [path for path in DOCUMENTS if path.name not in ("history.md", "CHANGELOG.md")]
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
# Paths that begin like ours: folders of ComfyUI, results of examples, a name that nobody should choose.
ELSEWHERE = re.compile(r"models/brushwork|pictures/(Brushwork|MicroAST)|benchmarks/out/|utils\.py")
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


@pytest.mark.parametrize("path", PLAIN, ids=name)
def test_the_english_is_plain(path):
    assert banned_in(prose(read(path))) == []


def test_a_banned_phrase_is_found_across_lines_and_not_in_words():
    assert banned_in("Two networks, one of\nwhich is Ours.") == ["of which", "ours"]
    assert banned_in("Hours of four weights owed; but forward.") == []


def own_paths(text: str) -> list[str]:
    """What code in the text names as a path of this repository, without names to fill in such as NODE."""
    words = " ".join((*FENCE.findall(text), *CODE_SPAN.findall(prose(text)))).replace("`", " ").split()
    paths = {word.rstrip(".,;:") for word in words if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?[,;:]?", word)}
    paths = {path for path in paths if not re.search(r"\b(NODE|NAME|LANGUAGE)\b|\bMy|\bmy_", path)}
    return sorted(p for p in paths if p.endswith(".py") or ("/" in p and p.split("/")[0] in FOLDERS))


def is_here(path: str) -> bool:
    """A file's last names, such as `grid.py` or `perception/vgg.py`, mean a file in some folder."""
    return (ROOT / path).exists() or any(module.endswith(f"/{path}") for module in own_modules())


@functools.cache
def own_modules() -> list[str]:
    """The names of this repository's modules, and not of what is installed in an environment in it."""
    found = []
    for folder, below, files in os.walk(ROOT):
        below[:] = [b for b in below if b[0] != "." and not Path(folder, b, "pyvenv.cfg").exists()]
        found += [Path(folder, file).as_posix() for file in files if file.endswith(".py")]
    return found


@pytest.mark.parametrize("path", PRESENT, ids=name)
def test_paths_exist(path):
    paths = [p for p in own_paths(read(path)) if not ELSEWHERE.match(p)]
    assert [p for p in paths if not is_here(p)] == []


def lost_commands(text: str) -> list[str]:
    """Commands in code that are not there: modules of this repository, subcommands, tasks of nox."""
    code = "\n".join((*FENCE.findall(text), *CODE_SPAN.findall(prose(text))))
    modules = re.findall(r"-m ((?:scripts|benchmarks|brushwork)[\w.]*)", code)
    files = [ROOT.joinpath(*module.removeprefix("brushwork.").split(".")) for module in modules]
    found = [file.with_suffix(".py").exists() or (file / "__main__.py").exists() for file in files]
    lost = [module for module, there in zip(modules, found, strict=True) if not there]
    commands = re.findall(r"(?:^|`|bin/|&& )brushwork ([a-z]+)\b", code, re.MULTILINE)
    lost += [command for command in commands if command not in COMMANDS]
    tasks = re.findall(r"nox (?:-R )?-s (\w+)", code)
    return lost + [task for task in tasks if f"def {task}(" not in read(ROOT / "noxfile.py")]


@pytest.mark.parametrize("path", PRESENT, ids=name)
def test_commands_exist(path):
    assert lost_commands(read(path)) == []


def test_paths_and_commands_are_found():
    text = "`models/lost.py`, `web/docs/NODE.md` and `lost.py`\n```\npython -m scripts.lost docs/a.jpg\n```\n"
    text += "`python -m benchmarks.speed`, `brushwork loose`, `brushwork render x.json`, `nox -s losing`"
    assert own_paths(text) == ["docs/a.jpg", "lost.py", "models/lost.py"]
    assert lost_commands(text) == ["scripts.lost", "loose", "losing"]
