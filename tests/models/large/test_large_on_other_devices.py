"""A picture painted strip by strip on a device that lacks what Apple's GPU lacks is the CPU's."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from emulated_device import NO_FLOAT64, OnDevice, emulated_device
from test_large_pictures import CLOSE, cut, rows_of
from torch import Tensor

from brushwork.models.large import content
from brushwork.models.large.maps import MapStore
from brushwork.models.large.paint import LargePicture
from brushwork.models.large.style import encode_large_style
from brushwork.models.regions import StyleRegion
from brushwork.models.style_gan import StyleGAN

Way = Callable[[StyleGAN, Tensor, Tensor, torch.device], Tensor]


def painted(gan: StyleGAN, picture: Tensor, code: Tensor, device: torch.device, **how: object) -> Tensor:
    large = LargePicture(rows_of(picture), tuple(picture.shape[2:]), MapStore(device, 60_000, 2**40))
    return torch.cat([rows.cpu() for _, rows in large.paint(gan, code.to(device), **how)], 2)


def in_regions(gan: StyleGAN, picture: Tensor, code: Tensor, device: torch.device) -> Tensor:
    left = torch.zeros(1, 30, 20)
    left[..., :9] = 0.7
    regions = [StyleRegion(code.to(device).flip(1), left)]
    return painted(gan, picture, code, device, strength=0.6, seed=5, regions=regions)


WAYS: dict[str, Way] = {
    "photo": painted,
    "regions": in_regions,
    "style": lambda gan, picture, code, device: encode_large_style(
        gan, lambda start, stop: picture[:, :, start:stop].to(device), tuple(picture.shape[2:])
    ).cpu(),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_result_is_the_cpus(name, frozen_tiny, photo, artwork):
    picture, code = cut(photo, (90, 70)), frozen_tiny.encode_style(artwork)
    expected = WAYS[name](frozen_tiny, picture, code, torch.device("cpu"))
    # As the network is loaded where it paints: views of other tensors cannot be emulated there.
    with emulated_device() as device, torch.inference_mode():
        gan = copy.deepcopy(frozen_tiny).to(device)
        found = WAYS[name](gan, picture, code, device)
    assert not isinstance(found, OnDevice)
    torch.testing.assert_close(found, expected, rtol=0, atol=CLOSE)


def test_a_double_that_comes_back_is_found(frozen_tiny, photo, artwork, monkeypatch):
    encode = content.encode_large_content
    picture, code = cut(photo, (60, 50)), frozen_tiny.encode_style(artwork)

    def doubled(encoder, pixels, size, store):
        return encode(encoder, lambda start, stop: pixels(start, stop).to(store.device).double(), size, store)

    monkeypatch.setattr("brushwork.models.large.paint.encode_large_content", doubled)
    with (
        emulated_device() as device,
        torch.inference_mode(),
        pytest.raises(TypeError, match=NO_FLOAT64[:40]),
    ):
        painted(copy.deepcopy(frozen_tiny).to(device), picture, code, device)
