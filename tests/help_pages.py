"""A help page in parts, and what the schemas have it say of their inputs."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from comfy_api.latest import io

import brushwork

PACKAGE = Path(brushwork.__file__).resolve().parent
DOCS = PACKAGE / "web" / "docs"
PAGES = {"en": "{}.md", "zh": "{}/zh.md"}
HEADINGS = {
    "en": ("Inputs", "Outputs", "Recipe", "Common mistakes"),
    "zh": ("输入", "输出", "用法示例", "常见错误"),
}
# Combos whose choices are files.
FILES = ("checkpoint", "style_name")
SOCKETS = {
    "BRUSHWORK_GAN": ("network", "网络"),
    "BRUSHWORK_CONTENT": ("content", "内容"),
    "BRUSHWORK_STYLE": ("style", "风格"),
    "IMAGE,VIDEO": ("VIDEO or IMAGE", "VIDEO 或 IMAGE"),
}


@dataclass(frozen=True)
class Row:
    """A line of a table: its first cell, the ids in it, what stands in a second line there, the meaning."""

    head: str
    ids: list[str]
    values: str
    meaning: str


@dataclass(frozen=True)
class HelpPage:
    """web/docs/NODE.md or web/docs/NODE/zh.md; sections by their place in HEADINGS."""

    language: str
    text: str
    title: str
    intro: str
    sections: list[str]

    @classmethod
    def read(cls, node_id: str, language: str) -> HelpPage:
        """Raises ValueError if title or headings are not those of HEADINGS, in that order."""
        text = (DOCS / PAGES[language].format(node_id)).read_text(encoding="utf-8")
        intro, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
        title = re.match(r"# (.+)\n\n", intro)
        if title is None or tuple(parts[::2]) != HEADINGS[language]:
            raise ValueError(
                f"{node_id}, {language}: the headings are {parts[::2]}, not {HEADINGS[language]}."
            )
        return cls(language, text, title[1], intro[title.end() :], parts[1::2])

    @property
    def pictures(self) -> list[tuple[str, str]]:
        """Alternative text and address."""
        return re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", self.text)

    def table(self, section: int) -> list[Row]:
        """The rows of the first table of a section, without its head."""
        rows = []
        for line in self.sections[section].split("\n\n")[0].strip().splitlines()[2:]:
            first, meaning = (cell.strip() for cell in line.strip("|").split(" | "))
            # Two columns, because the help panel is narrow.
            head, _, values = first.partition("<br>")
            rows.append(Row(head, _ids(head), values, meaning))
        return rows

    @property
    def mistakes(self) -> list[str]:
        """The points of the last section."""
        return [point.strip() for point in re.split(r"^- ", self.sections[3], flags=re.MULTILINE)[1:]]

    @property
    def errors(self) -> list[str]:
        """The sentences in it that Brushwork is said to write."""
        return re.findall(r"^\*\*`(.+?)`\*\*", "\n".join(self.mistakes), flags=re.MULTILINE)


def values(entry: io.Input, language: str) -> str:
    """What the page says an input takes, with its default in brackets.

    A socket is named by what goes in, with the word 'optional' if it may stay empty.
    """
    zh = language == "zh"
    bracket = "（{}）" if zh else " ({})"
    default = getattr(entry, "default", None)
    if isinstance(entry, (io.Int.Input, io.Float.Input)):
        return f"{_number(entry.min)} … {_number(entry.max)}" + bracket.format(_number(default))
    if isinstance(entry, io.Boolean.Input):
        off, on = ("关", "开") if zh else ("off", "on")
        return f"{off}{'、' if zh else ', '}{on}" + bracket.format(on if default else off)
    if isinstance(entry, io.String.Input):
        empty = "空" if zh else "empty"
        return ("文字" if zh else "text") + bracket.format(f"`{default}`" if default else empty)
    if isinstance(entry, io.Combo.Input):
        choices = ("、" if zh else ", ").join(f"`{option}`" for option in entry.options)
        files = "一个文件" if zh else "a file"
        return (files if entry.id in FILES else choices) + bracket.format(f"`{default}`")
    name = SOCKETS.get(entry.get_io_type(), (entry.get_io_type(),) * 2)[zh]
    optional = "，可不连接" if zh else ", optional"
    return name + (optional if entry.optional else "")


@cache
def error_patterns() -> list[re.Pattern[str]]:
    """One for every sentence with or without gaps in the code that nodes run."""
    templates = set()
    for folder in ("base", "pictures", "models", "dataset", "training", "evaluation", "nodes"):
        for path in (PACKAGE / folder).rglob("*.py"):
            templates |= set(_strings(ast.parse(path.read_text(encoding="utf-8"))))
    # Shorter ones, such as f"{name}: {text}", would agree with everything.
    long = [t for t in templates if len("".join(t)) >= 25]
    return [re.compile(".*".join(re.escape(part) for part in parts)) for parts in long]


def _strings(tree: ast.AST) -> list[tuple[str, ...]]:
    """The literal parts of every string, parted where a value is put in."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
            found.append(tuple("".join(parts).split("\0")))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(tuple(node.value.split("%s")))
    return found


def _ids(head: str) -> list[str]:
    """'`style_2` … `style_6`' stands for five."""
    ids = re.findall(r"`(\w+)`", head)
    if "…" not in head:
        return ids
    stem, first, last = ids[0][:-1], int(ids[0][-1]), int(ids[1][-1])
    return [f"{stem}{n}" for n in range(first, last + 1)]


def _number(value: float) -> str:
    for power in (63, 64):
        if value == 2**power - 1:
            return f"2{str(power).translate(str.maketrans('346', '³⁴⁶'))} − 1"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
