"""The least time that a device could need for a picture: what its arithmetic and its memory allow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import conv_flop_count, mm_flop

# So many channels has the product that a device's arithmetic is measured with, and so many bytes the copy.
_SIDE = {"cpu": 1024, "cuda": 8192}
_COPIED = {"cpu": 2**26, "cuda": 2**30}

_TRIES = 5


@dataclass(frozen=True)
class Work:
    """What a call has to do: floating-point operations, and bytes that its convolutions and products read and
    write, each once."""

    operations: int
    moved: int


@dataclass(frozen=True)
class Rates:
    """What a device can do in a second, in float32 as the networks paint: operations, and bytes moved."""

    operations: float
    moved: float

    def least_seconds(self, work: Work) -> tuple[float, float]:
        """What arithmetic alone and memory alone would take.

        >>> Rates(1e12, 1e11).least_seconds(Work(operations=2 * 10**12, moved=10**11))
        (2.0, 1.0)
        """
        return work.operations / self.operations, work.moved / self.moved


class _Counter(TorchDispatchMode):
    operations = 0
    moved = 0

    def __torch_dispatch__(
        self,
        func: OpOverload[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever the operation returns
        aten = torch.ops.aten
        # In inference mode, operations arrive that others are made of, such as `matmul` and `conv2d`.
        with self:
            result = func.decompose(*args, **(kwargs or {}))
        if result is not NotImplemented:
            return result
        result = func(*args, **(kwargs or {}))
        if func is aten.convolution.default:
            image, kernel, transposed = args[0], args[1], args[6]
            self.operations += conv_flop_count(image.shape, kernel.shape, result.shape, transposed)
            self._move(image, kernel, result)
        elif func in (aten.mm.default, aten.addmm.default):
            left, right = args[-2:]
            self.operations += mm_flop(left.shape, right.shape)
            self._move(left, right, result)
        return result

    def _move(self, *tensors: Tensor) -> None:
        self.moved += sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def work_of(call: Callable[[], object]) -> Work:
    """What `call` does, counted while it runs once."""
    with _Counter() as counter:  # type: ignore[no-untyped-call]  # PyTorch does not annotate its modes
        call()
    return Work(counter.operations, counter.moved)


@torch.inference_mode()
def rates_of(device: str) -> Rates:
    """Measured with a product of matrices and with a copy, the fastest of several each."""
    kind = torch.device(device).type
    side = _SIDE.get(kind, _SIDE["cpu"])
    matrix = torch.rand(side, side, device=device)
    source = torch.rand(_COPIED.get(kind, _COPIED["cpu"]) // 4, device=device)
    target = torch.empty_like(source)
    product = _fastest(lambda: matrix @ matrix, device)
    copy = _fastest(lambda: target.copy_(source), device)
    return Rates(2 * side**3 / product, 2 * source.numel() * 4 / copy)


def _fastest(call: Callable[[], object], device: str) -> float:
    found = []
    for _ in range(_TRIES + 1):
        synchronize(device)
        start = time.perf_counter()
        call()
        synchronize(device)
        found.append(time.perf_counter() - start)
    return min(found[1:])


def synchronize(device: str) -> None:
    """Wait until the device has done its work."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
