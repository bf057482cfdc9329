"""Feature maps that lie in the main memory or in a file, and are read and written in rows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ...base.system_errors import write_sentence
from ..normalization import NORM_EPS, Statistics, channel_mean_variance
from ..passes import Rows
from ..strips import Strip, strips


class StorageError(RuntimeError):
    """There is no room for feature maps; the message is one sentence for the user."""


class _Storage(Protocol):
    """Where the rows of a map [1,C,H,W] are."""

    def read(self, start: int, stop: int) -> Tensor: ...

    def write(self, start: int, rows: Tensor) -> None: ...

    def close(self) -> None: ...


class _InMemory:
    def __init__(self, values: Tensor):
        self.values = values

    def read(self, start: int, stop: int) -> Tensor:
        return self.values[:, :, start:stop]

    def write(self, start: int, rows: Tensor) -> None:
        self.values[:, :, start : start + rows.shape[2]].copy_(rows)

    def close(self) -> None:
        self.values = torch.empty(0)


class _InFile:
    """float32, row by row, the channels of a cell side by side. Nothing stays behind: it has no name."""

    def __init__(self, folder: Path, channels: int, width: int):
        self.channels, self.width = channels, width
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115

    def read(self, start: int, stop: int) -> Tensor:
        rows = torch.empty(stop - start, self.width, self.channels)
        self._file.seek(start * self.width * self.channels * 4)
        _transfer(rows.numpy().data.cast("B"), self._file.readinto)
        return rows.permute(2, 0, 1)[None]

    def write(self, start: int, rows: Tensor) -> None:
        values = rows[0].permute(1, 2, 0).to("cpu", torch.float32).contiguous()
        self._file.seek(start * self.width * self.channels * 4)
        try:
            _transfer(values.numpy().data.cast("B"), self._file.write)
        except OSError as error:
            raise StorageError(write_sentence("A temporary file", error)) from error

    def close(self) -> None:
        self._file.close()


def _transfer(data: memoryview, move: Callable[[memoryview], int | None]) -> None:
    """All of `data`: the system may move a part at a time."""
    while data:
        moved = move(data)
        if not moved:
            raise StorageError("A temporary file is shorter than it was written; is the disk full?")
        data = data[moved:]


class StoredMap:
    """A feature map [1,C,H,W] outside of the memory of `device`, which its rows go to.

    With `affine`, offset and gain [1,C,1,1], it is read as offset + gain * what is stored. `statistics` are
    mean and variance of every channel as it is read, [1,C,1,1] float64 on the CPU.
    """

    def __init__(
        self,
        place: _Storage,
        size: tuple[int, int, int],
        device: torch.device,
        statistics: Statistics,
        affine: tuple[Tensor, Tensor] | None = None,
    ):
        self._place, self.size, self.device = place, size, device
        self.statistics, self._affine = statistics, affine
        self._last: tuple[int, int, Tensor] | None = None

    @classmethod
    def from_values(cls, values: Tensor, device: torch.device, strip_bytes: int) -> StoredMap:
        """A map [1,C,H,W] that is in the main memory already; it is not changed."""
        size = (values.shape[1], values.shape[2], values.shape[3])
        pool = PooledStatistics()
        for strip in strips(values.shape, device, strip_bytes):
            pool.add(strip.rows(values).to(device))
        return cls(_InMemory(values), size, device, pool.result())

    @property
    def mean_std(self) -> tuple[Tensor, Tensor]:
        """For AdaIN, on the device, [1,C,1,1]."""
        mean, variance = self.statistics
        return mean.float().to(self.device), (variance + NORM_EPS).sqrt().float().to(self.device)

    def rows(self, strip: Strip) -> Tensor:
        """[1,C,rows,W] on the device; not to be changed."""
        if self._last is not None and self._last[0] <= strip.start and strip.stop <= self._last[1]:
            start, _, rows = self._last
            return rows[:, :, strip.start - start : strip.stop - start]
        rows = self._place.read(strip.start, strip.stop).to(self.device)
        if self._affine is not None:
            rows = torch.addcmul(self._affine[0], rows, self._affine[1])
        self._last = strip.start, strip.stop, rows
        return rows

    def normalized(self, strip_bytes: int) -> StoredMap:
        """The same map, every channel with mean 0 and deviation 1 (instance normalisation).

        Its statistics are measured and not derived: in a channel that is constant, the rounding error of the
        mean becomes a constant that the next normalisation takes away, if it is told.
        """
        mean, std = self.mean_std
        found = StoredMap(self._place, self.size, self.device, self.statistics, (-mean / std, 1 / std))
        pool = PooledStatistics()
        for strip in strips((1, *self.size), self.device, strip_bytes):
            pool.add(found.rows(strip))
        found.statistics = pool.result()
        return found

    def replaced(self, rows: Rows, strip_bytes: int) -> StoredMap:
        """This map with the values that `rows` computes from it, in its place.

        `rows` may read up to two rows beyond its strip; so a strip is written when the next one is computed.
        """
        pool = PooledStatistics()
        waiting: tuple[int, Tensor] | None = None
        for strip in strips((1, *self.size), self.device, strip_bytes):
            found = rows(strip)
            pool.add(found)
            if waiting is not None:
                self._place.write(*waiting)
            waiting = strip.start, found
        if waiting is not None:
            self._place.write(*waiting)
        self._last = None
        return StoredMap(self._place, self.size, self.device, pool.result())

    def whole(self) -> Tensor:
        """All of it as a tensor in the main memory, [1,C,H,W] channels_last."""
        channels, height, width = self.size
        whole = torch.empty(1, height, width, channels).permute(0, 3, 1, 2)
        for strip in strips((1, *self.size), self.device):
            whole[:, :, strip.start : strip.stop] = self.rows(strip)
        self._last = None
        return whole

    def close(self) -> None:
        """Give its room back."""
        self._last = None
        self._place.close()


def _zero() -> Tensor:
    return torch.zeros((), dtype=torch.float64, device="cpu")


@dataclass
class PooledStatistics:
    """Mean and variance of a map from those of its strips (Chan et al. 1979), in float64 on the CPU."""

    _count: int = 0
    _mean: Tensor = field(default_factory=_zero)
    _squares: Tensor = field(default_factory=_zero)

    def add(self, rows: Tensor) -> None:
        """rows [1,C,rows,W]."""
        count = rows.shape[2] * rows.shape[3]
        mean, variance = (value.cpu().double() for value in channel_mean_variance(rows))
        total = self._count + count
        step = mean - self._mean
        self._squares = self._squares + variance * count + step.square() * (self._count * count / total)
        self._mean = self._mean + step * (count / total)
        self._count = total

    def result(self) -> Statistics:
        """[1,C,1,1] each."""
        return self._mean, self._squares / self._count


@dataclass
class MapStore:
    """Gives maps their places: `memory` bytes in the main memory, and files in `folder` beyond these.

    `strip_bytes` is the size of the strips in which they are computed on `device`.
    """

    device: torch.device
    strip_bytes: int
    memory: int
    folder: Path | None = None

    def computed(self, rows: Rows, size: tuple[int, int, int]) -> StoredMap:
        """The map of `size` (C, H, W) that `rows` computes strip by strip."""
        place = self._place(size)
        pool = PooledStatistics()
        for strip in strips((1, *size), self.device, self.strip_bytes):
            found = rows(strip)
            pool.add(found)
            place.write(strip.start, found)
        return StoredMap(place, size, self.device, pool.result())

    def _place(self, size: tuple[int, int, int]) -> _Storage:
        channels, height, width = size
        needed = 4 * channels * height * width
        if self.folder is None or needed <= self.memory:
            self.memory -= needed
            return _InMemory(torch.empty(1, height, width, channels).permute(0, 3, 1, 2))
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise StorageError(
                f"Painting needs {needed / 1e9:.1f} GB for temporary files in {self.folder}, and "
                f"{free / 1e9:.1f} GB are free; make room, or choose a result on another disk."
            )
        return _InFile(self.folder, channels, width)
