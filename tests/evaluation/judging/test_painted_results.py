"""Pairs painted for a blind comparison."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from brushwork.evaluation.judging.results import paint_pairs
from brushwork.evaluation.judging.sheets import (
    match_results,
)


def test_painted_pairs_are_found_again_by_their_names(gan, inputs_dir: Path, tmp_path: Path) -> None:
    pairs = []
    for number, (photo, art) in enumerate(
        zip(sorted(inputs_dir.glob("photo-*.jpg"))[:2], sorted(inputs_dir.glob("art-*.jpg")), strict=False)
    ):
        # As long as names may be: two of them together would not fit into a third.
        pair = [tmp_path / "photos" / f"{number}{'p' * 240}.jpg", tmp_path / "art" / f"{number}-{art.name}"]
        for source, copy in zip((photo, art), pair, strict=True):
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(source.read_bytes())
        pairs.append((pair[0], pair[1]))
    files = paint_pairs(gan, pairs, tmp_path / "a", side=48)
    paint_pairs(gan, pairs, tmp_path / "b", side=48)
    with Image.open(files[0]) as picture, Image.open(pairs[0][0]) as photo:
        assert min(picture.size) == 48
        assert picture.width / picture.height == pytest.approx(photo.width / photo.height, rel=0.03)
    rows = match_results(*(tmp_path / name for name in ("a", "b", "photos", "art")))
    assert [(row.content, row.style) for row in rows] == pairs
    assert [row.a for row in rows] == files
