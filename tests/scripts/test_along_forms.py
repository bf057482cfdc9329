"""Paint follows the forms of a photo, and drawing stays."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.painting import calm_grounds
from brushwork.painting.calm_grounds import blurred
from scripts.along_forms import with_strokes_along_forms


def stripes(turned: float) -> Tensor:
    """Soft stripes 16 pixels wide, [1,3,96,96]; `turned`: their direction, 0 for upright."""
    down, right = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    angle = torch.tensor(turned)
    across = right * angle.cos() + down * angle.sin()
    return (0.5 + 0.3 * torch.sin(across * (2 * torch.pi / 16))).expand(1, 3, -1, -1)


@pytest.mark.parametrize("turned", [0.0, 0.6, 1.5708, 2.4])
def test_grain_goes_along_the_stripes_and_the_stripes_stay(turned: float):
    photo = stripes(turned)
    grain = 0.08 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(3))
    painted = with_strokes_along_forms((photo + grain).clamp(0, 1), photo)
    inside = (..., slice(12, -12), slice(12, -12))
    left = painted[inside] - photo[inside]
    assert float(left.std()) < 0.75 * float(grain[inside].std())
    # The stripes are as strong as before.
    assert abs(float((painted[inside] * (photo[inside] - 0.5)).mean() / photo[inside].var()) - 1) < 0.1


def test_drawing_stays(scene: Tensor):
    dots = torch.full((1, 3, 96, 96), 0.5)
    dots[:, :, 8::12, 8::12] = 1.0
    assert float((with_strokes_along_forms(dots, dots) - dots).abs().max()) < 0.02
    # Windows in rows: most of what is fine in a real city stays.
    fine = [
        (each - blurred(each, 1.5)).square().mean()
        for each in (with_strokes_along_forms(scene, scene), scene)
    ]
    assert 0.5 < float(fine[0] / fine[1]) < 1


def test_an_amount_for_each_picture(photo: Tensor):
    pictures = photo.flip(3).expand(2, -1, -1, -1)
    done = with_strokes_along_forms(pictures, photo.expand(2, -1, -1, -1), torch.tensor([0.0, 1.0]))
    assert torch.equal(done[0], pictures[0])
    assert torch.allclose(done[1:], with_strokes_along_forms(photo.flip(3), photo), atol=1e-6)


def test_strips_have_no_seams(scene: Tensor, monkeypatch: pytest.MonkeyPatch):
    whole = with_strokes_along_forms(scene, scene)
    monkeypatch.setattr(calm_grounds, "_ROWS", 64)
    assert float((with_strokes_along_forms(scene, scene) - whole).abs().max()) < 1 / 255


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 3)])
def test_small_and_flat_pictures_are_finite(size: tuple[int, int]):
    flat = torch.full((1, 3, *size), 0.4)
    assert torch.allclose(with_strokes_along_forms(flat, flat), flat, atol=1e-5)


def test_white_stays_in_range():
    torch.manual_seed(7)
    photo = F.interpolate(torch.rand(1, 3, 4, 4), size=(33, 25), mode="bilinear")
    assert float(with_strokes_along_forms(torch.ones(1, 3, 33, 25), photo).max()) <= 1
