"""Files are whole after kill -9 and on a full disk; several writers lose nothing; no debris stays."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from brushwork.base import files, temporary
from brushwork.base.files import write_atomically, write_new
from brushwork.base.locks import HeldError, held, lock

# A process that writes without end, and one that holds a lock; neither loads PyTorch.
WRITES = """
import sys
from pathlib import Path
from brushwork.base.files import write_atomically
print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        write_atomically(Path(sys.argv[1]), letter * 3_000_000)
"""
HOLDS = """
import sys, time
from pathlib import Path
from brushwork.base.locks import held
with held(Path(sys.argv[1]), "process 7 on pluto"):
    print("ready", flush=True)
    time.sleep(60)
"""
NAMES = """
import sys
from pathlib import Path
from brushwork.base.files import write_new
for _ in range(int(sys.argv[2])):
    write_new(Path(sys.argv[1]), "style", ".bin", sys.argv[3].encode())
"""


def start(code: str, *arguments: object) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.endswith(".part")]


def age(paths: list[Path]) -> None:
    """Let two minutes go by."""
    for path in paths:
        os.utime(path, (time.time() - 120,) * 2)


def test_killed_at_any_byte_the_file_is_whole_and_the_debris_goes(tmp_path, monkeypatch):
    target = tmp_path / "state"
    write_atomically(target, b"old")
    unfinished = 0
    for delay in (0.0, 0.003, 0.01, 0.02, 0.05):
        writer = start(WRITES, target)
        assert writer.stdout.readline() == "ready\n"
        time.sleep(delay)
        writer.kill()
        writer.wait()
        assert target.read_bytes() in (b"old", b"a" * 3_000_000, b"b" * 3_000_000)
        unfinished = max(unfinished, len(parts(tmp_path)))
    assert unfinished, "no kill fell into a write"

    # The next start removes what dead writers left, and nothing that is young or alive.
    left = parts(tmp_path)
    age(left)
    young = tmp_path / f".state{temporary._MARK}{temporary._MACHINE}.0.1.part"
    young.write_bytes(b"x")
    foreign = tmp_path / ".download.123.part"
    foreign.write_bytes(b"x")
    age([foreign])
    with (tmp_path / f".state{temporary._MARK}{temporary._MACHINE}.1.2.part").open("wb") as alive:
        lock(alive)
        age([Path(alive.name)])
        monkeypatch.setattr(temporary, "_swept", set())
        write_atomically(target, b"new")
        assert {path.name for path in parts(tmp_path)} == {young.name, Path(alive.name).name, foreign.name}
    assert target.read_bytes() == b"new"


def test_file_then_name_then_folder_reach_the_disk(tmp_path, monkeypatch):
    done: list[str] = []

    def follow(name: str, describe) -> None:
        real = getattr(os, name)

        def call(*arguments, **options):
            done.append(f"{name} {describe(*arguments)}")
            return real(*arguments, **options)

        monkeypatch.setattr(os, name, call)

    follow("fsync", lambda number: "folder" if os.path.isdir(f"/proc/self/fd/{number}") else "file")
    follow("replace", lambda *_: "")
    write_atomically(tmp_path / "new" / "a", b"x")
    expected = ["fsync folder", "fsync file", "replace ", "fsync folder"]
    assert done == (expected if sys.platform == "linux" else done)
    assert done.index("fsync file") < done.index("replace ")


def test_savers_of_one_name_at_once_lose_nothing(tmp_path):
    processes = [start(NAMES, tmp_path, 20, text) for text in ("one", "two")]
    own = [threading.Thread(target=write_new, args=(tmp_path, "style", ".bin", b"own")) for _ in range(20)]
    for thread in own:
        thread.start()
    for thread in own:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    found = [path.read_bytes() for path in tmp_path.iterdir()]
    assert sorted(found) == [b"one"] * 20 + [b"own"] * 20 + [b"two"] * 20
    assert (tmp_path / "style.bin").exists()
    assert (tmp_path / "style_60.bin").exists()


def test_threads_that_write_one_file_at_once_leave_one_whole(tmp_path):
    writers = [
        threading.Thread(target=write_atomically, args=(tmp_path / "a", bytes([i]) * 100_000))
        for i in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    data = (tmp_path / "a").read_bytes()
    assert len(data) == 100_000
    assert len(set(data)) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_system_without_links_takes_a_free_name_as_well(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert write_new(tmp_path, "a", ".bin", b"1").name == "a.bin"
    assert write_new(tmp_path, "a", ".bin", b"2").name == "a_2.bin"
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"1", b"2"]


def test_a_lock_ends_with_its_process(tmp_path):
    holder = start(HOLDS, tmp_path / "lock")
    assert holder.stdout.readline() == "ready\n"
    with pytest.raises(HeldError, match=r"^process 7 on pluto$"), held(tmp_path / "lock", "me"):
        pass
    holder.kill()
    holder.wait()
    with (
        held(tmp_path / "lock", "me"),
        pytest.raises(HeldError, match=r"^me$"),
        held(tmp_path / "lock", "me as well"),
    ):
        pass
    with held(tmp_path / "lock", "me again"):
        pass
    assert list(tmp_path.iterdir()) == []


ONE_AT_A_TIME = """
import sys
from pathlib import Path
from brushwork.base.locks import HeldError, held, lock
folder = Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    try:
        with held(folder / "lock", "me"):
            (folder / "inside").open("xb").close()  # fails if somebody is inside
            (folder / "inside").unlink()
    except HeldError:
        pass
