"""Painting, scoring and remembering with real networks; what is on disk is not painted again."""

from __future__ import annotations

import pytest
import torch

from benchmarks.peers import Brushwork, Setup
from benchmarks.quality.art_features import available_extractors
from benchmarks.quality.gallery import Gallery
from benchmarks.quality.scoring import Scorer
from brushwork.pictures.tensors import rounded


class Exhausted:
    """Has the name and identity of another system, and cannot paint any more."""

    note = ""

    def __init__(self, other):
        self.name, self.identity = other.name, other.identity

    def paint(self, content, style):
        raise AssertionError("painted again")


def test_remembering_paints_the_same_pictures(ours, gallery, pairs):
    plain = Brushwork(Setup(threads=1))
    for strength in (1.0, 0.4):
        for pair in pairs:
            content, style = gallery.load(pair.content), gallery.load(pair.style)
            expected = plain.at_strength(strength).paint(content, style)
            assert torch.equal(ours.at_strength(strength).paint(content, style), expected)


def test_scores_come_back_without_painting(ours, gallery, pairs):
    first = gallery.scored(ours, pairs[0])
    again = gallery.scored(Exhausted(ours), pairs[0])
    assert again.numbers == first.numbers
    assert torch.equal(again.tensors["vgg19"], first.tensors["vgg19"])
    with pytest.raises(AssertionError, match="painted again"):
        gallery.scored(Exhausted(ours), pairs[1])
    with pytest.raises(AssertionError, match="painted again"):
        gallery.scored(Exhausted(ours.at_strength(0.5)), pairs[0])


def test_a_kept_picture_scores_like_a_fresh_one(ours, gallery, pairs, tmp_path):
    fresh = gallery.scored(ours, pairs[0])
    other = Gallery(tmp_path / "other", gallery.size, gallery.scorer, "cpu")
    kept = other.scored(ours, pairs[0], keep=True)
    assert kept.numbers == fresh.numbers
    expected = rounded(ours.paint(gallery.load(pairs[0].content), gallery.load(pairs[0].style)))
    assert torch.equal(other.picture(Exhausted(ours), pairs[0]), expected)
    assert not gallery.picture_file(ours, pairs[0]).exists()


def test_another_formula_or_size_is_another_result(ours, gallery, pairs, tmp_path):
    gallery.scored(ours, pairs[0])
    for other in (Gallery(tmp_path / "cache", gallery.size, Scorer("cpu"), "cpu"), larger(gallery)):
        with pytest.raises(AssertionError, match="painted again"):
            other.scored(Exhausted(ours), pairs[0])


def larger(gallery):
    return Gallery(gallery.cache.folder, gallery.size + 8, gallery.scorer, "cpu")


def test_every_extractor_is_in_the_record(ours, gallery, pairs, tmp_path):
    extractors = available_extractors("cpu")
    full = Gallery(tmp_path, gallery.size, Scorer("cpu", extractors), "cpu")
    record = full.scored(ours, pairs[0])
    assert {name: tensor.shape for name, tensor in record.tensors.items()} == {
        each.name: (each.num_features,) for each in extractors
    }
