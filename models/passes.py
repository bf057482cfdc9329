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

from .layers import LEAKY_SLOPE
from .normalization import (
    LayerStatistics,
    adain,
    adain_affine,
    channel_mean_std,
    channel_mean_std_in_strips,
    instance_norm,
    own_statistics,
)
from .strips import Strip, strips

Rows = Callable[[Strip], Tensor]
"""Computes those rows of a map [B,C,H,W] that lie in a strip."""


class ForwardPass(ABC):
    """The operations that the two kinds of pass do in their own ways.

    `layer` is a layer's name; a frozen pass looks statistics up by it. `shares` [H,W,K] are those of K
    styles at every place of one picture; scale and shift are then [K,C].
    """

    @abstractmethod
    def check(self, network: nn.Module, *inputs: Tensor) -> None:
        """Raise ValueError, one sentence, if this pass cannot serve `network` with these inputs."""

    @abstractmethod
    def activate(self, x: Tensor) -> Tensor:
        """Leaky ReLU of slope 0.2 of a map that nobody else holds."""

    @abstractmethod
    def multiply(self, x: Tensor, factor: Tensor) -> Tensor:
        """`x * factor`, of a map that nobody else holds."""

    @abstractmethod
    def mean_std(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The map's own mean and deviation: [B,C,H,W] -> two [B,C,1,1]."""

    @abstractmethod
    def normalize(self, layer: str, x: Tensor) -> Tensor:
        """Every channel of a map [B,C,H,W] that nobody else holds with mean 0 and deviation 1."""

    @abstractmethod
    def modulate(
        self, layer: str, x: Tensor, scale: Tensor, shift: Tensor, shares: Tensor | None = None
    ) -> Rows:
        """AdaIN: the rows of x [B,C,H,W], normalized, times scale [B,C], plus shift [B,C]."""

    @abstractmethod
    def add_modulated(
        self, layer: str, total: Tensor, x: Tensor, scale: Tensor, shift: Tensor, shares: Tensor | None = None
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

    def activate(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, LEAKY_SLOPE)

    def multiply(self, x: Tensor, factor: Tensor) -> Tensor:
        return x * factor

    def mean_std(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return channel_mean_std(x)

    def normalize(self, layer: str, x: Tensor) -> Tensor:
        return instance_norm(x)

    def modulate(
        self, layer: str, x: Tensor, scale: Tensor, shift: Tensor, shares: Tensor | None = None
    ) -> Rows:
        """Raises ValueError with `shares`."""
        if shares is not None:
            raise ValueError("Several styles in one picture have no gradients; paint them in a Frozen pass.")
        modulated = adain(x, scale, shift)
        return lambda strip: strip.rows(modulated)

    def add_modulated(
        self, layer: str, total: Tensor, x: Tensor, scale: Tensor, shift: Tensor, shares: Tensor | None = None
    ) -> Tensor:
        return total + self.modulate(layer, x, scale, shift, shares)(Strip.whole(x.shape[2]))

    def by_rows(self, rows: Rows, size: Sequence[int], like: Tensor) -> Tensor:
        return rows(Strip.whole(size[2]))


@dataclass(frozen=True)
class Frozen(ForwardPass):
    """A pass without gradients: maps in strips, temporaries in place, normalized with `statistics`."""

    statistics: LayerStatistics = own_statistics

    def check(self, network: nn.Module, *inputs: Tensor) -> None:
        if wants_gradient(network, *inputs):
            raise ValueError(
                f"A Frozen pass gives no gradients, and {type(network).__name__} or its input needs them; "
                "give Trained(), or call it under torch.no_grad()."
            )

    def activate(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, LEAKY_SLOPE, inplace=True)

    def multiply(self, x: Tensor, factor: Tensor) -> Tensor:
        return x.mul_(factor)

    def mean_std(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return channel_mean_std_in_strips(x)

    def normalize(self, layer: str, x: Tensor) -> Tensor:
        mean, std = self.statistics(layer, x)
        return torch.addcmul(-mean / std, x, 1 / std, out=x)

    def modulate(
        self, layer: str, x: Tensor, scale: Tensor, shift: Tensor, shares: Tensor | None = None
    ) -> Rows:
        # Only the statistics need the whole map.
        offset, gain = adain_affine(scale, shift, self.statistics(layer, x))
        return lambda strip: torch.addcmul(
            blend(offset, shares, strip), strip.rows(x), blend(gain, shares, strip)
        )

    def add_modulated(
        self, layer: str, total: Tensor, x: Tensor, scale: Tensor, shift: Tensor, shares: Tensor | None = None
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


def blend(factor: Tensor, shares: Tensor | None, strip: Strip) -> Tensor:
    """The factor or summand for `strip`.

    Without `shares` it is `factor` [B,C,1,1] itself. Else `factor` [K,C,1,1] holds those of K styles, and
    each place gets their mean by the shares [H,W,K]: [1,C,rows,W].
    """
    if shares is None:
        return factor
    return (shares[strip.start : strip.stop] @ factor.flatten(1)).permute(2, 0, 1)[None]


def wants_gradient(network: nn.Module, *inputs: Tensor) -> bool:
    """Whether autograd is on and a parameter or an input takes part in it."""
    return torch.is_grad_enabled() and any(t.requires_grad for t in (*inputs, *network.parameters()))


def fitting_pass(network: nn.Module, *inputs: Tensor) -> ForwardPass:
    """`Trained` where a gradient can be wanted, else `Frozen` with every picture's own statistics."""
    return Trained() if wants_gradient(network, *inputs) else Frozen()
