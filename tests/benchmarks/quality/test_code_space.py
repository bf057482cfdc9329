"""Random styles, and paths between styles."""

from __future__ import annotations

import pytest
import torch

from benchmarks.quality.code_space import (
    feature_distance,
    in_random_styles,
    path_steps,
    random_bars,
    smoothness_bars,
)
from benchmarks.quality.gallery import moments
from benchmarks.quality.results_cache import Record


def test_random_styles(ours, gallery, pairs):
    photos = [pairs[0].content, pairs[-1].content]
    by_photo = in_random_styles(gallery, ours, photos)
    assert [len(found) for found in by_photo] == [8, 8]
    features = torch.stack([record.tensors["vgg19"] for found in by_photo for record in found])
    # 16 different styles, also across the photos.
    assert torch.pdist(features).min() > 0
    paintings = [gallery.painting(pair.style) for pair in pairs[:2]]
    assert moments(paintings[0])["relu1_1"].shape == (1, 2, 64)
    encoded = torch.stack([gallery.scored(ours, pair).tensors["vgg19"] for pair in pairs])
    diversity, kid = random_bars(by_photo, {"vgg19": encoded}, paintings, gallery.scorer.extractors)
    assert 0.05 < diversity.value < 3
    assert kid.value is not None or "more pictures" in kid.note


def test_paths_between_styles(ours, gallery, pairs):
    record = path_steps(gallery, ours, pairs[0].content, (pairs[0].style, pairs[1].style))
    pixels, vgg = record.tensors["pixels"], record.tensors["vgg"]
    assert len(pixels) == len(vgg) == 20
    assert pixels.min() > 0
    # The steps add up to at least the way from end to end.
    ends = [gallery.load(pairs[0].content), gallery.load(pairs[0].style), gallery.load(pairs[1].style)]
    apart = (ours.paint(ends[0], ends[1]) - ours.paint(ends[0], ends[2])).abs().mean()
    assert pixels.sum() >= apart - 1e-5


def test_a_jump_is_found():
    even, jump = torch.ones(20), torch.ones(20)
    jump[7] = 6
    smooth = Record(tensors={"pixels": even, "vgg": even})
    jumping = Record(tensors={"pixels": jump, "vgg": even})
    pixels, vgg = smoothness_bars([smooth, jumping])
    # 6 / (25 / 20).
    assert (pixels.value, pixels.verdict) == (pytest.approx(4.8), "MISSED")
    assert (vgg.value, vgg.verdict) == (pytest.approx(1), "met")


def test_feature_distance():
    a = {"x": torch.ones(2, 2), "y": torch.full((3,), 2.0)}
    b = {"x": torch.zeros(2, 2), "y": torch.full((3,), 3.0)}
    assert feature_distance(a, b).item() == pytest.approx((1 + 0.5) / 2)
