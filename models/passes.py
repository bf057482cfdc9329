"""How a network computes: trained, with gradients, or frozen, in strips and in place.

Every network takes one of the two with each call, so that nothing depends on whether autograd happens to be
on. `fitting_pass` chooses where a caller leaves it open.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .dynamic_conv import DynamicConv3x3, Kernels, Mixtures, pad_reflected
from .layer_statistics import LayerStatistics, own_statistics
from .layers import LEAKY_SLOPE
from .normalization import (
    adain,
    adain_affine,
    channel_mean_std,
    channel_mean_std_in_strips,
    instance_norm,
)
from .shares import Shares
from .strips import Strip, strips

Grain = tuple[Tensor, Tensor]
"""Noise that is added to a map: the noise itself [B or 1,1,H,W], and its strength in every channel [S,C]."""

Rows = Callable[[Strip], Tensor]
"""Computes those rows of a map [B,C,H,W] that lie in a strip."""


class ForwardPass(ABC):
    """The operations that the two kinds of pass do in their own ways.

    `layer` is a layer's name; a frozen pass looks statistics up by it. `shares` are those of S styles at
    every place of one picture; scale and shift are then [S,C].
    """

    @abstractmethod
    def check(self, network: nn.Module, *inputs: Tensor) -> None:
        """Raise ValueError, one sentence, if this pass cannot serve `network` with these inputs."""

    @abstractmethod
    def entered(self, x: Tensor) -> Tensor:
        """The first map of a network, in the type in which this pass computes maps."""

    @abstractmethod
    def activate(self, x: Tensor) -> Tensor:
        """Leaky ReLU of slope 0.2 of a map that nobody else holds."""

    @abstractmethod
    def add(self, x: Tensor, other: Tensor) -> Tensor:
        """`x + other`, x a map that nobody else holds."""

    @abstractmethod
    def kernels(self, layer: DynamicConv3x3, w: Tensor, factor: Tensor) -> Kernels | Mixtures:
        """The kernels of `layer` for style codes w [S,D], each filter times its factor [S,C]."""

    @abstractmethod
    def convolve(
        self, x: Tensor, kernels: Kernels | Mixtures, strip: Strip, shares: Shares | None = None
    ) -> Tensor:
        """3x3 convolution with each picture's or each style's own kernels, without changing x.

        x [B,C,rows,W] are the rows that the convolution of `strip` sees; reflected at the picture's borders.
        """

    @abstractmethod
    def mean_std(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The map's own mean and deviation: [B,C,H,W] -> two [B,C,1,1]."""

    @abstractmethod
    def normalize(self, layer: str, x: Tensor) -> Tensor:
        """Every channel of a map [B,C,H,W] that nobody else holds with mean 0 and deviation 1."""

    @abstractmethod
    def modulate(
        self,
        layer: str,
        x: Tensor,
        scale: Tensor,
        shift: Tensor,
        shares: Shares | None = None,
        grain: Grain | None = None,
    ) -> Rows:
        """AdaIN: the rows of x [B,C,H,W], normalised, times scale [B,C], plus shift [B,C], plus `grain`."""

    @abstractmethod
    def add_modulated(
        self, layer: str, total: Tensor, x: Tensor, scale: Tensor, shift: Tensor, shares: Shares | None = None
    ) -> Tensor:
        """`total` [B,C,H,W], a map that nobody else holds, plus AdaIN of x [B,C,H,W]."""

    @abstractmethod
    def by_rows(self, rows: Rows, size: Sequence[int], like: Tensor) -> Tensor:
        """The whole map that `rows` computes strip by strip from one of `size` [B,C,H,W], in `like`'s type.

        It may have other channels, and a whole multiple of the rows and columns.
        """


