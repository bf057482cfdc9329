"""Feature statistics, by hand and against their formulas in float64 NumPy."""

from __future__ import annotations

import math

import numpy as np
import torch
from small_tensors import double_pair, doubles, layers, numpy_gram, numpy_moments

from brushwork.models.perception.statistics import gram_and_mean, mean_std, normalized, style_statistics
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


class TestAgainstFormulas:
    """Random features; NumPy in float64, written from the docstrings."""

    def test_gram_and_moments(self):
        x, _ = double_pair(*SHAPE, seed=0)
        assert np.allclose(mean_std(x), numpy_moments(x.numpy()), rtol=1e-12)
        gram, mean = gram_and_mean(x)
        assert np.allclose(gram, numpy_gram(x.numpy()), rtol=1e-12)
        assert np.allclose(mean, x.numpy().mean((2, 3)), rtol=1e-12)

    def test_gram_and_mean_derivative(self):
        # The hand-written backward pass against finite differences, both outputs in use.
        x = doubles(2, 3, 4, 2).requires_grad_(True)
        assert torch.autograd.gradcheck(gram_and_mean, (x,))

    def test_style_statistics(self):
        features = layers(*(doubles(2, c, 6, 6, seed=c) for c in (2, 3, 4, 5)))
        grams, moments = style_statistics(features)
        for name in STYLE_LAYERS:
            assert np.allclose(grams[name], numpy_gram(features[name].numpy()), rtol=1e-12)
            assert np.allclose(moments[name], numpy_moments(features[name].numpy()), rtol=1e-10)


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
