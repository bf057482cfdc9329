"""Colour: luma, sRGB and CIE Lab, and two ways to keep a photo's colours under a painting's brushwork."""

from __future__ import annotations

import torch
from torch import Tensor

REC_601 = (0.299, 0.587, 0.114)
"""The shares of red, green and blue in luma (ITU-R BT.601)."""

# IEC 61966-2-1: linear sRGB to XYZ. Its rows sum to the white point D65, so greys get a = b = 0.
_RGB_TO_XYZ = torch.tensor(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ],
    dtype=torch.float64,
    device="cpu",
)
_XYZ_TO_RGB = torch.linalg.inv(_RGB_TO_XYZ)
_WHITE = _RGB_TO_XYZ.sum(1)
_DELTA = 6 / 29
_GAMUT_MARGIN = 1e-4
_GAMUT_STEPS = 10


def luma(image: Tensor) -> Tensor:
    """Rec. 601 luma: [B,3,H,W] in 0..1 -> [B,1,H,W] in 0..1."""
    return (image * image.new_tensor(REC_601)[:, None, None]).sum(1, keepdim=True)


def rgb_to_lab(image: Tensor) -> Tensor:
    """sRGB [B,3,H,W] in 0..1 -> CIE Lab (D65) [B,3,H,W]: L in 0..100, a and b about -110..110.

    >>> rgb_to_lab(torch.ones(1, 3, 1, 1)).flatten().round(decimals=2).abs().tolist()
    [100.0, 0.0, 0.0]
    """
    linear = torch.where(
        image <= 0.04045, image / 12.92, ((image.clamp_min(0.04045) + 0.055) / 1.055).pow(2.4)
    )
    xyz = _mix_channels(linear, _RGB_TO_XYZ / _WHITE[:, None])
    root = torch.where(xyz > _DELTA**3, xyz.clamp_min(_DELTA**3).pow(1 / 3), xyz / (3 * _DELTA**2) + 4 / 29)
    x, y, z = root.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """CIE Lab (D65) [B,3,H,W] -> sRGB [B,3,H,W]; what lies outside the gamut is clipped to 0..1."""
    linear = _lab_to_linear(lab).clamp(0, 1)
    return torch.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(0.0031308).pow(1 / 2.4) - 0.055
    )


def luminance_only(photo: Tensor, painted: Tensor) -> Tensor:
    """The painting's light and dark in the photo's colours: L of `painted`, a and b of `photo`.

    Both are [B,3,H,W] in 0..1, and so is the result. Where a colour does not exist at its new lightness
    (a saturated blue, nearly white) its chroma shrinks until it does; clipping would change the hue.
    """
    lab = rgb_to_lab(photo)
    lab[:, 0] = rgb_to_lab(painted)[:, 0]
    return lab_to_rgb(_into_gamut(lab))


def match_histogram(painted: Tensor, photo: Tensor) -> Tensor:
    """`painted` [B,3,H,W] with the colour distribution of `photo` [B,3,h,w], channel by channel.

    Exact: each value moves to the photo's value of the same rank, interpolated where the pictures
    differ in size; equal values stay equal. Lights and darks keep their order, so strokes survive.
    """
    channels = zip(painted.flatten(2).flatten(0, 1), photo.flatten(2).flatten(0, 1), strict=True)
    return torch.stack([_match_values(*channel) for channel in channels]).reshape(painted.shape)


def _match_values(values: Tensor, wanted: Tensor) -> Tensor:
    ordered, order = values.sort()
    _, group, counts = torch.unique_consecutive(ordered, return_inverse=True, return_counts=True)
    # The rank of a value is the middle of its equals; float32 counts pixels only up to 16 million.
    rank = counts.cumsum(0).double() - counts.double() / 2
    position = (rank * (len(wanted) / len(values)) - 0.5).clamp(0, len(wanted) - 1)
    below = position.floor().long()
    above = (below + 1).clamp_max(len(wanted) - 1)
    wanted = wanted.sort().values
    level = torch.lerp(wanted[below], wanted[above], (position - below).to(values.dtype))
    matched = torch.empty_like(values)
    matched[order] = level[group]
    return matched


def _into_gamut(lab: Tensor) -> Tensor:
    """Scale a and b of the pixels that sRGB cannot show, by bisection, at constant L and hue."""
    outside = ~_in_gamut(_lab_to_linear(lab))
    if not outside.any():
        return lab
    pixels = lab.movedim(1, -1)[outside].T[None, :, :, None]
    low = torch.zeros_like(pixels[:, :1])
    high = torch.ones_like(low)
    for _ in range(_GAMUT_STEPS):
        middle = (low + high) / 2
        fits = _in_gamut(_lab_to_linear(_scale_chroma(pixels, middle)))[:, None]
        low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
    result = lab.clone()
    result.movedim(1, -1)[outside] = _scale_chroma(pixels, low)[0, :, :, 0].T
    return result


def _scale_chroma(lab: Tensor, scale: Tensor) -> Tensor:
    return torch.cat([lab[:, :1], lab[:, 1:] * scale], 1)


def _in_gamut(linear: Tensor) -> Tensor:
    return ((linear >= -_GAMUT_MARGIN) & (linear <= 1 + _GAMUT_MARGIN)).all(1)


def _lab_to_linear(lab: Tensor) -> Tensor:
    """Linear sRGB [B,3,H,W], below 0 and above 1 where the colour lies outside the gamut."""
    y = (lab[:, 0] + 16) / 116
    root = torch.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], 1)
    xyz = torch.where(root > _DELTA, root.pow(3), 3 * _DELTA**2 * (root - 4 / 29))
    return _mix_channels(xyz, _XYZ_TO_RGB * _WHITE)


def _mix_channels(image: Tensor, matrix: Tensor) -> Tensor:
    # In the picture's type before it moves: not every device has float64.
    return torch.einsum("ij,bjhw->bihw", matrix.to(image.dtype).to(image.device), image)
