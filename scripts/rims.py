"""Rims: a network paints a light or dark glow beside outlines, where the ground of a photo is plain."""

from __future__ import annotations

import torch
from torch import Tensor

from brushwork.painting.calm_grounds import blurred, plain_within
from brushwork.pictures.color import luma

# A ground is where the photo's light deviates less than the second within so many pixels. Beside an outline
# it goes on where the photo is like it, within the deviation of the third.
_REACH, _PLAIN, _SAME = 7, 0.04, 0.05

# Grounds of so many lights, each so wide, lie side by side: what is dark takes nothing from what is light.
_LIGHTS, _LIGHT = 8, 0.07

# Pixels: a ground is known from so far, and what is finer than the second is grain and stays.
_FROM, _FINE = 10.0, 1.5

# There is a ground if this share of what is around is plain.
_AROUND = 0.15


def without_rims(picture: Tensor, photo: Tensor) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with light and dark of its grounds up to their outlines.

    photo: [B,3,H,W] in 0..1, what was painted. Colours and grain stay.
    """
    light, wanted = luma(picture), luma(photo)
    plain = plain_within(photo, _REACH, _PLAIN)
    # What the painting made of the grounds around each place, and their colour in the photo.
    made, ground, known = (torch.zeros_like(each) for each in (light, photo, light))
    for i in range(_LIGHTS):
        kin = torch.exp(-(((wanted - (i + 0.5) / _LIGHTS) / _LIGHT).square()))
        weight = plain * kin + 1e-6
        made += kin * _mean(light - wanted, weight, _FROM)
        ground += kin * _mean(photo, weight, _FROM)
        known += kin
    made, ground = made / known, ground / known
    # Beside outlines, where the photo is of the same colour as its ground.
    same = torch.exp(-(photo - ground).square().mean(1, keepdim=True) / _SAME**2)
    there = (blurred(plain, _FROM) / _AROUND).clamp(0, 1)
    beside = blurred(same, 0.7) * there * (1 - plain)
    change = _mean(wanted + made - light, same + 1e-3, _FINE)
    return (picture + beside * change).clamp(0, 1)


def _mean(image: Tensor, weight: Tensor, sigma: float) -> Tensor:
    """The mean around each place of [B,C,H,W], by `weight` [B,1,H,W]."""
    return blurred(image * weight, sigma) / blurred(weight, sigma).clamp_min(1e-3)
