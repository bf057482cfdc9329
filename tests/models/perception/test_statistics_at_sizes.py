"""Style statistics at whole, half and quarter size."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from gram_errors import gram_errors

from brushwork.models.perception.statistics import (
    STYLE_LAYERS,
    gram_and_mean,
    mean_std,
    moments_of,
    sized_pictures,
    style_at_sizes,
)
from brushwork.models.perception.vgg import LossNetwork


@pytest.fixture(scope="module")
def network():
    return LossNetwork()


@pytest.mark.parametrize(
    ("height", "width", "sizes"),
    [(45, 300, 3), (32, 32, 3), (31, 200, 2), (16, 16, 2), (15, 99, 1), (8, 8, 1)],
)
def test_sizes_are_halves_that_the_network_can_see(network, height, width, sizes):
    pictures = sized_pictures(torch.rand(1, 3, height, width))
    assert [tuple(each.shape[-2:]) for each in pictures] == [(height >> i, width >> i) for i in range(sizes)]
    for smaller, larger in zip(pictures[1:], pictures[:-1], strict=True):
        assert torch.equal(smaller, F.avg_pool2d(larger, 2))
    assert network(pictures[-1])["relu4_1"].numel()


def test_a_picture_has_no_distance_to_itself_and_three_to_another(network, photo, artwork):
    with torch.no_grad():
        own, other = (style_at_sizes(network, each[..., :96, :96]) for each in (photo, artwork))
    assert list(gram_errors(own, own)) == ["whole", "half", "quarter"]
    assert all(error == 0 for error in gram_errors(own, own).values())
    errors = gram_errors(own, other)
    assert len({round(float(error), 4) for error in errors.values()}) == 3
    grams, wanted = own[2][0], other[2][0]
    by_hand = [
        float(((grams[name] - wanted[name]) ** 2).sum() / (wanted[name] ** 2).sum()) for name in STYLE_LAYERS
    ]
    assert float(errors["quarter"]) == pytest.approx(sum(by_hand) / 4, rel=1e-5)


def test_sizes_that_only_one_picture_has_are_left_out(network):
    large, small = (style_at_sizes(network, torch.rand(1, 3, side, side)) for side in (32, 16))
    assert list(gram_errors(large, small)) == ["whole", "half"]


def test_moments_come_from_gram_matrices_and_means():
    features = torch.rand(2, 5, 7, 9, dtype=torch.float64)
    found = moments_of(gram_and_mean(features)[0], features.mean((2, 3)))
    assert torch.allclose(found, mean_std(features), rtol=1e-10)
