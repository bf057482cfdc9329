"""SSIM against values worked out by hand and against a loop over windows; LPIPS with AlexNet's weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.models import alexnet

from brushwork.evaluation.evaluate import evaluate
from brushwork.evaluation.options import EvaluationOptions
from brushwork.evaluation.similarity import STRIP, Lpips, ssim
from brushwork.models import StyleGAN
from brushwork.pictures.color import luma
from brushwork.pictures.tensors import load_square

CPU = torch.device("cpu")
# (K L)^2 with the paper's K and L = 1, the range of the values.
C1, C2 = 0.01**2, 0.03**2


def random_picture(height, width, seed):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def ssim_by_loops(a, b):
    """Wang et al. 2004, equation 13, window by window, with the two-dimensional Gaussian."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    x, y = ((0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]) for p in (a, b))
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            u, v = (p[top : top + 11, left : left + 11] for p in (x, y))
            mu, mv = np.sum(window * u), np.sum(window * v)
            var_u, var_v = np.sum(window * (u - mu) ** 2), np.sum(window * (v - mv) ** 2)
            covariance = np.sum(window * (u - mu) * (v - mv))
            values.append(
                (2 * mu * mv + 0.01**2)
                * (2 * covariance + 0.03**2)
                / ((mu**2 + mv**2 + 0.01**2) * (var_u + var_v + 0.03**2))
            )
    return np.mean(values)


def test_a_picture_is_like_itself():
    picture = random_picture(20, 30, 0)
    assert ssim(picture, picture).item() == pytest.approx(1, abs=1e-12)


def test_two_flat_pictures_differ_in_luminance_alone():
    # No variance: the second factor is C2 / C2. (2 0.25 0.75 + C1) / (0.25^2 + 0.75^2 + C1).
    dark, light = torch.full((1, 3, 16, 16), 0.25), torch.full((1, 3, 16, 16), 0.75)
    expected = (0.375 + C1) / (0.625 + C1)
    assert ssim(dark, light).item() == pytest.approx(expected, rel=1e-6)


def test_a_constant_offset_leaves_the_structure():
    # One window: an 11x11 picture. Its weighted mean moves by 0.25, its variance stays, so the second
    # factor is 1 and the first is that of the two means.
    picture = random_picture(11, 11, 1) * 0.5
    offsets = torch.arange(11.0) - 5
    window = torch.exp(-(offsets[:, None] ** 2 + offsets**2) / 4.5)
    mean = (luma(picture) * window / window.sum()).sum().item()
    expected = (2 * mean * (mean + 0.25) + C1) / (mean**2 + (mean + 0.25) ** 2 + C1)
    assert ssim(picture, picture + 0.25).item() == pytest.approx(expected, rel=1e-5)


def test_a_lost_structure():
    # A flat picture of the same weighted mean: the first factor is 1, the second C2 / (var + C2).
    ramp = torch.linspace(0, 1, 11).expand(1, 3, 11, 11)
    flat = torch.full((1, 3, 11, 11), 0.5)
    weights = torch.exp(-((torch.arange(11.0) - 5) ** 2) / 4.5)
    variance = (weights / weights.sum() * (torch.linspace(0, 1, 11) - 0.5) ** 2).sum().item()
    assert ssim(ramp, flat).item() == pytest.approx(C2 / (variance + C2), rel=1e-5)


def test_a_negative_is_opposed():
    picture = random_picture(24, 24, 2)
    assert ssim(picture, 1 - picture).item() < 0


def test_against_loops():
    a, b = random_picture(13, 16, 3), random_picture(13, 16, 4)
    b = (a + b) / 2
    assert ssim(a, b).item() == pytest.approx(
        ssim_by_loops(a[0].double().numpy(), b[0].double().numpy()), 1e-6
    )


def test_high_pictures_in_several_strips():
    a, b = random_picture(2 * STRIP + 20, 13, 7), random_picture(2 * STRIP + 20, 13, 8)
    b = (a + b) / 2
    expected = ssim_by_loops(a[0].double().numpy(), b[0].double().numpy())
    assert ssim(a, b).item() == pytest.approx(expected, 1e-6)


def test_one_value_per_picture():
    a, b = random_picture(12, 12, 5), random_picture(12, 12, 6)
    both = ssim(torch.cat([a, a]), torch.cat([a, b]))
    assert both[0].item() == pytest.approx(1, abs=1e-12)
    assert both[1].item() == pytest.approx(ssim(a, b).item(), abs=1e-12)


@pytest.mark.parametrize("size", [(12, 13), (10, 12)])
def test_refuses_unlike_and_tiny_pictures(size):
    a = torch.zeros(1, 3, *size)
    b = torch.zeros(1, 3, 12, 12) if size == (12, 13) else a
    with pytest.raises(ValueError, match="11 pixels or more"):
        ssim(a, b)


def test_photos_window_by_window(photos: list[Path]) -> None:
    a, b = (load_square(path, 40) for path in photos[:2])
    assert ssim(a, a).item() == pytest.approx(1)
    # Wang et al. 2004 window by window, where the window lies inside the picture.
    offset = torch.arange(11.0) - 5
    bell = torch.exp(-offset.square() / 4.5)
    window = (torch.outer(bell, bell) / bell.sum() ** 2).flatten().double()
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    x, y = (F.unfold((p * weights).sum(1, keepdim=True).double(), 11)[0].T for p in (a, b))
    mean_x, mean_y = x @ window, y @ window
    var_x, var_y = (x.square() @ window) - mean_x.square(), (y.square() @ window) - mean_y.square()
    covariance = ((x * y) @ window) - mean_x * mean_y
    light = (2 * mean_x * mean_y + 1e-4) / (mean_x.square() + mean_y.square() + 1e-4)
    structure = (2 * covariance + 9e-4) / (var_x + var_y + 9e-4)
    assert ssim(a, b).item() == pytest.approx((light * structure).mean().item(), abs=1e-5)


def test_lpips_reads_torchvisions_alexnet(
    cache: Path, small_gan: StyleGAN, photos: list[Path], paintings: list[Path]
) -> None:
    with pytest.raises(ValueError, match=r"brushwork evaluate --download lpips \(233 MB\)"):
        Lpips(CPU)
    tensors = alexnet(weights=None).state_dict()
    # Not needed and huge: one number, repeated without taking room in the file.
    tensors |= {
        name: torch.zeros(1).expand(t.shape) for name, t in tensors.items() if name.startswith("classifier.")
    }
    torch.save(tensors, cache / "alexnet-owt-7be5be79.pth")
    lpips, (a, b) = Lpips(CPU), (load_square(path, 64) for path in photos[:2])
    assert lpips(a, a) == pytest.approx(0, abs=1e-6)
    assert lpips(a, b) > 1e-4
    found = evaluate(small_gan, photos[:1], paintings[:2], EvaluationOptions(samples=2, side=48))
    assert found.scores["lpips"].value > 0
    assert found.scores["lpips"].untouched == 0

    torch.save({"features.0.weight": torch.zeros(1)}, cache / "alexnet-owt-7be5be79.pth")
    with pytest.raises(ValueError, match="does not hold the weights of AlexNet"):
        Lpips(CPU)