"""


def test_nobody_gets_a_lock_whose_file_was_just_removed(tmp_path):
    processes = [start(ONE_AT_A_TIME, tmp_path, 300) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root mounts a file system")
@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_a_disk_that_is_full(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", small], check=False).returncode:
        pytest.skip("this machine does not let root mount")
    try:
        write_atomically(small / "state", b"old")
        for write in (
            lambda: write_atomically(small / "state", bytes(300_000)),
            lambda: write_new(small, "style", ".bin", bytes(300_000)),
        ):
            with pytest.raises(OSError, match="No space left"):
                write()
        assert [path.name for path in small.iterdir()] == ["state"]
        assert (small / "state").read_bytes() == b"old"
        write_atomically(small / "state", bytes(50_000))
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
class TestLinks:
    """As with a plain write, a link stays and the file behind it is written; here whole or not at all."""

    @pytest.fixture
    def behind(self, tmp_path):
        """Two links, one behind the other, and the file to which they lead."""
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "second").symlink_to(Path("elsewhere") / "file")
        (tmp_path / "link").symlink_to("second")
        return tmp_path / "elsewhere" / "file"

    @pytest.mark.parametrize("before", [b"old", None])
    def test_the_file_behind_is_replaced(self, behind, tmp_path, before):
        if before is not None:
            behind.write_bytes(before)
        write_atomically(tmp_path / "link", b"new")
        assert behind.read_bytes() == b"new"
        assert os.readlink(tmp_path / "link") == "second"
        with files.written_atomically(tmp_path / "second") as temporary:
            # On the disk of the file, which may be another one than that of the link.
            assert temporary.parent == behind.parent.resolve()
            temporary.write_bytes(b"newer")
            assert behind.read_bytes() == b"new"
        assert behind.read_bytes() == b"newer"
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "file", "link", "second"]

    def test_what_lies_elsewhere_is_moved_behind_the_link(self, behind, tmp_path):
        behind.write_bytes(b"old")
        (tmp_path / "part").write_bytes(b"new")
        files.move_into_place(tmp_path / "part", tmp_path / "link")
        assert behind.read_bytes() == b"new"
        assert (tmp_path / "link").is_symlink()

    def test_after_an_error_the_file_behind_is_as_it_was(self, behind, tmp_path):
        behind.write_bytes(b"old")

        def stopped():
            with files.written_atomically(tmp_path / "link") as temporary:
                temporary.write_bytes(b"half")
                raise KeyError

        with pytest.raises(KeyError):
            stopped()
        assert behind.read_bytes() == b"old"
        assert [path.name for path in behind.parent.iterdir()] == ["file"]

    def test_a_link_that_leads_nowhere_makes_no_folder(self, tmp_path):
        (tmp_path / "drive").symlink_to(tmp_path / "not connected" / "file")
        with pytest.raises(FileNotFoundError, match="a link into a folder that is not there"):
            write_atomically(tmp_path / "drive", b"new")
        assert not (tmp_path / "not connected").exists()
        (tmp_path / "itself").symlink_to("itself")
        with pytest.raises(OSError, match="symbolic links"):
            write_atomically(tmp_path / "itself", b"new")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["drive", "itself"]
        assert all(path.is_symlink() for path in tmp_path.iterdir())

    def test_a_new_file_takes_no_name_of_a_link(self, tmp_path):
        """Also of one that leads nowhere: looking for a free name went on without end."""
        (tmp_path / "style.bin").symlink_to(tmp_path / "not connected" / "style.bin")
        assert write_new(tmp_path, "style", ".bin", b"new").name == "style_2.bin"
        assert (tmp_path / "style.bin").is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="no named pipes in folders")
def test_a_pipe_gets_the_bytes_and_stays(tmp_path: Path) -> None:
    """As root, /dev/null would become a file."""
    pipe, got = tmp_path / "report.json", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, b"all of it")
    reader.join(10)
    assert got == [b"all of it"]
    assert pipe.is_fifo()
    with pytest.raises(OSError, match="It is a pipe or a device"), files.written_atomically(pipe):
        pass
    assert pipe.is_fifo()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere /dev/fd does not open a pipe anew")
def test_a_full_pipe_gets_the_rest_after_a_signal() -> None:
    """A signal ends a write that waits for its reader: the system then says how much it took."""
    data, got = os.urandom(3 * 2**16 + 5), bytearray()
    signalled = threading.Event()
    reads, writes = os.pipe()

    def read() -> None:
        assert signalled.wait(10)
        while block := os.read(reads, 2**16):
            got.extend(block)

    reader = threading.Thread(target=read)
    before = signal.signal(signal.SIGALRM, lambda *_: signalled.set())
    try:
        reader.start()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        write_atomically(f"/dev/fd/{writes}", data)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        os.close(writes)
        reader.join(10)
        os.close(reads)
    assert bytes(got) == data


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="no open files by number")
def test_standard_output_that_goes_to_a_file(tmp_path: Path) -> None:
    """As in `--json /dev/stdout > all.txt`."""
    with (tmp_path / "all.txt").open("w+") as file:
        file.write("before\n")
        file.flush()
        write_atomically(f"/dev/fd/{file.fileno()}", b"report")
        file.seek(0)
        assert file.read() == "before\nreport"


KEEPS_A_FOLDER = """
import sys, time
from pathlib import Path
from brushwork.base.temporary import temporary_folder
with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "pixels").write_bytes(bytes(1000))
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def next_start(monkeypatch):
    """Let the next write of this process look into its folder, as that of a process that has just begun."""

    def start(folder: Path) -> None:
        monkeypatch.setattr(temporary, "_swept", set())
        write_atomically(folder / "file", b"x")

    return start


