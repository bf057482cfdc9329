"""What the style code holds."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.models import StyleGAN
from brushwork.models.normalization import NORM_EPS
from brushwork.models.passes import Frozen
from brushwork.models.style_encoder import covariance_triangle
from brushwork.models.style_reading import STYLE_SIZE


def test_statistics_are_deviations_first_and_means_second(frozen_tiny):
    """As AdaIN takes them: a flat picture has no deviation, whatever its colour."""
    flat = torch.tensor([0.9, 0.2, 0.4]).view(1, 3, 1, 1).expand(1, 3, 48, 48)
    for statistics in frozen_tiny.style_encoder.statistics(flat, Frozen()):
        deviation, mean = statistics.chunk(2, 1)
        torch.testing.assert_close(deviation, torch.full_like(deviation, NORM_EPS**0.5), atol=1e-3, rtol=0)
        assert mean.abs().max() > 0.1


@pytest.mark.parametrize("size", [(1, 1), (7, 513), (64, 48)])
def test_code_shape(frozen_tiny, size):
    code = frozen_tiny.encode_style(torch.rand(2, 3, *size))
    config = frozen_tiny.config
    assert code.shape == (2, config.layers, config.code_dim)
    assert torch.isfinite(code).all()


def test_an_untrained_code_is_the_pictures_own_statistics():
    """Deviations, then means: at 1/16 for the wide layers, at 1/8 for the coarse, at 1/4 for the fine."""
    gan = StyleGAN()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        code, (at_4, at_8, at_16) = gan.encode_style(image), gan.style_encoder.statistics(image, Frozen())
    at_32, *others = gan.config.levels
    wide, coarse, fine = (at_32 + others[0], *others[1:])
    assert wide + coarse == sum(gan.config.levels[:-1])
    found = code.split([wide, coarse, fine], 1)
    for own, statistics in zip(found, (at_16, at_8, at_4), strict=True):
        expected = statistics[:, None].expand(-1, own.shape[1], -1)
        torch.testing.assert_close(own[..., : statistics.shape[1]], expected)
        assert (own[..., statistics.shape[1] :] == 0).all()


def test_each_picture_of_a_batch_has_its_own_code(frozen_tiny):
    images = torch.rand(3, 3, 32, 32) * torch.tensor([0.2, 0.6, 1.0]).view(3, 1, 1, 1)
    together = frozen_tiny.encode_style(images)
    alone = torch.cat([frozen_tiny.encode_style(image[None]) for image in images])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert (together[0] - together[2]).abs().max() > 0.01


def test_covariances_follow_the_formula():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 7, 9) * torch.tensor([1.0, 2.0, 0.5])[:, None, None] + 3
    for found, picture in zip(covariance_triangle(x), x.flatten(2), strict=True):
        covariance = torch.cov(picture, correction=0)
        covariance = covariance / (covariance.diagonal().mean() + 1e-4)
        expected = [covariance[i, j] for i in range(3) for j in range(i, 3)]
        torch.testing.assert_close(found, torch.stack(expected))


def test_covariances_say_which_channels_go_together_and_not_how_strong_they_are():
    torch.manual_seed(0)
    x = torch.randn(1, 4, 16, 16)
    torch.testing.assert_close(covariance_triangle(x * 8 + 5), covariance_triangle(x), atol=1e-3, rtol=0)
    together = x[:, [0, 0, 2, 2]]
    assert (covariance_triangle(together) - covariance_triangle(x)).abs().max() > 0.5
    assert torch.equal(covariance_triangle(torch.full((1, 4, 1, 1), 0.7)), torch.zeros(1, 10))


def test_covariances_stay_exact_under_autocast():
    torch.manual_seed(0)
    x = torch.randn(1, 4, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(covariance_triangle(x), covariance_triangle(x))
        found = covariance_triangle(x)
    assert found.dtype == torch.float32
    assert torch.equal(found, covariance_triangle(x))


def test_paintings_differ_more_than_crops_of_one(gan, artwork, photo):
    height, width = artwork.shape[-2:]
    crop = artwork[:, :, height // 8 :, width // 8 :]
    code = gan.encode_style(artwork)
    assert (gan.encode_style(crop) - code).norm() < (gan.encode_style(photo) - code).norm()


def test_a_large_picture_is_reduced_in_proportion(frozen_tiny):
    image = torch.rand(1, 3, STYLE_SIZE + 88, 2 * (STYLE_SIZE + 88))
    target = (STYLE_SIZE, 2 * STYLE_SIZE)
    reduced = F.interpolate(image, target, mode="bilinear", antialias=True, align_corners=False)
    torch.testing.assert_close(frozen_tiny.encode_style(image), frozen_tiny.style_encoder(reduced, Frozen()))
    torch.testing.assert_close(
        frozen_tiny.encode_style(image, size=None), frozen_tiny.style_encoder(image, Frozen())
    )


def test_a_panorama_is_reduced_by_its_shorter_side(frozen_tiny):
    image = torch.rand(1, 3, 4, 2000)
    torch.testing.assert_close(frozen_tiny.encode_style(image), frozen_tiny.style_encoder(image, Frozen()))
