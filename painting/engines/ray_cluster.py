"""The Ray cluster that paints: the connection to it, and the workers that it has room for.

It needs the extra `ray`.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import EngineError
from .environment import quiet_ray

quiet_ray()

import ray  # noqa: E402

# Bytes of the store that a cluster on this machine alone keeps for objects; here they are texts.
_STORE = 100 * 2**20


@dataclass(frozen=True)
class Workers:
    """How many workers there are, and what each gets of the cluster."""

    count: int
    cpus: float
    gpus: float


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Within this context Ray is connected to a cluster; to one that this program had already, it stays."""
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        options |= {"include_dashboard": False, "object_store_memory": _STORE}
    try:
        with _without_log_lines(), _own_sigterm():
            ray.init(address, **options)
    except ConnectionError as error:
        raise EngineError(
            f"There is no Ray cluster at {address}; start one with: ray start --head, or leave --address out."
        ) from error
    except (RuntimeError, ValueError) as error:
        raise EngineError(f"The Ray cluster at {address} cannot be used: {first_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def workers_of(device: str, cpus: int) -> Workers:
    """The workers of the connected cluster. Raises EngineError if it has not what `device` asks for."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = int(sum(each.get("GPU", 0) for each in machines))
    if device == "cuda" and not gpus:
        raise EngineError("The Ray cluster has no GPU; give --device cpu, or auto.")
    if gpus and device != "cpu":
        return Workers(gpus, 1, 1)
    most = int(max(each.get("CPU", 0) for each in machines))
    if not most:
        raise EngineError("The machines of the Ray cluster have no processor for workers (num_cpus is 0).")
    cpus = min(cpus, most)
    return Workers(sum(int(each.get("CPU", 0)) // cpus for each in machines), cpus, 0)


@contextmanager
def _without_log_lines() -> Iterator[None]:
    """Drop what Ray's C++ part writes to standard error; errors come as exceptions."""
    try:
        before = os.dup(2)
    except OSError:  # a program without a console
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """After this context the program's own answer to SIGTERM is back: Ray's would raise SystemExit."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        # Elsewhere Ray sets none, and Python lets nobody set one. None: it was not set from Python.
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGTERM, before)


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
