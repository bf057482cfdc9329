"""Inference in strips gives what the whole maps give."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import strips as strips_module
from brushwork.models.layers import Conv3x3
from brushwork.models.passes import Trained
from brushwork.models.strips import Strip, strips


@pytest.mark.parametrize("strip_bytes", [1, 3_000, 20_000])
@pytest.mark.parametrize("size", [(16, 16), (57, 130), (131, 64)])
def test_painting_in_strips_is_painting(monkeypatch, frozen_tiny, photo, artwork, strip_bytes, size):
    picture = photo[:, :, : size[0], : size[1]].expand(2, -1, -1, -1)
    before = picture.clone()
    content = frozen_tiny.encode_content(picture, Trained())
    whole = frozen_tiny.generate(content, frozen_tiny.encode_style(artwork, how=Trained()), how=Trained())
    monkeypatch.setattr(strips_module, "STRIP_BYTES", strip_bytes)
    with torch.no_grad():
        in_strips = frozen_tiny.stylize(picture, artwork)
        content = frozen_tiny.encode_content(picture)
        kept = content.coarse.clone(), content.fine.clone()
        frozen_tiny.generate(content, frozen_tiny.encode_style(artwork))
    assert torch.allclose(in_strips, whole, atol=2e-4)
    assert torch.equal(picture, before)
    assert torch.equal(content.coarse, kept[0]), "painting changed the content code"
    assert torch.equal(content.fine, kept[1])


def test_a_network_in_training_paints_as_it_does_when_frozen(tiny, photo, artwork):
    # In-place operations once changed what the style encoder measured, in frozen networks only.
    code = tiny.encode_style(artwork)
    painted = tiny.generate(tiny.encode_content(photo), code)
    with torch.no_grad():
        assert torch.allclose(tiny.encode_style(artwork), code, atol=1e-5)
        assert torch.allclose(tiny.stylize(photo, artwork), painted, atol=2e-4)
    tiny.requires_grad_(False)
    assert torch.allclose(tiny.encode_style(artwork), code, atol=1e-5)


def test_strips_cover_every_row_once(monkeypatch):
    x = torch.zeros(1, 4, 23, 5)
    for strip_bytes in (1, 500, 10**9):
        monkeypatch.setattr(strips_module, "STRIP_BYTES", strip_bytes)
        cut = strips(x.shape, x.device)
        assert [strip.start for strip in cut] == [0, *(strip.stop for strip in cut[:-1])]
        assert cut[-1].stop == 23
    assert len(cut) == 1
    monkeypatch.setattr(strips_module, "STRIP_BYTES", 4 * 4 * 5 * 6)
    assert max(strip.stop - strip.start for strip in strips(x.shape, x.device)) <= 6


def test_on_a_gpu_only_huge_pictures_are_cut():
    def cut(height, width):
        return strips((1, 80, height // 4, width // 4), torch.device("cuda"))

    assert len(cut(2048, 2048)) == len(cut(2160, 3840)) == 1
    assert len(cut(4320, 7680)) > 1


def test_a_strip_of_a_convolution_is_that_part_of_the_whole():
    torch.manual_seed(1)
    conv, x = Conv3x3(3, 4), torch.randn(2, 3, 11, 6)
    whole = conv(x)
    for start, stop in ((0, 4), (4, 5), (1, 10), (7, 11), (0, 11)):
        strip = Strip(start, stop, 11)
        part = conv(strip.widened(1).rows(x), **strip.borders)
        assert torch.allclose(part, whole[:, :, start:stop], atol=1e-6)


def test_a_strip_of_an_enlarged_map_has_as_many_rows_more():
    x = torch.arange(24.0).view(1, 1, 24, 1)
    assert Strip(1, 3, 6).rows(x, 4).flatten().tolist() == list(range(4, 12))
    assert Strip.whole(6).rows(x, 4) is x
