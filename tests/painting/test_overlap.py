"""A thread that reads ahead and one that writes behind: same order, bounded, errors where they belong."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from brushwork.painting.overlap import Behind, ahead, computed_ahead


def test_the_same_items_in_order():
    assert list(ahead(range(20), 3)) == list(range(20))
    assert list(ahead([], 3)) == []


def test_another_thread_is_at_most_so_many_items_ahead():
    made, threads = [], set()

    def items():
        for i in range(10):
            made.append(i)
            threads.add(threading.get_ident())
            yield i

    for i in ahead(items(), 2):
        # This one, two that wait, and none more.
        assert len(made) <= i + 3
    assert made == list(range(10))
    assert threads
    assert threading.get_ident() not in threads


def test_it_reads_while_the_caller_works():
    second = threading.Event()

    def items():
        yield 1
        second.set()
        yield 2

    found = ahead(items(), 1)
    assert next(found) == 1
    # Nobody has asked for the second one.
    assert next(found) == 2
    assert second.is_set()


def test_an_error_comes_in_the_place_of_its_item():
    def items():
        yield 1
        raise ValueError("the second")

    found = ahead(items(), 3)
    assert next(found) == 1
    with pytest.raises(ValueError, match="the second"):
        next(found)


def test_closing_ends_the_items_too():
    closed = []

    def items():
        try:
            yield from range(10)
        finally:
            closed.append(True)

    found = ahead(items(), 2)
    next(found)
    found.close()
    assert closed == [True]


def test_results_come_in_order_and_few_wait():
    release, order = threading.Event(), []

    def work(i):
        release.wait(10)
        order.append(i)
        return i

    with Behind(1) as writing:
        assert list(writing.add(lambda: work(0))) == []
        assert list(writing.finished()) == []
        release.set()
        assert list(writing.add(lambda: work(1))) == [0]
        assert list(writing.all()) == [1]
    assert order == [0, 1]


def test_without_room_the_result_comes_at_once():
    with Behind(0) as writing:
        assert list(writing.add(lambda: "done")) == ["done"]


def test_an_error_of_the_work_is_raised_where_its_result_would_come():
    def broken():
        raise OSError("no room")

    with Behind(2) as writing:
        assert list(writing.add(broken)) == []
        with pytest.raises(OSError, match="no room"):
            list(writing.all())


def test_after_an_error_what_waits_is_dropped_and_what_has_begun_is_done():
    begun, done, release = threading.Event(), [], threading.Event()

    def first():
        begun.set()
        release.wait(10)
        done.append(1)

    def stop():
        with Behind(5) as writing:
            for work in (first, lambda: done.append(2)):
                list(writing.add(work))
            begun.wait(10)
            threading.Timer(0.1, release.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert done == [1]


@pytest.mark.skipif(os.name == "nt", reason="sends a signal to itself")
def test_ctrl_c_while_the_end_waits_does_not_leave_the_work_behind():
    done = []

    def work():
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        done.append(1)

    with pytest.raises(KeyboardInterrupt), Behind(1) as writing:
        list(writing.add(work))
    assert done == [1]


def test_several_threads_compute_ahead_in_order():
    both, running = threading.Barrier(2, timeout=60), []

    def work(i):
        running.append(i)
        # Two at a time, or this would never end.
        both.wait()
        return 10 * i

    for i, found in enumerate(computed_ahead(work, range(6), 2)):
        assert found == 10 * i
        assert max(running) <= i + 2
    assert sorted(running) == list(range(6))
    assert list(computed_ahead(work, [], 2)) == []


def test_an_error_of_one_thread_comes_in_its_place_and_ends_the_others():
    begun = []

    def work(i):
        begun.append(i)
        if i == 1:
            raise ValueError("the second")
        return i

    found = computed_ahead(work, range(100), 2)
    assert next(found) == 0
    with pytest.raises(ValueError, match="the second"):
        next(found)
    assert len(begun) <= 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("brushwork-ahead")]


def test_several_threads_write_behind_in_order():
    both = threading.Barrier(2, timeout=60)
    results = []
    with Behind[int](3, threads=2) as writing:
        for i in range(8):

            def work(i=i):
                both.wait()
                return i

            results += writing.add(work)
            # What was added is begun or waits.
            assert len(results) >= i - 2
        results += writing.all()
    assert results == list(range(8))
