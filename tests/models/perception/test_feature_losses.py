"""Losses on features, by hand and against their formulas in float64 NumPy."""

from __future__ import annotations

import numpy as np
import torch
from small_tensors import close, double_pair, doubles, layers, numpy_gram, numpy_moments, numpy_relative

from brushwork.models.perception.feature_losses import (
    content_loss,
    gram_loss,
    mean_std_loss,
    relative_error,
)
from brushwork.models.perception.statistics import gram_and_mean, mean_std, normalized

SHAPE = (2, 3, 5, 7)


class TestByHand:
    def test_relative_error_is_a_mean_over_the_batch(self):
        found = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        target = torch.tensor([[1.0, 0.0], [0.0, 4.0]])
        # 4 / 1 and 9 / 16.
        assert close(relative_error(found, target), (4 + 9 / 16) / 2)

    def test_content(self):
        # (0, 2) normalises to (-1, 1); the target is the other way round: 2^2 everywhere.
        loss = content_loss(torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([[[[1.0, -1.0]]]]))
        assert close(loss, 4, 1e-4)

    def test_content_ignores_light_and_contrast(self):
        features = doubles(1, 4, 6, 6) * 50
        # Up to the 1e-5 beside the variance.
        assert close(content_loss(features * 3 + 7, normalized(features)), 0, 1e-7)

    def test_gram(self):
        # Layer by layer |G(x) - G(s)|^2 / |G(s)|^2: 1 / 1, 1 / 4, 0 / 9 and (4 + 4) / (4 + 4).
        found = layers(*(torch.tensor([[g]]) for g in ([2.0], [3.0], [3.0], [4.0, 4.0])))
        target = layers(*(torch.tensor([[g]]) for g in ([1.0], [2.0], [3.0], [2.0, 2.0])))
        loss = gram_loss(found, target)
        assert close(loss, (1 + 1 / 4 + 0 + 1) / 4)

    def test_mean_std_style(self):
        # Each layer: means off by 1, deviations by 2, against 3^2 + 4^2: 5 / 25.
        found = layers(*[torch.tensor([[[4.0], [6.0]]])] * 4)
        target = layers(*[torch.tensor([[[3.0], [4.0]]])] * 4)
        loss = mean_std_loss(found, target)
        assert close(loss, 1 / 5)

    def test_a_painting_without_energy_is_not_divided_by_zero(self):
        found = torch.ones(1, 4, requires_grad=True)
        loss = relative_error(found, torch.zeros(1, 4))
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(found.grad).all()


class TestAgainstFormulas:
    """Random features; NumPy in float64, written from the docstrings."""

    def test_content(self):
        x, c = double_pair(*SHAPE, seed=1)

        def n(f):
            return (f - f.mean((2, 3), keepdims=True)) / np.sqrt(f.var((2, 3), keepdims=True) + 1e-5)

        expected = np.mean((n(x.numpy()) - n(c.numpy())) ** 2)
        assert close(content_loss(x, normalized(c)), expected, 1e-12)

    def test_styles(self):
        pairs = [double_pair(*SHAPE, seed=seed) for seed in range(4)]
        found = layers(*(x for x, _ in pairs))
        wanted = layers(*(s for _, s in pairs))
        for loss, statistic, formula in (
            (gram_loss, lambda features: gram_and_mean(features)[0], numpy_gram),
            (mean_std_loss, mean_std, numpy_moments),
        ):
            result = loss(*({name: statistic(f[name]) for name in f} for f in (found, wanted)))
            expected = np.mean([numpy_relative(formula(x.numpy()), formula(s.numpy())) for x, s in pairs])
            assert close(result, expected, 1e-12)
