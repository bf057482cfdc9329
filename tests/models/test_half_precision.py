"""Feature maps of 16 bits: the shipped network paints the same picture, within what the eye does not see."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import StyleRegion
from brushwork.models.large.content import LargeContent
from brushwork.models.large.maps import MapStore
from brushwork.models.passes import Frozen


@pytest.fixture(scope="module")
def crop(photo):
    return photo[:, :, 40:136, 48:160]


@pytest.fixture(scope="module")
@torch.inference_mode()
def code(gan, artwork):
    return gan.encode_style(artwork)


@torch.inference_mode()
def painted(gan, photo, code, dtype, **settings):
    return gan.generate(gan.encode_content(photo, Frozen(dtype=dtype)), code, **settings)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("settings", [{}, {"strength": 0.6, "seed": 3}], ids=["full", "part"])
def test_it_is_the_same_picture(gan, crop, code, dtype, settings):
    whole = painted(gan, crop, code, None, **settings)
    half = painted(gan, crop, code, dtype, **settings)
    assert half.dtype == torch.float32
    difference = (half - whole).abs() * 255
    assert 0 < difference.mean() <= 1
    assert difference.max() <= 4


def test_it_is_the_same_picture_in_several_styles(gan, crop, code):
    mask = torch.linspace(0, 1, crop.shape[3]).expand(1, *crop.shape[2:])
    regions = [StyleRegion(gan.sample_style(2), mask)]
    whole = painted(gan, crop, code, None, regions=regions)
    difference = (painted(gan, crop, code, torch.float16, regions=regions) - whole).abs() * 255
    assert difference.mean() <= 1
    assert difference.max() <= 4


@torch.inference_mode()
def test_maps_are_of_that_type_and_statistics_are_not(gan, crop):
    seen = []

    def watched(layer, x):
        seen.append(x.dtype)
        mean, std = Frozen().mean_std(x)
        assert mean.dtype == std.dtype == torch.float32
        return mean, std

    content = gan.encode_content(crop, Frozen(watched, torch.float16))
    assert {each.dtype for each in content.maps.values()} == {torch.float16} == set(seen)
    assert content.image.dtype == torch.float32


@torch.inference_mode()
def test_tiles_take_such_a_code_in_full(gan, crop):
    content = gan.encode_content(crop, Frozen(dtype=torch.float16))
    large = LargeContent.from_code(content, MapStore(torch.device("cpu"), 2**20, 2**30))
    assert {each.whole().dtype for each in large.maps.values()} == {torch.float32}
