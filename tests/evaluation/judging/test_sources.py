"""Which photo and painting belong to a result; keys and answers from strangers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from brushwork.cli.main import main
from brushwork.evaluation.judging.errors import JudgeError
from brushwork.evaluation.judging.sheets import Key, match_results, read_key
from brushwork.evaluation.judging.sources import ResultSources
from brushwork.evaluation.judging.tally import MOST_PROBLEMS, read_answers


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 10), "teal").save(folder / name)
    return folder


@pytest.mark.parametrize(
    ("result", "photo", "painting"),
    [
        ("001__002", "001.png", "002.png"),
        ("002__001", "002.png", "001.jpg"),
        ("001__001__002", "001.png", "002.png"),
        ("007__lake__wave", "lake.png", "wave.png"),
        ("sub/lake__wave.png", "lake.png", "wave.png"),
        ("lake__a__b", "lake.png", "a__b.png"),
    ],
)
def test_names_that_are_numbers(tmp_path: Path, result: str, photo: str, painting: str) -> None:
    photos = put(tmp_path / "photos", "001.png", "002.png", "lake.png")
    paintings = put(tmp_path / "art", "001.jpg", "002.png", "wave.png", "a__b.png", "b.png")
    assert ResultSources(photos, paintings).pictures_of(result) == (photos / photo, paintings / painting)


def test_pictures_of_one_stem_are_not_clear_only_where_they_are_needed(tmp_path: Path) -> None:
    photos = put(tmp_path / "photos", "lake.png", "pond.png", "pond.jpg")
    sources = ResultSources(photos, None)
    assert sources.pictures_of("lake__wave") == (photos / "lake.png", None)
    with pytest.raises(JudgeError, match=r"photos has 2 pictures, .*pond\.jpg and .*pond\.png among them"):
        sources.pictures_of("pond__wave")


def test_results_that_differ_in_the_ending_alone(tmp_path: Path) -> None:
    a, b = (put(tmp_path / side, "x.png", "x.jpg", "y.png", "._y.png") for side in "ab")
    rows = match_results(a, b)
    assert [(row.name, row.a.name, row.b.name) for row in rows] == [
        ("x.jpg", "x.jpg", "x.jpg"),
        ("x.png", "x.png", "x.png"),
        ("y", "y.png", "y.png"),
    ]


def test_a_bad_result_is_left_out_and_told(tmp_path: Path, capsys) -> None:
    a, b = (put(tmp_path / side, "x.png", "y.png") for side in "ab")
    (b / "y.png").write_bytes(b"x")
    assert main(["judge", "sheet", str(a), str(b), "--out", str(tmp_path / "out")]) == 1
    out, error = capsys.readouterr()
    assert out.startswith("1 row. Hand out ")
    why = "y.png cannot be read as a picture: it is not in a format that Pillow reads."
    assert f"{why} The sheet goes without it." in error
    (b / "x.png").write_bytes(b"x")
    assert main(["judge", "sheet", str(a), str(b), "--out", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"rows": [1]},
        {"rows": "ab"},
        {"sheet": 3},
        {"a": None},
        {"sides": "!!"},
        {"sides": 7},
        {"version": None},
    ],
)
def test_keys_from_strangers(tmp_path: Path, change: dict[str, object]) -> None:
    record = {"format": "brushwork-judge-key", "version": 1, "sheet": "S-1", "a": "x", "b": "y"}
    record |= {"rows": ["r", "s"], "sides": "AAE="}
    (tmp_path / "key.json").write_text(json.dumps(record))
    assert read_key(tmp_path / "key.json").a_is_left == (False, True)
    (tmp_path / "key.json").write_text(json.dumps(record | change))
    with pytest.raises(JudgeError, match="is not a key that this Brushwork wrote"):
        read_key(tmp_path / "key.json")


@pytest.mark.parametrize("data", [b"[]", b"3", b"[" * 99_999, b"\xff", b"9" * 9999, b""])
def test_other_files_are_no_keys(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key.json").write_bytes(data)
    with pytest.raises(JudgeError, match="is not a key that this Brushwork wrote"):
        read_key(tmp_path / "key.json")


def test_answers_from_strangers(tmp_path: Path) -> None:
    key, path = Key("S-1", "x", "y", ("r", "s"), (True, False)), tmp_path / "answers.csv"
    path.write_text(
        "sheet,row,answer\n" + f"S-1,{'9' * 5000},{'l' * 5000}\nS-1,1,{'z' * 5000}\nS-1,2,\x1b[2J\n"
    )
    with pytest.raises(JudgeError) as refused:
        read_answers(path, key)
    assert all(len(problem) < 140 and problem.isprintable() for problem in refused.value.problems)
    path.write_text("sheet,row,answer\n" + "S-1,77,l\n" * 5000)
    with pytest.raises(JudgeError) as refused:
        read_answers(path, key)
    assert len(refused.value.problems) == MOST_PROBLEMS
    path.write_text("sheet,row,photo,painting,note,who,answer\nS-1,1\nS-1,2,a,b,c,d,l,more\n")
    with pytest.raises(JudgeError) as refused:
        read_answers(path, key)
    assert refused.value.problems == ("Row 1 has no answer; write l, r or =.",)
    for data in (b"sheet,row,answer\n" + b"x" * 200_000, b"\0" * 100, b" " * 2**21):
        path.write_bytes(data)
        with pytest.raises(JudgeError):
            read_answers(path, key)
