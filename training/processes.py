"""Processes that share one run: each takes a part of every batch, and their gradients are summed.

`OneProcess` is the usual case. `FabricProcesses` are several, on one machine or many, that Lightning Fabric
launched and connected, see `launch.py`. Both are `Processes`, so the trainer has one code path.
"""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")

# `texts` carries this many bytes of every process.
TEXT_BYTES = 512

# Seconds in which a process can say why it failed.
GRACE_SECONDS = 3


class LostProcess(RuntimeError):
    """Another process has failed; that process says why."""

    def __init__(self) -> None:
        super().__init__(
            "Another process of this run failed and says why; --resume goes on from the last save."
        )


class Processes(ABC):
    """The processes that share a run, as one of them sees them."""

    rank: int
    """The number of this process, from 0."""
    world: int
    """How many there are."""
    device: torch.device | None = None
    """The device of this process; None if it may choose."""

    @abstractmethod
    def sum_(self, tensors: Iterable[Tensor]) -> None:
        """Replace every tensor by its sum over all processes."""

    @abstractmethod
    def gather(self, tensor: Tensor) -> Tensor:
        """[B,…] of this process -> [world*B,…] of all, in the order of their ranks.

        Gradients flow back to every process.
        """

    @abstractmethod
    def first(self, values: Sequence[float]) -> list[float]:
        """The values that the first process gave, in every process."""

    @abstractmethod
    def texts(self, text: str) -> list[str]:
        """The texts of all processes, in the order of their ranks; 512 bytes of each."""

    @abstractmethod
    def barrier(self) -> None:
        """Wait until all processes are here."""

    @abstractmethod
    def close(self) -> None:
        """Leave the other processes when all is done."""

    @abstractmethod
    def abandon(self) -> None:
        """Leave the others, and end those that this process launched.

        It has failed, and they may wait for it forever.
        """

    def together(self, action: Callable[[], T]) -> T:
        """The result of `action`, once it has succeeded in all processes; it must not communicate.

        If it fails, the first process with an error raises it, and all others raise LostProcess.
        """
        error: Exception | None = None
        results: list[T] = []
        try:
            results.append(action())
        except Exception as raised:  # of any kind: the others would wait forever
            error = raised
        failed = [rank for rank, text in enumerate(self.texts("failed" if error else "")) if text]
        if not failed:
            return results[0]
        if error is not None and self.rank == failed[0]:
            raise error
        raise LostProcess from error


class OneProcess(Processes):
    """The only process of its run: there is nobody to wait for."""

    rank = 0
    world = 1

    def sum_(self, tensors: Iterable[Tensor]) -> None:
        pass

    def gather(self, tensor: Tensor) -> Tensor:
        return tensor

    def first(self, values: Sequence[float]) -> list[float]:
        return list(values)

    def texts(self, text: str) -> list[str]:
        return [text]

    def barrier(self) -> None:
        pass

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass


class FabricProcesses(Processes):
    """The processes of a launched `Fabric`. If one has ended, the methods raise LostProcess in the others."""

    def __init__(self, fabric: Fabric):
        self.fabric = fabric
        self.rank: int = fabric.global_rank
        self.world: int = fabric.world_size
        self.device: torch.device = fabric.device

    def sum_(self, tensors: Iterable[Tensor]) -> None:
        tensors = list(tensors)
        if not tensors:
            return
        # One message: the networks have a few million numbers in two hundred tensors.
        flat = torch.cat([t.flatten() for t in tensors])
        with _connected():
            # For a tensor it returns a tensor, for a collection it returns a collection.
            flat = cast(Tensor, self.fabric.all_reduce(flat, reduce_op="sum"))
        for tensor, part in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def gather(self, tensor: Tensor) -> Tensor:
        gathered: Tensor = _Gather.apply(tensor, self)
        return gathered

    def first(self, values: Sequence[float]) -> list[float]:
        # As bits, which arrive as they are: not every device has float64.
        own = torch.tensor(values, dtype=torch.float64, device="cpu").view(torch.int32).to(self.device)
        if self.rank > 0:
            own.zero_()
        self.sum_([own])
        return own.cpu().view(torch.float64).tolist()

    def texts(self, text: str) -> list[str]:
        data = text.encode()[:TEXT_BYTES]
        row = torch.zeros(1, TEXT_BYTES, dtype=torch.uint8, device=self.fabric.device)
        row[0, : len(data)] = torch.tensor(list(data), dtype=torch.uint8)
        rows = self.gather(row).cpu()
        return [bytes(r.tolist()).rstrip(b"\0").decode(errors="ignore") for r in rows]

    def barrier(self) -> None:
        with _connected():
            self.fabric.barrier()

    def close(self) -> None:
        torch.distributed.destroy_process_group()

    def abandon(self) -> None:
        # A process that waits in NCCL hears nothing else, and it writes no files.
        for process in getattr(self.fabric.strategy.launcher, "procs", []):
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        # Gloo's threads sometimes abort the process at its end, so they end here. NCCL's end would wait for
        # work that nobody finishes.
        if torch.distributed.is_initialized() and torch.distributed.get_backend() == "gloo":
            torch.distributed.destroy_process_group()


class _GatherContext(FunctionCtx):
    processes: FabricProcesses
    rows: slice


class _Gather(torch.autograd.Function):
    """`gather` as a sum: every process has zeros in place of the others' parts."""

    @staticmethod
    def forward(ctx: _GatherContext, tensor: Tensor, processes: FabricProcesses) -> Tensor:
        ctx.processes = processes
        ctx.rows = slice(processes.rank * len(tensor), (processes.rank + 1) * len(tensor))
        whole = tensor.new_zeros(processes.world * len(tensor), *tensor.shape[1:])
        whole[ctx.rows] = tensor
        processes.sum_([whole])
        return whole

    @staticmethod
    def backward(ctx: _GatherContext, gradient: Tensor) -> tuple[Tensor, None]:
        gradient = gradient.clone()
        ctx.processes.sum_([gradient])
        return gradient[ctx.rows], None


@contextmanager
def _connected() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostProcess from error
