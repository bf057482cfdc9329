"""Split files from strangers and from other systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from brushwork.dataset.splits import assign_splits, hash_split, read_split_file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"art": {"train": 3, "val": []}}', "no entry 'art' with a 'train' list of paths"),
        ('{"art": {"train": [1], "val": []}}', "no entry 'art' with a 'train' list of paths"),
        ('{"art": []}', "no entry 'art' with a 'train' list of paths"),
        ('{"art": {"train": [], "val": [], "test": {}}}', "no entry 'art' with a 'test' list of paths"),
        ("[]", "no entry 'art'"),
        ("[" * 99_999, "too long or deep"),
        ("9" * 9999, "is not JSON|no entry 'art'"),
    ],
)
def test_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(ValueError, match=message) as refused:
        read_split_file(tmp_path / "split.json", Path("art"))
    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 300


def test_accents_in_either_form(tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text(
        '{"art": {"train": ["art/caf\u00e9.png"], "val": []}}', encoding="utf-8"
    )
    table = read_split_file(tmp_path / "split.json", Path("art"))
    assert table.splits(["caf\u00e9.png", "cafe\u0301.png", "other.png"]) == ["train", "train", ""]


def test_names_that_are_not_utf_8() -> None:
    names = [f"a{n}\udcff.png" for n in range(8)]
    assert sorted(set(assign_splits(names, 0.25))) == ["train", "val"]
    assert hash_split(names[0]) in ("train", "val", "test")
