"""Fine detail as strong as the paintings', without rims."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting.fine_contrast import fine_contrast, with_fine_contrast
from brushwork.painting.objective import Mixture


def of(*pictures, weights=None):
    return Mixture(pictures, weights or [1 / len(pictures)] * len(pictures))


def energy(picture):
    return fine_contrast([of(picture)])


def test_a_soft_picture_gets_what_the_painting_has(photo):
    soft = F.avg_pool2d(photo, 3, 1, 1)
    wanted = 2 * energy(soft)
    sharp = with_fine_contrast(soft, wanted)
    assert float(energy(soft)) * 1.25 < float(energy(sharp)) <= float(wanted)
    # The picture is the same, seen from afar.
    assert float((F.avg_pool2d(sharp, 8) - F.avg_pool2d(soft, 8)).abs().max()) < 0.02


def test_nothing_gets_softer_and_little_much_stronger(photo):
    assert torch.equal(with_fine_contrast(photo, torch.zeros(1, 1)), photo)
    assert float(energy(with_fine_contrast(photo, torch.ones(1, 1)))) < 4 * float(energy(photo))


def test_an_outline_gets_no_rim():
    step = torch.zeros(1, 3, 32, 32)
    step[..., 16:] = 0.6
    step[..., 15] = 0.3
    sharp = with_fine_contrast(step, torch.ones(1, 1))
    assert float(sharp.min()) >= 0
    assert float(sharp.max()) <= 0.6 + 1e-6
    assert torch.equal(sharp[..., :13], step[..., :13])


def test_regions_and_weights(photo, texture):
    busy, plain = texture(1, 3, 64, 64).float(), torch.full((1, 3, 64, 64), 0.5)
    found = fine_contrast([of(busy, plain, weights=[0.25, 0.75]), of(plain)])
    assert found[0, 0] == pytest.approx(0.25 * float(energy(busy)))
    assert found[0, 1] == 0
    shares = torch.zeros(1, 2, *photo.shape[-2:])
    shares[:, 0, :, :60], shares[:, 1, :, 60:] = 1, 1
    result = with_fine_contrast(photo, found, shares)
    assert torch.equal(result[..., 60:], photo[..., 60:])
    assert not torch.equal(result[..., :60], photo[..., :60])


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (2, 3), (16, 5)], ids=str)
def test_every_size(size, texture):
    picture = texture(2, 3, *size).float()
    result = with_fine_contrast(picture, fine_contrast([of(picture[:1])]))
    assert result.shape == picture.shape
    assert torch.isfinite(result).all()
