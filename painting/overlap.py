"""Reading ahead and writing behind while something else works, each in a thread, with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, TypeVar

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


class Behind(Generic[T]):
    """A thread that does one work after the other; at most `most` of them wait.

    As a context it waits for the work that has begun. Work that waits is done at the end of the context, or
    dropped if the context ends with an error.
    """

    def __init__(self, most: int):
        self._most = most
        self._thread = ThreadPoolExecutor(1, "brushwork-behind")
        self._waiting: deque[Future[T]] = deque()

    def __enter__(self) -> Behind[T]:
        # The thread starts before there is work: a thread in whose start Ctrl-C comes is not known.
        self._thread.submit(int).result()
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
            self._thread.shutdown()

    def add(self, work: Callable[[], T]) -> Iterator[T]:
        """Do `work` later; gives the results of earlier work, in order, as far as it waits for it.

        Raises the error of earlier work.
        """
        self._waiting.append(self._thread.submit(work))
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
