"""Python processes that begin with PyTorch loaded: forks of one that has loaded it and has done nothing else.

To load it takes seconds of a core, which is most of what a test of a command costs. For tests of what a
process does, not of how it starts. The forked process is an ordinary one: it has its own arguments,
environment, pipes, session and exit code, and ends as every interpreter does. What is read from the
environment before Python starts (MALLOC_…, PYTHON…) is that of the tests. Run as a script, this file forks.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

# Elsewhere than on Linux, a process that has loaded large libraries is not safe to fork.
CAN_FORK = sys.platform == "linux"

# What a training process loads before its first step.
PRELOADED = (
    "torch._dynamo",
    "brushwork.cli.main",
    "brushwork.cli.train.setup",
    "brushwork.training.runs.run",
)


class ForkedPython:
    """Starts processes; a context manager."""

    def __enter__(self) -> ForkedPython:
        if CAN_FORK:
            own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with other:
                command = [sys.executable, __file__, str(other.fileno()), json.dumps(sys.path)]
                # The processes have one thread; PyTorch chooses its threads when it is loaded.
                environment = os.environ | {"OMP_NUM_THREADS": "1"}
                self._server = subprocess.Popen(command, pass_fds=[other.fileno()], env=environment)
            self._line = own
        return self

    def __exit__(self, *_: object) -> None:
        if CAN_FORK:
            self._line.close()
            self._server.wait(60)

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> Forked | subprocess.Popen[str]:
        """`python ARGUMENTS` with one thread and pipes for its output and errors, in a session of its own.

        The arguments are a script and its own, or -m with a module and its own.
        """
        environment = {**environment, "OMP_NUM_THREADS": "1"}
        if not CAN_FORK:
            command, pipe = [sys.executable, *arguments], subprocess.PIPE
            return subprocess.Popen(
                command, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True
            )
        pipes = [os.pipe() for _ in range(3)]
        request = {"arguments": list(arguments), "environment": environment, "folder": os.getcwd()}
        socket.send_fds(self._line, [json.dumps(request).encode()], [end for _, end in pipes])
        for _, end in pipes:
            os.close(end)
        return Forked(*(open(begin, encoding="utf-8") for begin, _ in pipes))


class Forked:
    """A started process, with what the tests use of `subprocess.Popen`."""

    def __init__(self, stdout: IO[str], stderr: IO[str], status: IO[str]):
        self.stdout, self.stderr, self._status = stdout, stderr, status
        self.returncode: int | None = None
        self.pid = int(status.readline())

    def wait(self, timeout: float) -> int:
        """The exit code, minus the signal's number where a signal ended it."""
        if self.returncode is None:
            ready, _, _ = select.select([self._status], [], [], timeout)
            if not ready:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            self.returncode = int(self._status.readline())
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """The output and the errors that were not read yet, once nobody can write any more."""
        found = {}

        def read(pipe: IO[str]) -> None:
            found[pipe] = pipe.read()

        pipes = self.stdout, self.stderr
        readers = [threading.Thread(target=read, args=[pipe], daemon=True) for pipe in pipes]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        self.wait(timeout)
        for pipe in (*pipes, self._status):
            pipe.close()
        return found[self.stdout], found[self.stderr]

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


# --- the process that forks --------------------------------------------------------------------------------


def serve(line: socket.socket) -> list[str]:
    """Fork for every request. Returns in the new processes, with their arguments, and at the end without."""
    while True:
        request, pipes, _, _ = socket.recv_fds(line, 2**20, 3)
        if not request:
            return []
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if os.fork() == 0:
            line.close()
            _mind(pipes)
            return _become(**json.loads(request))
        for pipe in pipes:
            os.close(pipe)


def _mind(pipes: Sequence[int]) -> None:
    """Fork again, into the process that was asked for and one that tells its number and its end."""
    stdout, stderr, status = pipes
    process = os.fork()
    if process:
        os.close(stdout)
        os.close(stderr)
        os.write(status, f"{process}\n".encode())
        _, ended = os.waitpid(process, 0)
        os.write(status, f"{os.waitstatus_to_exitcode(ended)}\n".encode())
        os._exit(0)
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    for pipe in pipes:
        os.close(pipe)


def _become(arguments: list[str], environment: dict[str, str], folder: str) -> list[str]:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    return arguments


def run(arguments: list[str]) -> None:
    """What `python ARGUMENTS` does."""
    if arguments[0] == "-m":
        sys.argv, sys.path[:0] = arguments[1:], [""]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[:0] = arguments, [os.path.dirname(os.path.abspath(arguments[0]))]
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv[2])
    for name in PRELOADED:
        importlib.import_module(name)
    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    if not asked:
        os._exit(0)  # To take all that is loaded apart would cost a second.
    run(asked)
