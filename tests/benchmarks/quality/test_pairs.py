"""Which photos meet which paintings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.quality.pairs import cross_pairs, read_split, shuffled_pairs

PHOTOS = [Path(f"content/{i}.jpg") for i in range(4)]
PAINTINGS = [Path(f"style/{i}.jpg") for i in range(6)]


def test_no_picture_returns_before_all_have_been_used():
    pairs = shuffled_pairs(PHOTOS, PAINTINGS, 24, seed=0)
    assert {pair.content for pair in pairs[:4]} == set(PHOTOS)
    assert {pair.style for pair in pairs[:6]} == set(PAINTINGS)


def test_every_pair_comes_once_before_the_draw_is_exhausted():
    # 4 and 6 share a factor: without a slip the lists would repeat after 12 pairs.
    pairs = shuffled_pairs(PHOTOS, PAINTINGS, 24, seed=3)
    assert len(set(pairs)) == 24


def test_the_same_seed_draws_the_same_pairs_from_any_folder_in_any_order():
    elsewhere = [Path("/elsewhere") / photo for photo in reversed(PHOTOS)]
    here = shuffled_pairs(PHOTOS, PAINTINGS, 5, seed=1)
    there = shuffled_pairs(elsewhere, PAINTINGS[::-1], 5, seed=1)
    assert [(c.name, s.name) for c, s in here] == [(c.name, s.name) for c, s in there]
    assert here != shuffled_pairs(PHOTOS, PAINTINGS, 5, seed=2)


def test_cross():
    pairs = cross_pairs(PHOTOS, PAINTINGS, 2, 3, seed=0)
    assert len(set(pairs)) == len(pairs) == 6
    assert len({pair.content for pair in pairs}) == 2
    assert len({pair.style for pair in pairs}) == 3


@pytest.mark.parametrize("count", [0, 25])
def test_refuses_to_draw_more_than_there_is(count):
    with pytest.raises(ValueError, match=f"pairs is {count}; there are 1 to 24"):
        shuffled_pairs(PHOTOS, PAINTINGS, count, seed=0)


def test_refuses_to_cross_more_than_there_is():
    with pytest.raises(ValueError, match="contents is 5; there are 1 to 4"):
        cross_pairs(PHOTOS, PAINTINGS, 5, 1, seed=0)
    with pytest.raises(ValueError, match="styles is 0; there are 1 to 6"):
        cross_pairs(PHOTOS, PAINTINGS, 1, 0, seed=0)


def test_reads_the_test_split(data):
    contents, styles = read_split(data)
    assert contents == [data / "content" / "photo-portrait-astronaut.jpg"]
    assert [style.name for style in styles] == ["art-vangogh-starry-night.jpg", "art-hokusai-great-wave.jpg"]


def test_reads_the_val_split_when_asked(data):
    table = json.loads((data / "split.json").read_text())
    for kind in ("content", "style"):
        table[kind]["val"] = table[kind]["test"][:1]
        table[kind]["test"] = []
    (data / "split.json").write_text(json.dumps(table))
    contents, styles = read_split(data, "val")
    assert (len(contents), len(styles)) == (1, 1)
    with pytest.raises(ValueError, match="0 photos and 0 paintings in test"):
        read_split(data)


def test_a_folder_without_a_split(tmp_path):
    with pytest.raises(ValueError, match=r"There is no .*split\.json"):
        read_split(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"content": {"test": []}}', '{"content": 1, "style": 2}'])
def test_a_split_that_says_something_else(tmp_path, text):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(ValueError, match="does not list the test split"):
        read_split(tmp_path)


def test_a_split_of_missing_or_no_pictures(tmp_path):
    for names, message in (
        (["content/a.jpg"], "a.jpg, which is not there"),
        ([], "0 photos and 0 paintings"),
    ):
        (tmp_path / "split.json").write_text(
            json.dumps({"content": {"test": names}, "style": {"test": []}}), encoding="utf-8"
        )
        with pytest.raises(ValueError, match=message):
            read_split(tmp_path)
