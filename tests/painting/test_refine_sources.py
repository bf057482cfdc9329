"""The pictures that refining reads: no frame around a painting, no blocks of a JPEG in a plain sky."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting.calm_grounds import blurred
from brushwork.painting.options import RefineOptions
from brushwork.painting.refine import refine
from brushwork.painting.sources import Region, Sources, without_frame


def framed(painting, left, right, top, bottom):
    """The painting with white paper around it, and a black line between the two."""
    sides = (left, right, top, bottom)
    for color, widths in ((0.0, [1 if side else 0 for side in sides]), (0.95, sides)):
        painting = F.pad(painting, tuple(widths), value=color)
    return painting


def test_pictures_without_a_frame_stay_whole(artwork, photo):
    for picture in (artwork, photo):
        assert torch.equal(without_frame(picture), picture)


@pytest.mark.parametrize("sides", [(4, 4, 4, 4), (5, 0, 0, 0), (0, 3, 0, 0), (0, 0, 4, 0), (0, 2, 0, 5)])
def test_paper_and_lines_around_a_painting_go(artwork, sides):
    assert torch.equal(without_frame(framed(artwork, *sides)), artwork)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (17, 40)])
def test_small_and_plain_paintings_stay(size):
    plain = torch.full((1, 3, *size), 0.5)
    assert torch.equal(without_frame(plain), plain)


def test_strokes_keep_their_size_without_the_frame(artwork):
    """The painting is read in the scale in which it has the photo's area with its frame."""
    framed_artwork = framed(artwork, 4, 4, 4, 4)
    sources = Sources(None, artwork, framed_artwork, None, (), RefineOptions())
    size = (artwork.shape[-2], artwork.shape[-1])
    read = sources.mixtures_at(size)[0].paintings[0]
    scale = (size[0] * size[1] / (framed_artwork.shape[-2] * framed_artwork.shape[-1])) ** 0.5
    assert read.shape[-2] == pytest.approx(size[0] * scale, abs=1)
    assert read.shape[-1] == pytest.approx(size[1] * scale, abs=1)


@pytest.mark.parametrize("given", [True, False])
def test_blocks_of_a_plain_sky_stay_faint(photo_of, given):
    """Squares one level apart, as JPEG has them: stretched to a painting's range, they would be corners."""
    blocks = F.interpolate(photo_of(8, 8, seed=2).round(), scale_factor=8)
    sky = 0.4 + blocks / 255
    painting = photo_of(64, 64, seed=1)
    start = Sources(sky.flip(3) if given else None, sky, painting, None, (), RefineOptions()).start
    assert float(start.std((2, 3)).max()) < 2 * float(sky.std((2, 3)).max())
    assert torch.allclose(start.mean((2, 3)), without_frame(painting).mean((2, 3)), atol=0.01)


def test_a_woodcut_stays_black_and_white(photo, artwork):
    """The mean of two pictures that have little in common is grey."""
    height, width = (min(each.shape[side] for each in (photo, artwork)) for side in (-2, -1))
    start, photo = (each[..., :height, :width] for each in (artwork, photo))
    start = (start.mean(1, keepdim=True) > 0.5).float().expand(-1, 3, -1, -1)
    grays = {}
    for share in (0.0, 0.6, 1.0):
        begun = Sources(start, photo, start, None, (), RefineOptions(photo_share=share)).start
        grays[share] = float(((begun > 0.2) & (begun < 0.8)).float().mean())
    assert grays[0.6] < 0.02 < 0.2 < grays[1.0]


def test_colors_lie_where_the_start_has_them(photo_of):
    """Halves of red and of blue at one light; the photo knows neither."""
    photo = photo_of(48, 64)[:, :1].expand(-1, 3, -1, -1)
    start = photo.clone()
    for half, tint in ((slice(32), (0.16, -0.05, -0.2)), (slice(32, None), (-0.16, 0.05, 0.2))):
        start[..., half] = 0.3 + 0.4 * start[..., half] + torch.tensor(tint).view(1, 3, 1, 1)
    begun = Sources(start, photo, start, None, (), RefineOptions()).start
    warmth = (begun[:, 0] - begun[:, 2]).mean(1)[0]
    assert float(warmth[:28].min()) > 0.2
    assert float(warmth[36:].max()) < -0.2


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_regions_keep_their_own_colors(photo_of, share):
    """Orange and teal at one light: each half is as if its painting were alone."""
    photo, start = photo_of(48, 64), photo_of(48, 64, seed=3)
    texture = 0.3 + 0.3 * photo_of(48, 64, seed=1)[:, :1]
    tints = (torch.tensor(each).view(1, 3, 1, 1) for each in ((0.25, -0.08, -0.3), (-0.25, 0.08, 0.3)))
    orange, teal = (texture + tint for tint in tints)
    mask = torch.zeros(1, 48, 64)
    mask[..., 32:] = 1
    options = RefineOptions(photo_share=share)
    both = Sources(start, photo, orange, None, [Region(mask, teal)], options).start
    for painting, half in ((orange, slice(0, 28)), (teal, slice(36, None))):
        alone = Sources(start, photo, painting, None, (), options).start
        assert float((both - alone)[..., half].abs().max()) < 1e-4


def test_the_photo_as_start_is_all_photo(photo_of):
    photo, painting = photo_of(), photo_of(seed=1)
    starts = [
        Sources(None, photo, painting, None, (), RefineOptions(photo_share=share)).start
        for share in (0, 0.6, 1)
    ]
    assert torch.equal(starts[0], starts[1])
    assert torch.equal(starts[0], starts[2])


def test_a_plain_start_leaves_the_photo_its_light(photo_of):
    photo, painting = photo_of(), photo_of(seed=1)
    begun = Sources(torch.zeros_like(photo), photo, painting, None, (), RefineOptions()).start
    lights = torch.stack([each.mean(1).flatten() for each in (begun, photo)])
    assert float(torch.corrcoef(lights)[0, 1]) > 0.9


def test_the_photo_has_its_share_in_the_forms(slim_network, photo_of):
    """All of them are the photo's at 1, and those of the picture to begin with at 0."""
    other, photo, painting = (blurred(photo_of(64, 64, seed=seed), 3) for seed in (2, 0, 1))
    start = 1 - other

    def refined(start, share):
        options = RefineOptions(steps=4, dtype="float32", photo_share=share, keep_light=0, keep_colors=300)
        return refine(start, photo, painting, options=options, network=slim_network)

    def likeness(picture, other):
        return float(torch.corrcoef(torch.stack([picture.mean(1).flatten(), other.mean(1).flatten()]))[0, 1])

    pictures = [refined(start, share) for share in (0, 0.5, 1)]
    of_photo, of_start = ([likeness(each, other) for each in pictures] for other in (photo, start))
    assert of_photo[0] + 0.2 < of_photo[1] < of_photo[2] - 0.2
    assert of_start[0] - 0.2 > of_start[1] > of_start[2] + 0.2
    assert float((pictures[2] - refined(None, 1)).abs().mean()) < 1e-3
