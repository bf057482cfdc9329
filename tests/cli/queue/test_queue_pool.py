"""Who gets the next job, what happens to lost ones, and what the folder of results remembers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from brushwork.base.files import sha256_of
from brushwork.cli.queue.jobs import QueueJob
from brushwork.cli.queue.manifest import Results
from brushwork.cli.queue.pool import Pool


@dataclass
class Server:
    """As much of a worker as the pool sees."""

    load: int = 0
    has_room: bool = True
    down_since: float | None = None
    woken: int = 0

    def wake(self):
        self.woken += 1


@pytest.fixture
def jobs():
    return [QueueJob(name, Path(f"{name}.png"), None) for name in "abcd"]


def test_the_idlest_server_gets_the_next_job(jobs):
    pool = Pool(jobs, retries=3)
    busy, idle = Server(load=2), Server(load=0)
    pool.workers += [busy, idle]
    assert pool.take(busy) is None
    assert pool.take(idle) is jobs[0]
    idle.load = 2
    assert pool.take(busy) is jobs[1]


@pytest.mark.parametrize("change", [{"has_room": False}, {"down_since": 1.0}])
def test_a_server_that_can_take_none_holds_nobody_up(jobs, change):
    pool = Pool(jobs, retries=3)
    busy = Server(load=5)
    pool.workers += [busy, Server(load=0, **change)]
    assert pool.take(busy) is jobs[0]


def test_jobs_given_back_come_next(jobs):
    pool = Pool(jobs, retries=3)
    server = Server()
    pool.workers.append(server)
    first = pool.take(server)
    pool.give_back(first)
    assert server.woken == 1
    assert pool.take(server) is first
    assert pool.attempt(first) == 1


def test_lost_jobs_are_tried_again_and_then_fail(jobs):
    pool = Pool(jobs[:1], retries=2)
    server = Server()
    for attempt in (1, 2):
        assert pool.attempt(pool.take(server)) == attempt
        assert pool.lose(jobs[0], "it crashed") is None
    assert pool.lose(pool.take(server), "it crashed") == "it crashed, 3 times"
    assert pool.failed == {"a": "it crashed, 3 times"}
    assert pool.ended.is_set()


def test_a_job_that_goes_wrong_on_one_server_is_for_the_others(jobs):
    pool = Pool(jobs[:2], retries=0)
    bad, good = Server(load=0), Server(load=1, has_room=False)
    pool.workers += [bad, good]
    assert pool.lose(pool.take(bad), "502", bad) is None
    assert pool.take(bad) is jobs[1]
    assert pool.lose(jobs[1], "502", bad) is None
    assert pool.take(bad) is None
    good.has_room = True
    taken = pool.take(good)
    assert pool.lose(taken, "413", good, again=False) == "413"
    assert pool.failed == {taken.name: "413"}


def test_a_server_that_is_away_keeps_no_job_waiting(jobs, monkeypatch):
    pool = Pool(jobs[:1], retries=5)
    bad, away = Server(), Server(down_since=100.0)
    pool.workers += [bad, away]
    monkeypatch.setattr("brushwork.cli.queue.pool.time.monotonic", lambda: 105.0)
    assert pool.lose(pool.take(bad), "502", bad) is None
    assert pool.take(bad) is None
    monkeypatch.setattr("brushwork.cli.queue.pool.time.monotonic", lambda: 111.0)
    assert pool.lose(pool.take(bad), "413", bad, again=False) == "413"


def test_a_prompt_that_vanishes_is_no_attempt_at_first(jobs):
    pool = Pool(jobs[:1], retries=0)
    server = Server()
    pool.workers.append(server)
    for _ in range(3):
        assert pool.vanish(pool.take(server), server) is None
        assert pool.attempt(jobs[0]) == 1
    assert "does not know it" in pool.vanish(pool.take(server), server)
    assert pool.ended.is_set()


def test_a_server_that_retires_gets_no_job(jobs):
    pool = Pool(jobs, retries=0)
    one, other = Server(load=3), Server(load=0)
    pool.workers += [one, other]
    assert pool.retire(other)
    assert pool.take(one) is jobs[0]
    assert not pool.retire(one)


def test_it_ends_when_every_job_has(jobs):
    pool = Pool(jobs, retries=0)
    for job in jobs[:3]:
        pool.finish(job)
    assert not pool.ended.is_set()
    pool.fail(jobs[3], "broken")
    assert pool.ended.is_set()
    assert Pool([], retries=0).ended.is_set()


def test_patience_begins_when_the_last_server_goes(jobs, monkeypatch):
    pool = Pool(jobs, retries=0)
    pool.workers += [Server(down_since=100.0), Server(down_since=130.0)]
    monkeypatch.setattr("brushwork.cli.queue.pool.time.monotonic", lambda: 150.0)
    assert pool.all_down_for() == 20.0
    pool.workers[0].down_since = None
    assert pool.all_down_for() == 0.0


def test_results_remember(tmp_path):
    results = Results(tmp_path)
    assert not results.has("a")
    results.record({"job": "a", "status": "done", "digest": "1"})
    results.record({"job": "b", "status": "failed", "error": "ä"})
    results.record({"job": "a", "status": "done", "digest": "2"})
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / ".c.png.part").write_bytes(b"")
    again = Results(tmp_path)
    assert (again.has("a"), again.has("b"), again.has("c"), again.has(".c.png")) == (
        True,
        False,
        False,
        False,
    )
    assert (again.digest("a"), again.digest("b")) == ("2", None)


def test_a_line_cut_short_costs_only_itself(tmp_path):
    results = Results(tmp_path)
    results.record({"job": "a", "status": "done", "digest": "1"})
    with (tmp_path / "manifest.jsonl").open("a") as file:
        file.write('{"job": "b", "status": "do')
    results.record({"job": "c", "status": "done", "digest": "3"})
    again = Results(tmp_path)
    assert [again.digest(name) for name in "abc"] == ["1", None, "3"]
    assert len((tmp_path / "manifest.jsonl").read_text().splitlines()) == 3
    assert json.loads((tmp_path / "manifest.jsonl").read_text().splitlines()[2])["job"] == "c"


def test_digests_of_files(tmp_path):
    (tmp_path / "big").write_bytes(b"ab" * 2**20)
    import hashlib

    assert sha256_of(tmp_path / "big") == hashlib.sha256(b"ab" * 2**20).hexdigest()