def test_the_folder_of_a_dead_process_goes_and_that_of_a_living_one_stays(tmp_path, next_start):
    holder = start(KEEPS_A_FOLDER, tmp_path / "large.png")
    assert holder.stdout.readline() == "ready\n"
    (folder,) = parts(tmp_path)
    age([*folder.iterdir(), folder])
    next_start(tmp_path)
    assert (folder / "pixels").exists()
    holder.kill()
    holder.wait()
    next_start(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_temporary_folder_goes_at_the_end(tmp_path):
    with temporary.temporary_folder(tmp_path / "new" / "a.png") as folder:
        (folder / "below").mkdir()
        (folder / "below" / "pixels").write_bytes(b"x")
    assert list((tmp_path / "new").iterdir()) == []


def test_debris_from_the_future_goes(tmp_path, next_start):
    """The clock was wrong when a process died, and was put right."""
    dead = tmp_path / f".a{temporary._MARK}{temporary._MACHINE}.0.1.part"
    dead.write_bytes(b"x")
    os.utime(dead, (time.time() + 10**8,) * 2)
    next_start(tmp_path)
    assert not dead.exists()


def test_what_another_machine_writes_has_a_day(tmp_path, next_start):
    """The lock of a process there may not be seen here."""
    elsewhere = tmp_path / f".a{temporary._MARK}0123abcd.0.1.part"
    elsewhere.mkdir()
    pixels = elsewhere / "pixels"
    pixels.write_bytes(b"x")
    day = 24 * 3600
    os.utime(elsewhere, (time.time() - 3 * day,) * 2)
    os.utime(pixels, (time.time() - day / 2,) * 2)
    next_start(tmp_path)
    assert pixels.exists()
    os.utime(pixels, (time.time() - 2 * day,) * 2)
    next_start(tmp_path)
    assert not elsewhere.exists()
