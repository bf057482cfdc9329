"""Arithmetic on style codes and the distribution they are drawn from."""

from __future__ import annotations

import math

import pytest
import torch

from brushwork.models import mix_styles
from brushwork.models.codes import lerp, slerp
from brushwork.models.style_space import StyleSpace, cluster

LAYERS, DIM = 5, 4


@pytest.fixture
def codes():
    torch.manual_seed(0)
    return [torch.randn(1, LAYERS, DIM) for _ in range(4)]


def test_lerp_endpoints_and_middle(codes):
    a, b = codes[:2]
    torch.testing.assert_close(lerp(a, b, 0.0), a)
    torch.testing.assert_close(lerp(a, b, 1.0), b)
    torch.testing.assert_close(lerp(a, b, 0.5), (a + b) / 2)


def test_slerp_endpoints(codes):
    a, b = codes[:2]
    torch.testing.assert_close(slerp(a, b, 0.0), a)
    torch.testing.assert_close(slerp(a, b, 1.0), b)


def test_slerp_middle_halves_the_angle_and_averages_the_length(codes):
    a, b = (code.double() for code in codes[:2])
    middle = slerp(a, b, 0.5)
    torch.testing.assert_close(middle.norm(dim=-1), (a.norm(dim=-1) + b.norm(dim=-1)) / 2)
    whole, half = (torch.cosine_similarity(a, end, dim=-1).acos() for end in (b, middle))
    torch.testing.assert_close(half, whole / 2)


@pytest.mark.parametrize("t", [0.2, 0.5, 0.9])
def test_slerp_follows_shoemakes_formula_on_unit_vectors(t):
    angle = 1.1
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([math.cos(angle), math.sin(angle)])
    torch.testing.assert_close(
        slerp(a, b, t), torch.tensor([math.cos(t * angle), math.sin(t * angle)]), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("factor", [1.0, 3.0, -2.0, 0.0])
def test_slerp_between_parallel_codes_is_lerp(codes, factor):
    a = codes[0]
    torch.testing.assert_close(slerp(a, a * factor, 0.3), lerp(a, a * factor, 0.3))


@pytest.mark.parametrize("mode", ["lerp", "slerp"])
def test_mix_of_one_is_itself(codes, mode):
    assert torch.equal(mix_styles(codes[:1], mode=mode), codes[0])
    assert torch.equal(mix_styles(codes[:1], weights=[0.2], mode=mode, structure_from_first=2), codes[0])


@pytest.mark.parametrize("mode", ["lerp", "slerp"])
def test_mix_of_a_code_with_itself_is_itself(codes, mode):
    torch.testing.assert_close(mix_styles([codes[0]] * 3, weights=[3, 1, 2], mode=mode), codes[0])


@pytest.mark.parametrize("mode", ["lerp", "slerp"])
def test_only_the_weights_proportions_count(codes, mode):
    torch.testing.assert_close(
        mix_styles(codes, weights=[2, 1, 1, 4], mode=mode),
        mix_styles(codes, weights=[0.5, 0.25, 0.25, 1.0], mode=mode),
    )


def test_lerp_mix_is_the_weighted_mean(codes):
    a, b, c, d = codes
    torch.testing.assert_close(mix_styles(codes, weights=[2, 1, 1, 4]), (2 * a + b + c + 4 * d) / 8)
    torch.testing.assert_close(mix_styles(codes), (a + b + c + d) / 4)


def test_lerp_mix_does_not_depend_on_the_order(codes):
    torch.testing.assert_close(
        mix_styles(codes, weights=[1, 2, 3, 4]), mix_styles(codes[::-1], weights=[4, 3, 2, 1])
    )


@pytest.mark.parametrize("mode", ["lerp", "slerp"])
def test_weight_0_leaves_a_style_out(codes, mode):
    torch.testing.assert_close(
        mix_styles(codes, weights=[0, 1, 0, 2], mode=mode),
        mix_styles([codes[1], codes[3]], weights=[1, 2], mode=mode),
    )


def test_slerp_mix_of_two_is_slerp(codes):
    a, b = codes[:2]
    torch.testing.assert_close(mix_styles([a, b], weights=[3, 1], mode="slerp"), slerp(a, b, 0.25))


@pytest.mark.parametrize("split", range(LAYERS + 1))
def test_split_takes_structure_from_the_first_and_colour_from_the_rest(codes, split):
    a, b, c = codes[:3]
    mixed = mix_styles([a, b, c], weights=[9, 1, 3], structure_from_first=split)
    if split == 0:
        torch.testing.assert_close(mixed, (9 * a + b + 3 * c) / 13)
        return
    torch.testing.assert_close(mixed[:, :split], a[:, :split])
    torch.testing.assert_close(mixed[:, split:], ((b + 3 * c) / 4)[:, split:])


def test_one_code_mixes_with_a_batch(codes):
    batch = torch.cat(codes[:3])
    mixed = mix_styles([batch, codes[3]], weights=[1, 1])
    torch.testing.assert_close(mixed, (batch + codes[3]) / 2)


def test_codes_are_left_alone(codes):
    before = [code.clone() for code in codes]
    mix_styles(codes, mode="slerp", structure_from_first=2)
    assert all(torch.equal(a, b) for a, b in zip(codes, before, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"codes": []}, r"There is no style to mix; connect at least one\."),
        ({"mode": "cubic"}, r"mode is 'cubic'; choose one of lerp, slerp\."),
        ({"weights": [1, -1, 1, 1]}, "The weights are 1, -1, 1, 1; give numbers of 0 or more"),
        ({"weights": [0, 0, 0, 0]}, r"at least one above 0\."),
        ({"weights": [1, math.nan, 1, 1]}, r"The weights are .*nan"),
        ({"weights": [1, math.inf, 1, 1]}, r"The weights are .*inf"),
        ({"weights": [1, "a", None, 1]}, "The weights are 1, nan, nan, 1; give"),
        ({"weights": [1, 1]}, r"weights has 2 numbers for 4 styles; give one for each\."),
        ({"structure_from_first": 6}, r"structure_from_first is 6; this network has 5 layers\."),
        ({"structure_from_first": -1}, r"structure_from_first is -1"),
    ],
)
def test_what_cannot_be_mixed_is_refused(codes, arguments, message):
    with pytest.raises(ValueError, match=message):
        mix_styles(**{"codes": codes, **arguments})


