"""Names that every system accepts, and no two alike on any."""

from __future__ import annotations

from pathlib import Path

import pytest

from brushwork.base.files import distinct_names, safe_file_name, write_atomically
from brushwork.base.text_files import one_line, same_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("wave", "wave"),
        ("北斎 — 波", "北斎 — 波"),
        *(
            (device, f"_{device}")
            for device in ("CON", "con.txt", "CONIN$", "conout$", "COM1", "LPT9", "nul .png")
        ),
        *((device, f"_{device}") for device in ("LPT9", "COM¹", "lpt³", "CLOCK$", "aux")),
        ("COM10", "COM10"),
        ("console", "console"),
        ("trailing. . ", "trailing"),
        (" leading", "leading"),
        (".hidden", "_.hidden"),
        ("a\nb\x1b[2Jc\x85d", "a_b_[2Jc_d"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("half\udcff", "half_"),
        ("", "_"),
        ("...", "_"),
        ("a" * 300, "a" * 180),
        ("é" * 300, "é" * 90),
    ],
)
def test_names_that_every_system_accepts(tmp_path: Path, name: str, safe: str) -> None:
    assert safe_file_name(name) == safe
    write_atomically(tmp_path / f"{safe}.png", b"x")
    assert (tmp_path / f"{safe}.png").read_bytes() == b"x"


@pytest.mark.parametrize(
    "names",
    [
        ("wave", "wave"),
        ("Wave", "wave"),
        ("Caf\u00e9", "Cafe\u0301"),
        ("CAF\u00c9", "cafe\u0301"),
        ("stra\u00dfe", "STRASSE"),
        ("a:b", "a?b"),
        ("a\udcff", "a\udcfe"),
        ("con", "CON"),
        ("x" * 300, "x" * 299),
        ("end", "end. "),
    ],
)
def test_names_that_some_system_takes_for_one(names: tuple[str, str]) -> None:
    paths = [[Path("1") / "a"], [Path("2") / "a"]]
    one, two = distinct_names(names, paths)
    assert same_name(one) != same_name(two)
    assert all(safe_file_name(name)[:180] == name[:180] for name in (one, two))
    assert max(len(one), len(two)) < 200
    assert distinct_names(names, paths) == [one, two]


def test_the_longest_name_is_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("n" * 251 + ".png"), b"x")
    assert len(list(tmp_path.iterdir())) == 1


def test_one_line_shows_what_steers() -> None:
    assert (
        one_line("a\nb\t\x1b[31m\u202e\u200f\ufeff\udcff\x85")
        == r"a\nb\t\x1b[31m\u202e\u200f\ufeff\udcff\x85"
    )
    assert one_line("a\nb", keep="\n") == "a\nb"
    assert one_line("Ünï 北 👩‍🎨") == "Ünï 北 👩‍🎨"


def test_names_of_different_endings_are_not_the_same() -> None:
    paths = [[Path("a.jpg")], [Path("a.mp4")], [Path("b.jpg")], [Path("B.png")]]
    plain = distinct_names(["a", "a", "b", "B"], paths, [".png", ".mp4", ".png", ".PNG"])
    assert plain[:2] == ["a", "a"]
    assert len({plain[2].lower(), plain[3].lower(), "b"}) == 3
