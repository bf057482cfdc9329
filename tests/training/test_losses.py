"""Losses against numbers worked out by hand and against their formulas in float64 NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from small_tensors import close, double_pair, doubles, layers, numpy_relative

from brushwork.models.perception.feature_losses import content_loss, gram_loss, mean_std_loss
from brushwork.models.perception.pixel_losses import range_loss, tv_loss
from brushwork.models.perception.statistics import color_moments, mean_std, normalized, style_statistics
from brushwork.models.perception.vgg import STYLE_LAYERS, LossNetwork
from brushwork.training.losses import (
    ADVERSARIAL_LOSSES,
    LossWeights,
    adversarial_loss,
    code_loss,
    color_loss,
    energy_loss,
    fake_loss,
    grid_loss,
    identity_loss,
    real_loss,
    steady_loss,
    style_losses,
    total_loss,
)

SHAPE = (2, 3, 5, 7)


class TestByHand:
    def test_energy(self):
        # Mean activations 6 against 4 in every layer: half too much. Deviations and channels do not matter.
        found = layers(*[torch.tensor([[[4.0, 8.0], [0.0, 9.0]]])] * 4)
        target = layers(*[torch.tensor([[[7.0, 1.0], [5.0, 5.0]]])] * 4)
        loss = energy_loss(found, target)
        assert close(loss, 1 / 2)

    def test_energy_of_too_little_is_as_bad_as_of_too_much(self):
        statistics = {name: doubles(3, 2, 8, seed=5).abs() + 0.1 for name in STYLE_LAYERS}
        weak, strong = ({name: each * f for name, each in statistics.items()} for f in (0.9, 1.1))
        assert close(energy_loss(weak, statistics), 0.1)
        assert close(energy_loss(strong, statistics), 0.1)
        # One of each in a batch do not cancel.
        mixed = {name: torch.cat([weak[name][:1], strong[name][1:]]) for name in STYLE_LAYERS}
        assert close(energy_loss(mixed, statistics), 0.1)

    def test_style_at_three_sizes(self):
        # Gram matrices of one number, 3 against 2: (1 / 2)^2 = 1/4; at half the size 2 against 4: 1/4; at a
        # quarter alike: 0. Mean activations 6, 4 and 2 against 4, all with deviations 0: squared relative
        # errors 1/4, 0, 1/4 and energies 1/2, 0, 1/2.
        def statistics(gram: float, mean: float):
            moments = torch.tensor([[[mean], [0.0]]])
            return layers(*[torch.full((1, 1, 1), gram)] * 4), layers(*[moments] * 4)

        found = {"whole": statistics(3, 6), "half": statistics(2, 4), "quarter": statistics(5, 2)}
        target = {"whole": statistics(2, 4), "half": statistics(4, 4), "quarter": statistics(5, 4)}
        parts, by_size = style_losses(found, target, (0.4, 0.3, 0.3))
        assert set(parts) == {"gram", "mean_std", "energy"}
        assert close(parts["gram"], 0.4 / 4 + 0.3 / 4)
        assert close(parts["mean_std"], 0.4 / 4 + 0.3 / 4)
        assert close(parts["energy"], 0.4 / 2 + 0.3 / 2)
        expected = {"gram_whole": 1 / 4, "gram_half": 1 / 4, "gram_quarter": 0}
        assert by_size.keys() == expected.keys()
        assert all(close(by_size[name], loss) for name, loss in expected.items())
        # The total counts each of them once.
        weights = LossWeights(style=1.0, energy=2.0)
        assert close(total_loss(parts, weights), 0.175 + 2 * 0.175 + 2 * 0.35)
        # A size that is left out has no loss.
        parts, by_size = style_losses({"half": found["half"]}, {"half": target["half"]}, (0.0, 1.0, 0.0))
        assert set(by_size) == {"gram_half"}
        assert close(parts["gram"], 1 / 4)

    def test_colour(self):
        # Two pixels each. Means 1, 0, 0 against 2, 1, 0: (1 + 1) / (4 + 1).
        # Red alone varies, with variance 1, against green alone, with variance 1: (1 + 1) / (1 + 1e-5).
        image = torch.tensor([[[[0.0, 2.0]], [[0.0, 0.0]], [[0.0, 0.0]]]])
        style = torch.tensor([[[[2.0, 2.0]], [[0.0, 2.0]], [[0.0, 0.0]]]])
        loss = color_loss(image, color_moments(style))
        assert close(loss, 2 / 5 + 2 / (1 + 1e-5))
        assert close(color_loss(style, color_moments(style)), 0)

    def test_identity(self):
        # |1 - 3|, |2 - 2|, |5 - 1|, |0 - 2|: 8 / 4.
        loss = identity_loss(torch.tensor([1.0, 2.0, 5.0, 0.0]), torch.tensor([3.0, 2.0, 1.0, 2.0]))
        assert close(loss, 2)

    def test_code_of_a_part_of_the_batch_is_its_share_of_the_whole(self):
        found, code = torch.rand(6, 2, 4), torch.rand(6, 2, 4)
        whole = code_loss(found, code)
        halves = [code_loss(found[i : i + 3], code, first=i) for i in (0, 3)]
        assert torch.allclose(sum(halves) / 2, whole)

    def test_code_found_and_confused(self):
        # Around their mean 4 the codes are -1 and 1: cosines 1 with itself, -1 with the other.
        code = torch.tensor([[[3.0]], [[5.0]]])
        loss = code_loss(code, code, temperature=2)
        assert close(loss, math.log(1 + math.exp(-1)))
        assert close(code_loss(code.flip(0), code, temperature=2), math.log(1 + math.exp(1)))

    def test_code_of_a_batch_of_one_is_free(self):
        found = torch.ones(1, 2, 3, requires_grad=True)
        loss = code_loss(found, torch.zeros(1, 2, 3))
        loss.backward()
        assert loss.item() == 0
        assert found.grad.abs().sum() == 0

    def test_total_variation(self):
        # Down |3 - 0|, |6 - 1|: mean 4. Across |1 - 0|, |6 - 3|: mean 2.
        image = torch.tensor([[0.0, 1.0], [3.0, 6.0]]).expand(1, 3, 2, 2)
        loss = tv_loss(image)
        assert close(loss, 6)

    def test_steady_counts_what_is_not_border(self):
        image, again = torch.zeros(1, 3, 6, 6), torch.zeros(1, 3, 6, 6)
        again[..., 0, :] = 9
        again[..., 2, 3] = 2
        # One of the 2 x 2 pixels inside a margin of 2 differs by 2.
        loss = steady_loss(image, again, 2)
        assert close(loss, 0.5)

    def test_grid_counts_what_repeats_in_every_cell(self):
        # 1/255 of light in one of 16 pixels of every cell: its square, less the square of the mean, 15/256.
        image, again = torch.zeros(1, 3, 70, 70), torch.zeros(1, 3, 70, 70)
        again[..., 1::4, 2::4] = 1 / 255
        assert close(grid_loss(image, again, 3), math.log1p(15 / 256))
        # A pattern that comes every 5 pixels falls on all places of the cells alike.
        again = torch.zeros(1, 3, 70, 70)
        again[..., 1::5, 2::5] = 1 / 255
        assert grid_loss(image, again, 3) < 0.03 * 15 / 256

    def test_without_a_margin_all_pixels_count(self):
        image, again = torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)
        again[..., 0, :] = 1
        assert close(steady_loss(image, again, 0), 1 / 32)
        again = torch.zeros(1, 3, 32, 32)
        again[..., 0::4, :] = 1 / 255
        assert close(grid_loss(image, again, 0), math.log1p(3 / 16))

    @pytest.mark.parametrize(
        ("loss", "margin", "least"), [(steady_loss, 5, 1), (grid_loss, 4, 4), (grid_loss, -1, 4)]
    )
    def test_a_margin_that_leaves_nothing(self, loss, margin, least):
        image = torch.zeros(1, 3, 12, 10)
        sentence = f"margin is {margin} for pictures of 10 x 12 pixels; .* leaves {least} x {least} pixels"
        with pytest.raises(ValueError, match=sentence):
            loss(image, image, margin)

    def test_grid_of_small_crops(self):
        image, again = torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)
        again[..., 0::4, :] = 1 / 255
        # A quarter of the rows: 1/4 - 1/16.
        assert close(grid_loss(image, again, 2), math.log1p(3 / 16))

    def test_range(self):
        # -1 is 1 too low, 3 is 2 too high: (1 + 0 + 0 + 4) / 4.
        loss = range_loss(torch.tensor([-1.0, 0.5, 1.0, 3.0]))
        assert close(loss, 5 / 4)

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
        assert close(real_loss(self.REAL, kind), on_real)
        assert close(fake_loss(self.FAKE, kind), on_fake)

    def test_discriminator_cross_entropy(self):
        # e^softplus(x) = 1 + e^x: at logits 0 and ln 3 the losses are ln 2, ln 4 and ln (4/3).
        zero, three = torch.tensor([0.0]), torch.tensor([math.log(3)])
        assert close(real_loss([zero, three], "cross_entropy"), (math.log(2) + math.log(4 / 3)) / 2)
        assert close(fake_loss([zero, three], "cross_entropy"), (math.log(2) + math.log(4)) / 2)

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
        loss = adversarial_loss(self.FAKE, kind)
        assert close(loss, expected)

    def test_generator_cross_entropy_does_not_saturate(self):
        logits = torch.tensor([-math.log(3)], requires_grad=True)
        loss = adversarial_loss([logits], "cross_entropy")
        loss.backward()
        # softplus(ln 3) = ln 4; its slope there is -3/4: the more D is sure, the more G learns.
        assert close(loss.detach(), math.log(4))
        assert close(logits.grad, -3 / 4)

    def test_total(self):
        parts = {"content": torch.tensor(2.0), "tv": torch.tensor(3.0)}
        assert close(total_loss(parts, LossWeights(content=1.5, tv=0.5)), 4.5)
        assert {name: float(part) for name, part in parts.items()} == {"content": 2, "tv": 3}


class TestAgainstFormulas:
    """Random features; NumPy in float64, written from the docstrings."""

    def test_energy(self):
        pairs = [double_pair(*SHAPE, seed=seed) for seed in range(4)]
        found, wanted = (layers(*(mean_std(each[i]) for each in pairs)) for i in (0, 1))
        ratios = [x.numpy().mean((1, 2, 3)) / s.numpy().mean((1, 2, 3)) for x, s in pairs]
        assert close(energy_loss(found, wanted), np.mean(np.abs(np.array(ratios) - 1)), 1e-12)

    def test_colour_and_pixels(self):
        x, s = double_pair(*SHAPE, seed=2)
        a, b = x.numpy(), s.numpy()
        means = [f.mean((2, 3)) for f in (a, b)]
        covariances = [np.stack([np.cov(n.reshape(len(n), -1), bias=True) for n in f]) for f in (a, b)]
        error, size = (np.sum(f**2, (1, 2)) for f in (covariances[0] - covariances[1], covariances[1]))
        expected = numpy_relative(*means) + np.mean(error / (size + 1e-5))
        assert close(color_loss(x, color_moments(s)), expected, 1e-12)
        assert close(identity_loss(x, s), np.mean(np.abs(a - b)), 1e-12)
        assert close(range_loss(x), np.mean((a - np.clip(a, 0, 1)) ** 2), 1e-12)
        tv = np.mean(np.abs(np.diff(a, axis=2))) + np.mean(np.abs(np.diff(a, axis=3)))
        assert close(tv_loss(x), tv, 1e-12)

    def test_code(self):
        found, code = doubles(4, 3, 6, seed=3), doubles(4, 3, 6, seed=4) + 5
        a, b = found.numpy() + 5, code.numpy()
        center = b.mean(0)
        expected = 0.0
        for i in range(4):
            scores = [
                np.mean(
                    [
                        (a[i, k] - center[k])
                        @ (b[j, k] - center[k])
                        / np.linalg.norm(a[i, k] - center[k])
                        / np.linalg.norm(b[j, k] - center[k])
                        for k in range(3)
                    ]
                )
                for j in range(4)
            ]
            exponentials = np.exp(np.array(scores) / 0.1)
            expected -= np.log(exponentials[i] / exponentials.sum()) / 4
        assert close(code_loss(found + 5, code), expected, 1e-10)

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
            assert close(real_loss(real, kind), d_real, 1e-12)
            assert close(fake_loss(fake, kind), d_fake, 1e-12)
            assert close(adversarial_loss(fake, kind), np.mean(on_generator(fake[0].numpy())), 1e-12)


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
        parts = {
            "content": content_loss(features["relu4_1"], normalized(wanted["relu4_1"])),
            "gram": gram_loss(found_grams, grams),
            "mean_std": mean_std_loss(found_moments, moments),
            "colour": color_loss(image, color_moments(torch.rand(1, 3, 8, 8))),
            "tv": tv_loss(image),
            "range": range_loss(image),
        }
        # The other road to the deviations, which evaluation takes.
        exact = mean_std_loss({name: mean_std(features[name]) for name in STYLE_LAYERS}, moments)
        (total_loss(parts, LossWeights()) + exact).backward()
        assert torch.isfinite(image.grad).all()
        assert image.grad.abs().sum() > 0

    def test_finite_where_every_style_code_is_the_same(self):
        found = torch.ones(3, 2, 4, requires_grad=True)
        loss = code_loss(found, torch.ones(3, 2, 4))
        loss.backward()
        # Nothing tells the styles apart: a guess among 3.
        assert close(loss.detach(), math.log(3))
        assert torch.isfinite(found.grad).all()

    @pytest.mark.parametrize("kind", ADVERSARIAL_LOSSES)
    def test_each_side_pulls_its_own_way(self, kind):
        real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
        (real_loss([real], kind) + fake_loss([fake], kind)).backward()
        # Descending, D raises its logits on paintings; on painted pictures it does not raise them.
        assert (real.grad < 0).all()
        assert (fake.grad >= 0).all()
        painted = torch.zeros(3, requires_grad=True)
        adversarial_loss([painted], kind).backward()
        assert (painted.grad < 0).all()


class TestRefusals:
    def test_unknown_part(self):
        with pytest.raises(ValueError, match=r"no weight for the loss 'perceptual'.*'content'"):
            total_loss({"perceptual": torch.tensor(1.0)}, LossWeights())

    def test_unknown_kind(self):
        logits = [torch.zeros(1)]
        with pytest.raises(ValueError, match="adversarial loss is 'wgan'; choose one of least_squares"):
            real_loss(logits, "wgan")
        with pytest.raises(ValueError, match="adversarial loss is 'wgan'; choose one of least_squares"):
            fake_loss(logits, "wgan")
        with pytest.raises(ValueError, match="adversarial loss is 'wgan'; choose one of least_squares"):
            adversarial_loss(logits, "wgan")