@pytest.mark.parametrize("mode", ["lerp", "slerp"])
def test_only_the_ratios_of_weights_count(codes, mode):
    mixed = mix_styles(codes, weights=[1, 2, 0, 5], mode=mode)
    for scale in (1e307, 1.7e308 / 5, 1e-300):
        torch.testing.assert_close(mix_styles(codes, [scale, 2 * scale, 0, 5 * scale], mode), mixed)


def test_codes_that_do_not_match_are_refused(codes):
    with pytest.raises(ValueError, match=r"different networks: their codes are \[\(3, 4\), \(5, 4\)\]"):
        mix_styles([codes[0], torch.zeros(1, 3, DIM)])
    with pytest.raises(ValueError, match=r"The styles to mix come in batches of 2 and 3"):
        mix_styles([torch.cat(codes[:2]), torch.cat(codes[:3])])


@pytest.fixture(scope="module")
def space():
    torch.manual_seed(1)
    codes = torch.randn(40, LAYERS, DIM) * torch.tensor([0.01, 0.1, 1.0, 10.0, 100.0])[:, None] + 3
    return StyleSpace.fit(codes, rank=8)


def test_a_seed_always_gives_the_same_codes(space):
    assert torch.equal(space.sample(7, 3, 0.8, LAYERS), space.sample(7, 3, 0.8, LAYERS))
    assert not torch.equal(space.sample(7, 3, 0.8, LAYERS), space.sample(8, 3, 0.8, LAYERS))


def test_sampling_does_not_touch_torchs_own_seed(space):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    space.sample(7, 3, 0.8, LAYERS)
    assert torch.equal(torch.rand(3), expected)


def test_code_i_does_not_depend_on_the_count(space):
    torch.testing.assert_close(space.sample(7, 5, 0.8, LAYERS)[:2], space.sample(7, 2, 0.8, LAYERS))


def test_the_codes_of_one_seed_differ(space):
    a, b = space.sample(7, 2, 0.8, LAYERS)
    assert not torch.allclose(a, b)


@pytest.mark.parametrize("seed", [0, 2**32, 2**63 - 1, 2**64 - 1])
def test_every_seed_that_comfyui_makes_works(space, seed):
    assert torch.isfinite(space.sample(seed, 2, 1.0, LAYERS)).all()


def test_psi_0_is_a_typical_style_and_psi_scales_the_rest(space):
    typical = space.sample(3, 4, 0.0, LAYERS)
    assert torch.cdist(typical.flatten(1), space.centers).min(1).values.max() == 0
    half, whole = space.sample(3, 4, 0.5, LAYERS), space.sample(3, 4, 1.0, LAYERS)
    torch.testing.assert_close(half, lerp(typical, whole, 0.5))
    assert (whole - typical).flatten(1).norm(dim=1).min() > 0


