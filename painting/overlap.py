"""Reading ahead and writing behind while something else works, in other threads, with bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from types import TracebackType
from typing import Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class _End:
    """What comes after the last item."""


_END = _End()


def ahead(items: Iterable[T], most: int) -> Generator[T, None, None]:
    """The same items; a thread computes up to `most` of them before they are asked for.

    An error of `items` is raised where its item would have come. Close the generator when it is not used up.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1, "brushwork-ahead") as thread:
        coming: deque[Future[T | _End]] = deque()
        try:
            while True:
                while len(coming) < most:
                    coming.append(thread.submit(next, iterator, _END))
                item = coming[0].result()
                coming.popleft()
                if isinstance(item, _End):
                    return
                yield item
                del item
        finally:
            for each in coming:
                each.cancel()
            thread.shutdown()
            if close := getattr(iterator, "close", None):
                close()


def computed_ahead(work: Callable[[S], T], items: Iterable[S], threads: int) -> Generator[T, None, None]:
    """`work` of each item, in their order; so many threads compute as many of them before they are asked for.

    An error of `work` is raised where its result would have come. Close the generator when it is not used up.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(threads, "brushwork-ahead") as pool:
        coming: deque[Future[T]] = deque()
        try:
            while True:
                for item in islice(iterator, threads - len(coming)):
                    coming.append(pool.submit(work, item))
                if not coming:
                    return
                result = coming[0].result()
                coming.popleft()
                yield result
                del result
        finally:
            for each in coming:
                each.cancel()


class Behind(Generic[T]):
    """Threads that do one work after the other; at most `most` of them are begun or wait.

    As a context it waits for the work that has begun. Work that waits is done at the end of the context, or
    dropped if the context ends with an error.
    """

    def __init__(self, most: int, threads: int = 1):
        self._most, self._count = most, threads
        self._threads = ThreadPoolExecutor(threads, "brushwork-behind")
        self._waiting: deque[Future[T]] = deque()

    def __enter__(self) -> Behind[T]:
        # They start before there is work: a thread in whose start Ctrl-C comes is not known.
        together = threading.Barrier(self._count)
        wait([self._threads.submit(together.wait) for _ in range(self._count)])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Ctrl-C may come while this waits; then the work that has begun still has to end. Futures are waited
        # for: before Python 3.13 a thread counts as ended once Ctrl-C has come into its join.
        try:
            if error is None:
                wait(self._waiting)
        finally:
            for each in self._waiting:
                each.cancel()
            wait(self._waiting)
            self._threads.shutdown()

    def add(self, work: Callable[[], T]) -> Iterator[T]:
        """Do `work` later; gives the results of earlier work, in order, as far as it waits for it.

        Raises the error of earlier work.
        """
        self._waiting.append(self._threads.submit(work))
        while len(self._waiting) > self._most:
            yield self._next()

    def finished(self) -> Iterator[T]:
        """The results of the work that is done, without waiting for more. Raises the work's error."""
        while self._waiting and self._waiting[0].done():
            yield self._next()

    def all(self) -> Iterator[T]:
        """All results that are left. Raises the work's error."""
        while self._waiting:
            yield self._next()

    def _next(self) -> T:
        # Only what has a result leaves: Ctrl-C may come while this waits.
        result = self._waiting[0].result()
        self._waiting.popleft()
        return result
