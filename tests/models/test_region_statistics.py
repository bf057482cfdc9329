"""Each region looks as its style does over the whole picture, whatever the other regions' styles are."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import regions
from brushwork.models.layer_statistics import own_statistics
from brushwork.models.passes import Frozen
from brushwork.models.region_statistics import region_moments
from brushwork.models.regions import StyleRegion, feather_mask
from brushwork.models.shares import Shares
from brushwork.models.strips import Strip


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.no_grad():
        yield


COPIES = ["the photo itself", "a small copy"]


@pytest.fixture
def _copy(request, monkeypatch):
    """What regions take what they cannot see from; the photos of tests are smaller than the least copy."""
    if getattr(request, "param", "a small copy") == "a small copy":
        monkeypatch.setattr(regions, "_LEAST_COPY", 96**2)


def of_the_whole(layer, x):
    """The statistics of the whole picture with all its styles, as they were before."""
    return own_statistics(layer, x)


def lower(height, width):
    """White on the lower half, with soft edges."""
    mask = torch.zeros(1, height, width)
    mask[:, height // 2 :] = 1
    return feather_mask(mask, 8)


@pytest.fixture
def paint(gan, scene, artwork):
    """Paints the upper half in one style and the lower half in a random one of that seed, or in the same."""
    content, code = gan.encode_content(scene), gan.encode_style(artwork)

    def painted(seed: int | None, how: Frozen | None = None):
        other = code if seed is None else gan.sample_style(seed=seed, psi=1.2)
        mask = lower(*content.size)
        return gan.generate(content, code, regions=[StyleRegion(other, mask)], how=how)

    return painted


def upper(picture):
    """Away from the border between the regions."""
    return picture[:, :, : picture.shape[2] // 2 - 32]


@pytest.mark.parametrize("_copy", COPIES, indirect=True)
@pytest.mark.usefixtures("_copy")
def test_the_style_of_one_region_leaves_the_others_alone(paint):
    found = [upper(paint(seed)) for seed in (None, 3, 4)]
    before = [upper(paint(seed, Frozen(of_the_whole))) for seed in (None, 3, 4)]
    for other in (1, 2):
        changed = (found[other] - found[0]).abs().mean()
        assert changed < 0.35 * (before[other] - before[0]).abs().mean()
        assert changed < 5 / 255


@pytest.mark.usefixtures("_copy")
def test_regions_of_one_style_are_painted_like_one(gan, scene, artwork, paint):
    plain = gan.generate(gan.encode_content(scene), gan.encode_style(artwork))
    assert (paint(None) - plain).abs().max() < 3 / 255


@pytest.mark.usefixtures("_copy")
def test_a_region_of_few_pixels_looks_like_its_style_and_changes_nothing_else(gan, scene, artwork):
    content, code, other = gan.encode_content(scene), gan.encode_style(artwork), gan.sample_style(3, psi=1.2)
    plain, theirs = (gan.generate(content, each) for each in (code, other))
    for side in (1, 40):
        mask = torch.zeros(1, *content.size)
        mask[:, 40 : 40 + side, 60 : 60 + side] = 1
        painted = gan.generate(content, code, regions=[StyleRegion(other, mask)])
        assert (painted - plain)[..., 140:].abs().mean() < 1 / 255
    inside = painted[:, :, 44:76, 64:96]
    to_theirs, to_plain = ((inside - each[:, :, 44:76, 64:96]).abs().mean() for each in (theirs, plain))
    assert to_theirs < 0.4 * to_plain


def test_a_batch_of_few_strips_or_many_has_the_same_moments():
    torch.manual_seed(0)
    x, values = torch.randn(1, 5, 30, 21) * 3 + 40, torch.rand(30, 21, 3).softmax(-1)
    rows = lambda strip: strip.rows(x)  # noqa: E731
    found = [region_moments(rows, x.shape, x.device, Shares(values), size) for size in (10**9, 2000)]
    weights = (values / values.sum((0, 1))).double()
    mean = torch.einsum("hwr,chw->rc", weights, x[0].double())
    variance = torch.einsum("hwr,chw->rc", weights, x[0].double().square()) - mean.square()
    for each in found:
        torch.testing.assert_close(each.area, values.sum((0, 1)).double(), rtol=1e-5, atol=0)
        torch.testing.assert_close(each.mean, mean, rtol=1e-6, atol=0)
        torch.testing.assert_close(each.variance, variance, rtol=1e-4, atol=0)


def test_an_empty_region_has_the_moments_of_the_whole_map():
    x, values = torch.randn(1, 4, 10, 12), torch.zeros(10, 12, 2)
    values[..., 0] = 1
    whole, empty = region_moments(lambda strip: Strip.rows(strip, x), x.shape, x.device, Shares(values))[1:]
    assert torch.allclose(whole[1], whole[0])
    assert torch.allclose(empty[1], empty[0])
