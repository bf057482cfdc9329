"""Feature statistics and the losses on them, by hand and against their formulas in float64 NumPy."""

from __future__ import annotations

import math

import numpy as np
import torch
from small_tensors import close, double_pair, doubles, layers

from brushwork.models.perception.statistics import (
    content_loss,
    gram_and_mean,
    gram_loss,
    mean_std,
    mean_std_loss,
    normalized,
    relative_error,
    style_statistics,
)
from brushwork.models.perception.vgg import STYLE_LAYERS

# Two channels of two pixels: (1, 3) and (2, 4).
FEATURES = torch.tensor([[[[1.0, 3.0]], [[2.0, 4.0]]]])
SHAPE = (2, 3, 5, 7)


class TestByHand:
    def test_gram_and_mean(self):
        # (1 1 + 3 3) / 2 = 5, (1 2 + 3 4) / 2 = 7, (2 2 + 4 4) / 2 = 10.
        gram, mean = gram_and_mean(FEATURES)
        assert gram.tolist() == [[[5.0, 7.0], [7.0, 10.0]]]
        assert mean.tolist() == [[2.0, 3.0]]

    def test_mean_std(self):
        # Means 2 and 3; both channels are 1 off their mean everywhere: variance 1.
        deviation = math.sqrt(1 + 1e-5)
        expected = torch.tensor([[[2.0, 3.0], [deviation, deviation]]])
        assert torch.allclose(mean_std(FEATURES), expected)

    def test_normalised(self):
        one = 1 / math.sqrt(1 + 1e-5)
        assert torch.allclose(normalized(FEATURES), torch.tensor([[[[-one, one]], [[-one, one]]]]))

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


class TestAgainstFormulas:
    """Random features; NumPy in float64, written from the docstrings."""

    @staticmethod
    def gram(f):
        b, c, h, w = f.shape
        return np.array(
            [[[np.sum(f[n, i] * f[n, j]) / (h * w) for j in range(c)] for i in range(c)] for n in range(b)]
        )

    @staticmethod
    def moments(f):
        return np.stack([np.mean(f, (2, 3)), np.sqrt(np.var(f, (2, 3)) + 1e-5)], 1)

    @staticmethod
    def relative(x, s):
        return np.mean([np.sum((a - b) ** 2) / np.sum(b**2) for a, b in zip(x, s, strict=True)])

    def test_gram_and_moments(self):
        x, _ = double_pair(*SHAPE, seed=0)
        assert np.allclose(mean_std(x), self.moments(x.numpy()), rtol=1e-12)
        gram, mean = gram_and_mean(x)
        assert np.allclose(gram, self.gram(x.numpy()), rtol=1e-12)
        assert np.allclose(mean, x.numpy().mean((2, 3)), rtol=1e-12)

    def test_gram_and_mean_derivative(self):
        # The hand-written backward pass against finite differences, both outputs in use.
        x = doubles(2, 3, 4, 2).requires_grad_(True)
        assert torch.autograd.gradcheck(gram_and_mean, (x,))

    def test_style_statistics(self):
        features = layers(*(doubles(2, c, 6, 6, seed=c) for c in (2, 3, 4, 5)))
        grams, moments = style_statistics(features)
        for name in STYLE_LAYERS:
            assert np.allclose(grams[name], self.gram(features[name].numpy()), rtol=1e-12)
            assert np.allclose(moments[name], self.moments(features[name].numpy()), rtol=1e-10)

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
            (gram_loss, lambda features: gram_and_mean(features)[0], self.gram),
            (mean_std_loss, mean_std, self.moments),
        ):
            result = loss(*({name: statistic(f[name]) for name in f} for f in (found, wanted)))
            expected = np.mean([self.relative(formula(x.numpy()), formula(s.numpy())) for x, s in pairs])
            assert close(result, expected, 1e-12)


class TestNumberTypes:
    def test_half_precision_features_do_not_overflow(self):
        # 300^2 is beyond float16.
        features = torch.full((1, 2, 8, 8), 300.0, dtype=torch.float16)
        assert torch.allclose(mean_std(features)[0, 0], torch.tensor(300.0))
        assert mean_std(features).dtype == torch.float32

    def test_gram_matrix_of_bfloat16_features(self):
        features = torch.rand(1, 8, 32, 32, generator=torch.Generator().manual_seed(0)) * 1000
        narrow = features.bfloat16()
        found, exact = gram_and_mean(narrow)[0], gram_and_mean(narrow.double())[0]
        assert found.dtype == torch.float32
        # One rounding to 8 bits.
        assert ((found - exact).abs() <= exact / 2**8).all()

    def test_a_painting_without_energy_is_not_divided_by_zero(self):
        found = torch.ones(1, 4, requires_grad=True)
        loss = relative_error(found, torch.zeros(1, 4))
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(found.grad).all()