@dataclass(frozen=True)
class Trained(ForwardPass):
    """A pass that autograd follows: whole maps, nothing in place, every picture with its own statistics."""

    def check(self, network: nn.Module, *inputs: Tensor) -> None:
        """Accepts everything."""

    def entered(self, x: Tensor) -> Tensor:
        return x

    def activate(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, LEAKY_SLOPE)

    def add(self, x: Tensor, other: Tensor) -> Tensor:
        return x + other

    def kernels(self, layer: DynamicConv3x3, w: Tensor, factor: Tensor) -> Kernels | Mixtures:
        on_gpu = len(w) > 1 and w.device.type != "cpu"
        return layer.mixtures(w, factor) if on_gpu else layer.merged(w, factor)

    def convolve(
        self, x: Tensor, kernels: Kernels | Mixtures, strip: Strip, shares: Shares | None = None
    ) -> Tensor:
        """Raises ValueError with `shares`."""
        _refuse(shares)
        return kernels.convolve(pad_reflected(x, strip))

    def mean_std(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return channel_mean_std(x)

    def normalize(self, layer: str, x: Tensor) -> Tensor:
        return instance_norm(x)

    def modulate(
        self,
        layer: str,
        x: Tensor,
        scale: Tensor,
        shift: Tensor,
        shares: Shares | None = None,
        grain: Grain | None = None,
    ) -> Rows:
        """Raises ValueError with `shares`."""
        _refuse(shares)
        modulated = adain(x, scale, shift)
        if grain is not None:
            noise, strength = grain
            modulated = torch.addcmul(modulated, noise, strength[:, :, None, None])
        return lambda strip: strip.rows(modulated)

    def add_modulated(
        self, layer: str, total: Tensor, x: Tensor, scale: Tensor, shift: Tensor, shares: Shares | None = None
    ) -> Tensor:
        return total + self.modulate(layer, x, scale, shift, shares)(Strip.whole(x.shape[2]))

    def by_rows(self, rows: Rows, size: Sequence[int], like: Tensor) -> Tensor:
        return rows(Strip.whole(size[2]))


@dataclass(frozen=True)
class Frozen(ForwardPass):
    """A pass without gradients: maps in strips, temporaries in place, normalised with `statistics`.

    With `dtype`, maps and kernels of the content encoder are in that type, such as torch.float16, and so are
    those of a generator that paints its code. Statistics, style codes and pictures stay as they are.

    With `kept`, empty at first, the kernels of a layer are merged once and serve all further pictures. Such a
    pass is for one style code, and for weights that stay as they are.
    """

    statistics: LayerStatistics = own_statistics
    dtype: torch.dtype | None = None
    kept: dict[DynamicConv3x3, Kernels] | None = None

    def check(self, network: nn.Module, *inputs: Tensor) -> None:
        if wants_gradient(network, *inputs):
            raise ValueError(
                f"A Frozen pass gives no gradients, and {type(network).__name__} or its input needs them; "
                "give Trained(), or call it under torch.no_grad()."
            )

    def entered(self, x: Tensor) -> Tensor:
        return x if self.dtype is None else x.to(self.dtype)

    def activate(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, LEAKY_SLOPE, inplace=True)

    def add(self, x: Tensor, other: Tensor) -> Tensor:
        return x.add_(other)

    def kernels(self, layer: DynamicConv3x3, w: Tensor, factor: Tensor) -> Kernels:
        if self.kept is None:
            return layer.merged(w, factor, in_place=True)
        if layer not in self.kept:
            self.kept[layer] = layer.merged(w, factor, in_place=True)
        return self.kept[layer]

    def convolve(
        self, x: Tensor, kernels: Kernels | Mixtures, strip: Strip, shares: Shares | None = None
    ) -> Tensor:
        if shares is not None and isinstance(kernels, Kernels):
            return kernels.convolve_shared(x, shares, strip)
        return kernels.convolve(pad_reflected(x, strip))

    def mean_std(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return channel_mean_std_in_strips(x)

    def normalize(self, layer: str, x: Tensor) -> Tensor:
        mean, std = self.statistics(layer, x)
        return torch.addcmul(-mean / std, x, 1 / std, out=x)

    def modulate(
        self,
        layer: str,
        x: Tensor,
        scale: Tensor,
        shift: Tensor,
        shares: Shares | None = None,
        grain: Grain | None = None,
    ) -> Rows:
        # Only the statistics need the whole map.
        affine = adain_affine(scale, shift, self.statistics(layer, x))
        modulated = modulated_rows(lambda strip: strip.rows(x), affine, shares)
        if grain is None:
            return modulated
        noise, strength = grain
        return with_grain(modulated, lambda strip: strip.rows(noise), strength, shares)

    def add_modulated(
        self, layer: str, total: Tensor, x: Tensor, scale: Tensor, shift: Tensor, shares: Shares | None = None
    ) -> Tensor:
        offset, gain = adain_affine(scale, shift, self.statistics(layer, x))
        whole = Strip.whole(x.shape[2])
        return total.add_(blend(offset, shares, whole)).addcmul_(x, blend(gain, shares, whole))

    def by_rows(self, rows: Rows, size: Sequence[int], like: Tensor) -> Tensor:
        first, *others = strips(size, like.device)
        part = rows(first)
        if not others:
            return part.to(like.dtype, memory_format=torch.channels_last)
        scale = part.shape[2] // (first.stop - first.start)
        whole = torch.empty(
            (part.shape[0], part.shape[1], size[2] * scale, part.shape[3]),
            dtype=like.dtype,
            device=like.device,
            memory_format=torch.channels_last,
        )
        first.rows(whole, scale).copy_(part)
        for strip in others:
            strip.rows(whole, scale).copy_(rows(strip))
        return whole


def modulated_rows(x: Rows, affine: tuple[Tensor, Tensor], shares: Shares | None) -> Rows:
    """The rows of a map times gain plus offset, `affine` as `adain_affine` gives them."""
    offset, gain = affine

    def modulated(strip: Strip) -> Tensor:
        part = x(strip)
        summand, factor = (blend(each, shares, strip).to(part.dtype) for each in (offset, gain))
        return torch.addcmul(summand, part, factor)

    return modulated


def with_grain(rows: Rows, noise: Rows, strength: Tensor, shares: Shares | None) -> Rows:
    """The `rows` of a map that nobody else holds, plus `noise` [1,1,rows,W] times its strength [S,C]."""
    factor = strength[:, :, None, None]
    return lambda strip: rows(strip).addcmul_(noise(strip), blend(factor, shares, strip))


def blend(factor: Tensor, shares: Shares | None, strip: Strip) -> Tensor:
    """The factor or summand for `strip`.

    Without `shares` it is `factor` [B,C,1,1] itself. Else each place gets the mean of those of S styles by
    its shares: [1,C,rows,W].
    """
    return factor if shares is None else shares.blend(factor, strip)


def _refuse(shares: Shares | None) -> None:
    if shares is not None:
        raise ValueError("Several styles in one picture have no gradients; paint them in a Frozen pass.")


def wants_gradient(network: nn.Module, *inputs: Tensor) -> bool:
    """Whether autograd is on and a parameter or an input takes part in it."""
    return torch.is_grad_enabled() and any(t.requires_grad for t in (*inputs, *network.parameters()))


def fitting_pass(network: nn.Module, *inputs: Tensor) -> ForwardPass:
    """`Trained` where a gradient can be wanted, else `Frozen` with every picture's own statistics."""
    return Trained() if wants_gradient(network, *inputs) else Frozen()