def test_lerp_pulls_any_code_to_the_mean(space):
    mean = space.mean.unflatten(0, (LAYERS, DIM))
    code = torch.randn(2, LAYERS, DIM)
    torch.testing.assert_close(lerp(mean, code, 0.0), mean.expand(2, -1, -1))
    torch.testing.assert_close(lerp(mean, code, 1.0), code)
    torch.testing.assert_close(lerp(mean, code, 0.25), mean + 0.25 * (code - mean))


def test_fit_recovers_a_gaussian():
    """Codes with a known mean and covariance; with all axes kept both come back."""
    torch.manual_seed(2)
    size = 6
    mixing = torch.randn(size, size, dtype=torch.float64)
    mean = torch.randn(size, dtype=torch.float64)
    codes = (mean + torch.randn(8_000, size, dtype=torch.float64) @ mixing).unflatten(1, (2, 3))
    space = StyleSpace.fit(codes, rank=size)
    covariance = mixing.T @ mixing
    largest = covariance.abs().max()
    assert (space.mean.double() - mean).abs().max() < 0.05 * largest.sqrt()
    between = (space.centers - space.mean) * space.shares.sqrt()[:, None]
    fitted = (space.directions.T @ space.directions + between.T @ between).double()
    assert (fitted - covariance).abs().max() < 0.05 * largest
    drawn = space.sample(0, 4000, 1.0, 2).flatten(1).double()
    assert (drawn.T.cov() - covariance).abs().max() < 0.15 * largest
    assert space.count == 8_000


def test_fit_gives_each_layer_its_share():
    """A layer with numbers 10,000 times smaller keeps its variety although few axes are kept."""
    torch.manual_seed(3)
    z = torch.randn(500, 2)
    small, large = z[:, :1] * 1e-2, z[:, 1:] * 1e2
    codes = torch.stack([small.expand(-1, 3), large.expand(-1, 3)], 1)
    space = StyleSpace.fit(codes, rank=2)
    drawn = space.sample(0, 1000, 1.0, 2)
    assert drawn[:, 0].std() == pytest.approx(1e-2, rel=0.15)
    assert drawn[:, 1].std() == pytest.approx(1e2, rel=0.15)


def test_rank_is_no_more_than_the_pictures_can_tell():
    codes = torch.randn(4, LAYERS, DIM)
    space = StyleSpace.fit(codes, rank=64)
    assert space.directions.shape == (3, LAYERS * DIM)
    assert torch.isfinite(space.sample(0, 2, 1.0, LAYERS)).all()


def test_fit_finds_typical_styles_and_draws_around_them():
    """Three kinds of art, a half, a third and a sixth of all: nothing is drawn in the gaps between them."""
    torch.manual_seed(4)
    kinds = torch.tensor([0, 0, 0, 1, 1, 2]).repeat(50)
    centers = torch.tensor([[-30.0, 0.0, 0.0, 9.0], [0.0, 20.0, 0.0, 9.0], [10.0, 0.0, 25.0, 9.0]])
    codes = (centers[kinds] + torch.randn(300, 4)).unflatten(1, (2, 2))
    space = StyleSpace.fit(codes, centers=3)
    order = space.centers[:, 0].argsort()
    assert (space.centers[order] - centers).abs().max() < 0.6
    torch.testing.assert_close(space.shares[order], torch.tensor([1 / 2, 1 / 3, 1 / 6]))
    drawn = space.sample(0, 600, 1.0, 2).flatten(1)
    distance, nearest = torch.cdist(drawn, centers).min(1)
    assert distance.max() < 5
    shares = torch.bincount(nearest, minlength=3) / 600
    assert (shares - torch.tensor([1 / 2, 1 / 3, 1 / 6])).abs().max() < 0.06


def test_no_typical_style_is_that_of_a_few_paintings():
    """Forty paintings alike and two outliers far away: these belong to no style of their own."""
    codes = torch.randn(42, LAYERS, DIM, generator=torch.Generator().manual_seed(7))
    codes[40:] += torch.tensor([50.0, -50.0])[:, None, None]
    space = StyleSpace.fit(codes)
    assert (space.shares * 42).min().round() >= 5
    assert len(StyleSpace.fit(codes[:7]).centers) == 1
    assert len(StyleSpace.fit(codes[:2]).centers) == 1


def test_clusters_of_points_that_are_all_the_same():
    centers, nearest = cluster(torch.ones(5, 3), 3)
    assert torch.equal(centers, torch.ones(1, 3))
    assert nearest.tolist() == [0] * 5


def test_every_point_is_with_its_nearest_centre_and_every_centre_the_mean_of_its_points():
    points = torch.randn(400, 5, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    centers, nearest = cluster(points, 12)
    assert torch.equal(nearest, torch.cdist(points, centers).argmin(1))
    for k, center in enumerate(centers):
        torch.testing.assert_close(center, points[nearest == k].mean(0))
