"""Candidates: how many of each painting, whose places a picture gets, and how like them its own are."""

from __future__ import annotations

import pytest
import torch

from brushwork.painting import candidates
from brushwork.painting.objective import Mixture


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("weights", [[0.5, 0.5], [0.75, 0.25], [0.1, 0.2, 0.7]], ids=str)
def test_weights_hold_also_where_places_are_alike(weights, spread):
    draw = torch.Generator().manual_seed(1)
    likeness = 0.5 + spread * torch.rand(len(weights), 64, 64, generator=draw)
    likeness[0] += 0.1
    chosen = candidates.fair_choice(likeness, weights)
    for k, weight in enumerate(weights):
        assert float((chosen == k).float().mean()) == pytest.approx(weight, abs=0.01)


def test_weights_hold_inside_a_region():
    likeness = torch.rand(2, 64, 64, generator=torch.Generator().manual_seed(1))
    likeness[0, :32] += 1
    share = torch.zeros(64, 64)
    share[32:] = 1
    chosen = candidates.fair_choice(likeness, [0.75, 0.25], share)
    assert float((chosen[32:] == 0).float().mean()) == pytest.approx(0.75, abs=0.01)


def test_large_paintings_give_a_bounded_number_of_candidates(network, artwork, monkeypatch):
    monkeypatch.setattr(candidates, "_CANDIDATES", 100)
    painting = artwork[..., :64, :64]
    mixture = Mixture([painting, painting.flip(3)], [0.5, 0.5])
    found = candidates.candidates_of(network, [mixture], 512)[0][0]
    assert found.features.shape[0] == 100
    assert found.counts == [50, 50]


def test_likeness_is_that_to_the_paintings_of_its_region(network, photo, artwork):
    """And of a batch to each picture's own painting."""
    pictures = torch.cat([photo[..., :64, :64], photo[..., 64:128, 64:128]])
    paintings = torch.cat([artwork[..., :64, :64], artwork[..., 64:128, 64:128]])
    right = torch.zeros(1, 1, 64, 64)
    right[..., 32:] = 1
    mixtures = [Mixture([paintings], [1.0]), Mixture([pictures], [1.0])]
    found = candidates.likeness_to(network, pictures, mixtures, torch.cat([1 - right, right], 1), 64)
    for i in range(2):
        alone = [Mixture([paintings[i : i + 1]], [1.0])]
        wanted = candidates.likeness_to(network, pictures[i : i + 1], alone, None, 512)
        assert float((found[i] - wanted[0])[..., :8].abs().max()) < 1e-4
        assert float((found[i, ..., 8:] - 1).abs().max()) < 1e-4
    assert float(found[..., :8].max()) < 0.99
