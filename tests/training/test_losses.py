"""Losses against numbers worked out by hand and against their formulas in float64 NumPy."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
import torch

from brushwork.models.perception.statistics import (
    colour_moments,
    content_loss,
    gram_and_mean,
    gram_loss,
    gram_matrix,
    mean_std,
    mean_std_loss,
    normalised,
    relative_error,
    style_statistics,
)
from brushwork.models.perception.vgg import STYLE_LAYERS, LossNetwork
from brushwork.training.losses import (
    ADVERSARIAL_LOSSES,
    LossWeights,
    adversarial_loss,
    code_loss,
    colour_loss,
    discriminator_loss,
    energy_loss,
    ground_loss,
    identity_loss,
    range_loss,
    steady_loss,
    total_loss,
    tv_loss,
)

# Two channels of two pixels: (1, 3) and (2, 4).
FEATURES = torch.tensor([[[[1.0, 3.0]], [[2.0, 4.0]]]])


def close(value, expected, tolerance=1e-6):
    return float(value) == pytest.approx(expected, rel=tolerance, abs=tolerance)


def doubles(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layers(*tensors):
    return dict(zip(STYLE_LAYERS, tensors, strict=True))


class TestByHand:
    def test_gram_matrix(self):
        # (1 1 + 3 3) / 2 = 5, (1 2 + 3 4) / 2 = 7, (2 2 + 4 4) / 2 = 10.
        assert gram_matrix(FEATURES).tolist() == [[[5.0, 7.0], [7.0, 10.0]]]

    def test_mean_std(self):
        # Means 2 and 3; both channels are 1 off their mean everywhere: variance 1.
        deviation = math.sqrt(1 + 1e-5)
        expected = torch.tensor([[[2.0, 3.0], [deviation, deviation]]])
        assert torch.allclose(mean_std(FEATURES), expected)

    def test_gram_and_mean(self):
        gram, mean = gram_and_mean(FEATURES)
        assert gram.tolist() == [[[5.0, 7.0], [7.0, 10.0]]]
        assert mean.tolist() == [[2.0, 3.0]]

    def test_normalised(self):
        one = 1 / math.sqrt(1 + 1e-5)
        assert torch.allclose(normalised(FEATURES), torch.tensor([[[[-one, one]], [[-one, one]]]]))

    def test_relative_error_is_a_mean_over_the_batch(self):
        found = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        target = torch.tensor([[1.0, 0.0], [0.0, 4.0]])
        # 4 / 1 and 9 / 16.
        assert close(relative_error(found, target), (4 + 9 / 16) / 2)

    def test_content(self):
        # (0, 2) normalises to (-1, 1); the target is the other way round: 2^2 everywhere.
        loss, parts = content_loss(torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([[[[1.0, -1.0]]]]))
        assert close(loss, 4, 1e-4)
        assert parts == {"content": loss}

    def test_content_ignores_light_and_contrast(self):
        features = doubles(1, 4, 6, 6) * 50
        # Up to the 1e-5 beside the variance.
        assert close(content_loss(features * 3 + 7, normalised(features))[0], 0, 1e-7)

    def test_gram(self):
        # Layer by layer |G(x) - G(s)|^2 / |G(s)|^2: 1 / 1, 1 / 4, 0 / 9 and (4 + 4) / (4 + 4).
        found = layers(*(torch.tensor([[g]]) for g in ([2.0], [3.0], [3.0], [4.0, 4.0])))
        target = layers(*(torch.tensor([[g]]) for g in ([1.0], [2.0], [3.0], [2.0, 2.0])))
        loss, parts = gram_loss(found, target)
        assert close(loss, (1 + 1 / 4 + 0 + 1) / 4)
        assert parts == {"gram": loss}

    def test_mean_std_style(self):
        # Each layer: means off by 1, deviations by 2, against 3^2 + 4^2: 5 / 25.
        found = layers(*[torch.tensor([[[4.0], [6.0]]])] * 4)
        target = layers(*[torch.tensor([[[3.0], [4.0]]])] * 4)
        loss, parts = mean_std_loss(found, target)
        assert close(loss, 1 / 5)
        assert parts == {"mean_std": loss}

    def test_energy(self):
        # Mean activations 6 against 4 in every layer: half too much. Deviations and channels do not matter.
        found = layers(*[torch.tensor([[[4.0, 8.0], [0.0, 9.0]]])] * 4)
        target = layers(*[torch.tensor([[[7.0, 1.0], [5.0, 5.0]]])] * 4)
        loss, parts = energy_loss(found, target)
        assert close(loss, 1 / 2)
        assert parts == {"energy": loss}

    def test_energy_of_too_little_is_as_bad_as_of_too_much(self):
        statistics = {name: doubles(3, 2, 8, seed=5).abs() + 0.1 for name in STYLE_LAYERS}
        weak, strong = ({name: each * f for name, each in statistics.items()} for f in (0.9, 1.1))
        assert close(energy_loss(weak, statistics)[0], 0.1)
        assert close(energy_loss(strong, statistics)[0], 0.1)
        # One of each in a batch do not cancel.
        mixed = {name: torch.cat([weak[name][:1], strong[name][1:]]) for name in STYLE_LAYERS}
        assert close(energy_loss(mixed, statistics)[0], 0.1)

    def test_colour(self):
        # Two pixels each. Means 1, 0, 0 against 2, 1, 0: (1 + 1) / (4 + 1).
        # Red alone varies, with variance 1, against green alone, with variance 1: (1 + 1) / (1 + 1e-5).
        image = torch.tensor([[[[0.0, 2.0]], [[0.0, 0.0]], [[0.0, 0.0]]]])
        style = torch.tensor([[[[2.0, 2.0]], [[0.0, 2.0]], [[0.0, 0.0]]]])
        loss, parts = colour_loss(image, colour_moments(style))
        assert close(loss, 2 / 5 + 2 / (1 + 1e-5))
        assert parts == {"colour": loss}
        assert close(colour_loss(style, colour_moments(style))[0], 0)

    def test_identity(self):
        # |1 - 3|, |2 - 2|, |5 - 1|, |0 - 2|: 8 / 4.
        loss, parts = identity_loss(torch.tensor([1.0, 2.0, 5.0, 0.0]), torch.tensor([3.0, 2.0, 1.0, 2.0]))
        assert close(loss, 2)
        assert parts == {"identity": loss}

    def test_code_of_a_part_of_the_batch_is_its_share_of_the_whole(self):
        found, code = torch.rand(6, 2, 4), torch.rand(6, 2, 4)
        whole = code_loss(found, code)[0]
        halves = [code_loss(found[i : i + 3], code, first=i)[0] for i in (0, 3)]
        assert torch.allclose(sum(halves) / 2, whole)

    def test_code_found_and_confused(self):
        # Around their mean 4 the codes are -1 and 1: cosines 1 with itself, -1 with the other.
        code = torch.tensor([[[3.0]], [[5.0]]])
        loss, parts = code_loss(code, code, temperature=2)
        assert close(loss, math.log(1 + math.exp(-1)))
        assert parts == {"code": loss}
        assert close(code_loss(code.flip(0), code, temperature=2)[0], math.log(1 + math.exp(1)))

    def test_code_of_a_batch_of_one_is_free(self):
        found = torch.ones(1, 2, 3, requires_grad=True)
        loss, parts = code_loss(found, torch.zeros(1, 2, 3))
        loss.backward()
        assert loss.item() == 0
        assert set(parts) == {"code"}
        assert found.grad.abs().sum() == 0

    def test_total_variation(self):
        # Down |3 - 0|, |6 - 1|: mean 4. Across |1 - 0|, |6 - 3|: mean 2.
        image = torch.tensor([[0.0, 1.0], [3.0, 6.0]]).expand(1, 3, 2, 2)
        loss, parts = tv_loss(image)
        assert close(loss, 6)
        assert parts == {"tv": loss}

    def test_steady_counts_what_is_not_border(self):
        image, again = torch.zeros(1, 3, 6, 6), torch.zeros(1, 3, 6, 6)
        again[..., 0, :] = 9
        again[..., 2, 3] = 2
        # One of the 2 x 2 pixels inside a margin of 2 differs by 2.
        loss, parts = steady_loss(image, again, 2)
        assert close(loss, 0.5)
        assert parts == {"steady": loss}

    @staticmethod
    def plain(side, value=0.5):
        return torch.full((1, 3, side, side), value)

    def test_ground_counts_contrast_that_neither_photo_nor_painting_has(self):
        # In 16 x 16 cells of 2, 4 and 8 pixels fit, one every half cell. Of the 14 steps across of cells of 2
        # one meets the edge whole and two by half, of the 6 of cells of 4 and of the 1 of cells of 8 alike.
        photo, image = self.plain(16), self.plain(16)
        image[..., 8:] += 0.2
        step = 0.2 * math.sqrt(3)
        loss, parts = ground_loss(image, photo, self.plain(64))
        steps = {13: [step, step / 2, step / 2], 5: [step, step / 2, step / 2], 1: [step]}
        assert close(loss, sum(sum(found) / count for count, found in steps.items()) / 6, 1e-3)
        assert parts == {"ground": loss}
        # 1.5 times the photo's contrast is free.
        assert ground_loss(0.5 + (image - 0.5) * 1.5, image, self.plain(64))[0] < 1e-6
        assert ground_loss(image[..., :3], photo[..., :3], self.plain(64))[0] == 0, "no two cells fit"

    @staticmethod
    def grain(side, size, seed=0):
        """Noise with a deviation of `size`, the same in every channel."""
        return size * torch.randn(side, side, generator=torch.Generator().manual_seed(seed))

    def test_the_ground_may_have_the_grain_of_the_paintings_plain_grounds(self):
        photo, painting = self.plain(96), self.plain(96)
        image = photo + self.grain(96, 0.01)
        grained = float(ground_loss(image, photo, painting)[0])
        assert grained > 0.002
        # With such a grain in half of the painting, its plainest third is still smooth; with it all over, the
        # third's largest step is what is free; and ten times as strong it frees all.
        painting[..., :48] += self.grain(96, 0.01, 1)[:, :48]
        assert close(ground_loss(image, photo, painting)[0], grained, 0.1)
        assert 0.1 * grained < ground_loss(image, photo, photo + self.grain(96, 0.01, 1))[0] < 0.7 * grained
        assert ground_loss(image, photo, photo + self.grain(96, 0.1, 1))[0] < 1e-6

    def test_the_ground_of_each_picture_is_compared_with_its_own_painting(self):
        photo, weave = (
            self.plain(32),
            0.1 * torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)),
        )
        image, smooth, woven = photo + weave, self.plain(32), photo + weave
        single = [float(ground_loss(image, photo, painting)[0]) for painting in (smooth, woven)]
        both = ground_loss(torch.cat([image] * 2), torch.cat([photo] * 2), torch.cat([smooth, woven]))[0]
        assert single[0] > single[1]
        assert close(both, sum(single) / 2)

    def test_what_the_ground_is_free_to_do_in_the_large(self):
        # To cells of 16 pixels an edge of 0.025 is free, and too much for those of 32; the painting is as
        # strong in the small.
        flat, image = self.plain(64), self.plain(64)
        image[..., 32:] += 0.025 / math.sqrt(3)
        busy = self.plain(64) + self.grain(64, 0.5)
        part = (..., slice(16, 48), slice(16, 48))
        assert ground_loss(image[part], flat[part], busy)[0] == 0
        # Cells of 2 to 32, two directions each: of these ten, only 32 across is above its 0.02.
        assert close(ground_loss(image, flat, busy)[0], (0.025 - 0.02) / 10, 1e-3)
        # A soft gradient may become one of four times its height, not of eight.
        sky = torch.linspace(-0.05, 0.05, 256).expand(1, 3, 256, 256)
        assert ground_loss(0.5 + 4 * sky, 0.5 + sky, busy)[0] == 0
        assert ground_loss(0.5 + 8 * sky, 0.5 + sky, busy)[0] > 0.01

    def test_range(self):
        # -1 is 1 too low, 3 is 2 too high: (1 + 0 + 0 + 4) / 4.
        loss, parts = range_loss(torch.tensor([-1.0, 0.5, 1.0, 3.0]))
        assert close(loss, 5 / 4)
        assert parts == {"range": loss}

    # Two scales of different sizes; each counts alike.
    REAL = (torch.tensor([1.0, 3.0]), torch.tensor([0.0]))
    FAKE = (torch.tensor([2.0]), torch.tensor([-2.0, 0.0]))

    @pytest.mark.parametrize(
        ("kind", "on_real", "on_fake"),
        [
            # real: ((0 + 4) / 2 + 1) / 2; fake: (4 + (4 + 0) / 2) / 2
            ("least_squares", 1.5, 3.0),
            # real: ((0 + 0) / 2 + 1) / 2; fake: (3 + (0 + 1) / 2) / 2
            ("hinge", 0.5, 1.75),
        ],
    )
    def test_discriminator(self, kind, on_real, on_fake):
        loss, parts = discriminator_loss(self.REAL, self.FAKE, kind)
        assert close(parts["d_real"], on_real)
        assert close(parts["d_fake"], on_fake)
        assert close(loss, on_real + on_fake)
        assert set(parts) == {"d_real", "d_fake"}

    def test_discriminator_cross_entropy(self):
        # e^softplus(x) = 1 + e^x: at logits 0 and ln 3 the losses are ln 2, ln 4 and ln (4/3).
        zero, three = torch.tensor([0.0]), torch.tensor([math.log(3)])
        loss, parts = discriminator_loss([zero, three], [zero, three], "cross_entropy")
        assert close(parts["d_real"], (math.log(2) + math.log(4 / 3)) / 2)
        assert close(parts["d_fake"], (math.log(2) + math.log(4)) / 2)
        assert close(loss, float(parts["d_real"] + parts["d_fake"]))

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            # (1 + (9 + 1) / 2) / 2
            ("least_squares", 3.0),
            # -(2 + (-2 + 0) / 2) / 2
            ("hinge", -0.5),
        ],
    )
    def test_generator(self, kind, expected):
        loss, parts = adversarial_loss(self.FAKE, kind)
        assert close(loss, expected)
        assert parts == {"adversarial": loss}

    def test_generator_cross_entropy_does_not_saturate(self):
        logits = torch.tensor([-math.log(3)], requires_grad=True)
        loss, _ = adversarial_loss([logits], "cross_entropy")
        loss.backward()
        # softplus(ln 3) = ln 4; its slope there is -3/4: the more D is sure, the more G learns.
        assert close(loss.detach(), math.log(4))
        assert close(logits.grad, -3 / 4)

    def test_total(self):
        parts = {"content": torch.tensor(2.0), "tv": torch.tensor(3.0)}
        loss, returned = total_loss(parts, LossWeights(content=1.5, tv=0.5))
        assert close(loss, 4.5)
        assert returned == parts


class TestAgainstFormulas:
    """Random features; NumPy in float64, written from the docstrings."""

    shape = (2, 3, 5, 7)

    def pair(self, seed):
        return doubles(*self.shape, seed=seed), doubles(*self.shape, seed=seed + 100) * 2 + 1

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

    def test_gram_matrix_and_moments(self):
        x, _ = self.pair(0)
        assert np.allclose(gram_matrix(x), self.gram(x.numpy()), rtol=1e-12)
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
        x, c = self.pair(1)

        def n(f):
            return (f - f.mean((2, 3), keepdims=True)) / np.sqrt(f.var((2, 3), keepdims=True) + 1e-5)

        expected = np.mean((n(x.numpy()) - n(c.numpy())) ** 2)
        assert close(content_loss(x, normalised(c))[0], expected, 1e-12)

    def test_styles(self):
        pairs = [self.pair(seed) for seed in range(4)]
        found = layers(*(x for x, _ in pairs))
        wanted = layers(*(s for _, s in pairs))
        for loss, statistic, formula in (
            (gram_loss, gram_matrix, self.gram),
            (mean_std_loss, mean_std, self.moments),
        ):
            ours = loss(*({name: statistic(f[name]) for name in f} for f in (found, wanted)))[0]
            expected = np.mean([self.relative(formula(x.numpy()), formula(s.numpy())) for x, s in pairs])
            assert close(ours, expected, 1e-12)

    def test_energy(self):
        pairs = [self.pair(seed) for seed in range(4)]
        found, wanted = (layers(*(mean_std(each[i]) for each in pairs)) for i in (0, 1))
        ratios = [x.numpy().mean((1, 2, 3)) / s.numpy().mean((1, 2, 3)) for x, s in pairs]
        assert close(energy_loss(found, wanted)[0], np.mean(np.abs(np.array(ratios) - 1)), 1e-12)

    def test_colour_and_pixels(self):
        x, s = self.pair(2)
        a, b = x.numpy(), s.numpy()
        means = [f.mean((2, 3)) for f in (a, b)]
        covariances = [np.stack([np.cov(n.reshape(len(n), -1), bias=True) for n in f]) for f in (a, b)]
        error, size = (np.sum(f**2, (1, 2)) for f in (covariances[0] - covariances[1], covariances[1]))
        expected = self.relative(*means) + np.mean(error / (size + 1e-5))
        assert close(colour_loss(x, colour_moments(s))[0], expected, 1e-12)
        assert close(identity_loss(x, s)[0], np.mean(np.abs(a - b)), 1e-12)
        assert close(range_loss(x)[0], np.mean((a - np.clip(a, 0, 1)) ** 2), 1e-12)
        tv = np.mean(np.abs(np.diff(a, axis=2))) + np.mean(np.abs(np.diff(a, axis=3)))
        assert close(tv_loss(x)[0], tv, 1e-12)

    def test_ground(self):
        x, c = doubles(2, 3, 128, 96, seed=8), doubles(2, 3, 128, 96, seed=9)
        s = doubles(2, 3, 80, 72, seed=10) / 4

        def steps(f, cell, axis):
            # Mean colours of overlapping cells, a full cell apart: [step, cell, picture].
            height, width = f.shape[2:]
            half = max(1, cell // 2)
            means = [
                [
                    np.mean(f[:, :, i : i + cell, j : j + cell], (2, 3))
                    for j in range(0, width + 1 - cell, half)
                ]
                for i in range(0, height + 1 - cell, half)
            ]
            means = np.moveaxis(np.array(means), axis, 0)
            return np.linalg.norm(means[2:] - means[:-2], axis=-1)

        def excess(k, axis, gain, free):
            of_x, of_c, of_s = (steps(f.numpy(), k, axis) for f in (x, c, s))
            if free is None:
                free = np.quantile(of_s.reshape(-1, 2), 1 / 3, axis=0)
            return np.mean(np.maximum(0, of_x - gain * of_c - free))

        cells = ((2, 2, None), (4, 2, None), (8, 1.5, None), (16, 1.5, 0.03), (32, 4, 0.02))
        expected = np.mean([excess(k, axis, gain, free) for k, gain, free in cells for axis in (0, 1)])
        assert close(ground_loss(x, c, s)[0], expected, 1e-6)

    def test_code(self):
        found, code = doubles(4, 3, 6, seed=3), doubles(4, 3, 6, seed=4) + 5
        a, b = found.numpy() + 5, code.numpy()
        centre = b.mean(0)
        expected = 0.0
        for i in range(4):
            scores = [
                np.mean(
                    [
                        (a[i, k] - centre[k])
                        @ (b[j, k] - centre[k])
                        / np.linalg.norm(a[i, k] - centre[k])
                        / np.linalg.norm(b[j, k] - centre[k])
                        for k in range(3)
                    ]
                )
                for j in range(4)
            ]
            exponentials = np.exp(np.array(scores) / 0.1)
            expected -= np.log(exponentials[i] / exponentials.sum()) / 4
        assert close(code_loss(found + 5, code)[0], expected, 1e-10)

    def test_adversarial(self):
        real, fake = [doubles(2, 1, 3, 3, seed=5), doubles(2, 1, 2, 2, seed=6)], [doubles(2, 1, 4, 4, seed=7)]
        formulas = {
            "least_squares": (lambda d: (d - 1) ** 2, lambda d: d**2, lambda d: (d - 1) ** 2),
            "cross_entropy": (
                lambda d: np.log1p(np.exp(-d)),
                lambda d: np.log1p(np.exp(d)),
                lambda d: np.log1p(np.exp(-d)),
            ),
            "hinge": (lambda d: np.maximum(0, 1 - d), lambda d: np.maximum(0, 1 + d), lambda d: -d),
        }
        assert set(formulas) == set(ADVERSARIAL_LOSSES)
        for kind, (on_real, on_fake, on_generator) in formulas.items():
            d_real = np.mean([np.mean(on_real(d.numpy())) for d in real])
            d_fake = np.mean(on_fake(fake[0].numpy()))
            assert close(discriminator_loss(real, fake, kind)[0], d_real + d_fake, 1e-12)
            assert close(adversarial_loss(fake, kind)[0], np.mean(on_generator(fake[0].numpy())), 1e-12)


class TestGradients:
    @pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
    def test_finite_on_a_picture_of_one_colour(self, level):
        # Most channels are dead or flat there: sqrt(var) alone would have an infinite slope.
        network = LossNetwork()
        wanted = network(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
        grams, moments = style_statistics(wanted)
        image = torch.full((1, 3, 32, 32), level, requires_grad=True)
        features = network(image)
        found_grams, found_moments = style_statistics(features)
        parts = (
            content_loss(features["relu4_1"], normalised(wanted["relu4_1"]))[1]
            | gram_loss(found_grams, grams)[1]
            | mean_std_loss(found_moments, moments)[1]
            | colour_loss(image, colour_moments(torch.rand(1, 3, 8, 8)))[1]
            | tv_loss(image)[1]
            | range_loss(image)[1]
        )
        # The other road to the deviations, which evaluation takes.
        exact, _ = mean_std_loss({name: mean_std(features[name]) for name in STYLE_LAYERS}, moments)
        (total_loss(parts, LossWeights())[0] + exact).backward()
        assert torch.isfinite(image.grad).all()
        assert image.grad.abs().sum() > 0

    def test_finite_where_every_style_code_is_the_same(self):
        found = torch.ones(3, 2, 4, requires_grad=True)
        loss, _ = code_loss(found, torch.ones(3, 2, 4))
        loss.backward()
        # Nothing tells the styles apart: a guess among 3.
        assert close(loss.detach(), math.log(3))
        assert torch.isfinite(found.grad).all()

    def test_a_painting_without_energy_is_not_divided_by_zero(self):
        found = torch.ones(1, 4, requires_grad=True)
        loss = relative_error(found, torch.zeros(1, 4))
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(found.grad).all()

    @pytest.mark.parametrize("kind", ADVERSARIAL_LOSSES)
    def test_each_side_pulls_its_own_way(self, kind):
        real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
        discriminator_loss([real], [fake], kind)[0].backward()
        # Descending, D raises its logits on paintings; on ours it does not raise them.
        assert (real.grad < 0).all()
        assert (fake.grad >= 0).all()
        painted = torch.zeros(3, requires_grad=True)
        adversarial_loss([painted], kind)[0].backward()
        assert (painted.grad < 0).all()


class TestNumberTypes:
    def test_half_precision_features_do_not_overflow(self):
        # 300^2 is beyond float16.
        features = torch.full((1, 2, 8, 8), 300.0, dtype=torch.float16)
        assert torch.allclose(mean_std(features)[0, 0], torch.tensor(300.0))
        assert mean_std(features).dtype == torch.float32

    def test_gram_matrix_of_bfloat16_features(self):
        features = torch.rand(1, 8, 32, 32, generator=torch.Generator().manual_seed(0)) * 1000
        narrow = features.bfloat16()
        found, exact = gram_matrix(narrow), gram_matrix(narrow.double())
        assert found.dtype == torch.float32
        # One rounding to 8 bits.
        assert ((found - exact).abs() <= exact / 2**8).all()


class TestRefusals:
    def test_parts_carry_the_names_of_the_weights(self):
        image = torch.rand(2, 3, 8, 8)
        code = torch.rand(2, 3, 4)
        statistics = layers(*[torch.rand(2, 2, 2)] * 4)
        parts = (
            content_loss(image, image)[1]
            | gram_loss(statistics, statistics)[1]
            | mean_std_loss(statistics, statistics)[1]
            | energy_loss(statistics, statistics)[1]
            | colour_loss(image, colour_moments(image))[1]
            | identity_loss(image, image)[1]
            | code_loss(code, code)[1]
            | steady_loss(image, image, 2)[1]
            | ground_loss(image, image, image)[1]
            | tv_loss(image)[1]
            | range_loss(image)[1]
            | adversarial_loss([image])[1]
        )
        weights = LossWeights()
        assert {name: weights.of(name) for name in parts}["mean_std"] == 2 * weights.style
        assert weights.of("gram") == weights.style
        ours = {"gram", "mean_std"}
        assert set(parts) - ours == {field.name for field in fields(LossWeights)} - {"style"}

    def test_unknown_part(self):
        with pytest.raises(ValueError, match=r"no weight for the loss 'perceptual'.*'content'"):
            total_loss({"perceptual": torch.tensor(1.0)}, LossWeights())

    def test_unknown_kind(self):
        logits = [torch.zeros(1)]
        with pytest.raises(ValueError, match="adversarial loss is 'wgan'; choose one of least_squares"):
            discriminator_loss(logits, logits, "wgan")
        with pytest.raises(ValueError, match="adversarial loss is 'wgan'; choose one of least_squares"):
            adversarial_loss(logits, "wgan")
