"""PSNR, and how well a painting in its own style and a photo at strength 0 come back."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks.peers import Setup, UntouchedContent
from benchmarks.quality.self_consistency import at_strength_0, in_own_style, psnr


def test_psnr():
    gray = torch.full((1, 3, 4, 4), 0.5)
    assert psnr(gray, gray) == math.inf
    assert psnr(gray, gray + 0.1) == pytest.approx(20, abs=1e-5)
    assert psnr(gray, gray + 0.01) == pytest.approx(40, abs=1e-4)


def test_self_consistency_and_strength_0(ours, gallery, pairs):
    paintings = [pair.style for pair in pairs[:2]]
    assert in_own_style(gallery, UntouchedContent(Setup()), paintings) == [float("inf")] * 2
    assert all(8 < value < 60 for value in in_own_style(gallery, ours, paintings))
    assert at_strength_0(gallery, ours, pairs) > 35
