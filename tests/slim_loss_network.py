"""The loss network with few channels in the layers that no loss looks at.

For tests in which it does not matter what it sees: passes through it are most of what they cost. The layers
that losses look at have all their channels and activations of about their usual size.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from brushwork.base.shipped import VGG_WEIGHTS
from brushwork.models.perception import vgg

# One in so many of the channels stays.
SHARE = 8
# What it counts for the layer behind it. Its neighbours would have added to it and taken from it.
GAIN = 5

_read_whole = vgg._read


@functools.cache
def _slim() -> dict[str, Tensor]:
    tensors, found, narrow = _read_whole(VGG_WEIGHTS), {}, False
    for name in vgg.CONVOLUTIONS:
        kernel, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        if narrow:
            kernel = GAIN * kernel[:, ::SHARE]
        narrow = f"relu{name[5]}_{name[-1]}" not in vgg.STYLE_LAYERS
        if narrow:
            kernel, bias = kernel[::SHARE], bias[::SHARE]
        found |= {f"{name}.weight": kernel, f"{name}.bias": bias}
    return found


def _read(path: Path) -> dict[str, Tensor]:
    if path != VGG_WEIGHTS:
        return _read_whole(path)
    return {name: tensor.clone() for name, tensor in _slim().items()}


@contextmanager
def slim_loss_networks(slim: bool = True) -> Iterator[None]:
    """Loss networks that are made within this context are slim, or the shipped one."""
    before, vgg._read = vgg._read, _read if slim else _read_whole
    try:
        yield
    finally:
        vgg._read = before
