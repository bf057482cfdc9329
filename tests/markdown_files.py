"""The Markdown documents of this repository, taken apart: headings, links, prose, lines."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HELP = ROOT / "web" / "docs"
# Where README.md links to, because PyPI and the registry know no relative links.
OWN_URLS = (
    "https://github.com/brushwork/brushwork/blob/main/",
    "https://raw.githubusercontent.com/brushwork/brushwork/main/",
)
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
CODE_SPAN = re.compile(r"`[^`]+`")
_LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
_PATTERNS = (
    "*.md",
    "benchmarks/*.md",
    "docs/*.md",
    "weights/**/*.md",
    "web/docs/**/*.md",
    "workflows/**/*.md",
)


def documents() -> list[Path]:
    """Every Markdown document that people read."""
    return sorted({path for pattern in _PATTERNS for path in ROOT.glob(pattern)})


def is_chinese(path: Path) -> bool:
    return path.name in ("zh.md", "README.zh-CN.md")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """The text without code blocks."""
    return FENCE.sub("", text)


def links(text: str) -> list[str]:
    """The targets of links and pictures, in their order."""
    return [address or source for address, source in _LINK.findall(CODE_SPAN.sub("", prose(text)))]


def anchors(text: str) -> set[str]:
    """What GitHub lets a link name after '#': a heading in lower case, hyphens for spaces, no punctuation.

    >>> sorted(anchors("# One, two\\n## One, two\\n## `brushwork queue`"))
    ['brushwork-queue', 'one-two', 'one-two-1']
    """
    found: list[str] = []
    for _, heading in HEADING.findall(prose(text)):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


def target(link: str, document: Path) -> tuple[Path, str] | None:
    """The file here that `link` in `document` leads to, and the anchor in it; None for other places."""
    address, _, anchor = link.partition("#")
    for url in OWN_URLS:
        if address.startswith(url):
            return ROOT / address.removeprefix(url), anchor
    if re.match(r"[a-z]+:", address):
        return None
    # ComfyUI's page looks for the pictures of all help pages in one folder, whichever page they stand in.
    folder = HELP if document.is_relative_to(HELP) else document.parent
    return (folder / address if address else document).resolve(), anchor
