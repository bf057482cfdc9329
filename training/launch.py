"""Starting the processes that share a run, by Lightning Fabric, or finding those that torchrun started."""

from __future__ import annotations

import logging
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

from ..base.counts import counted
from ..base.excerpt import value_excerpt
from ..base.extras import installing
from .processes import FabricProcesses, OneProcess, Processes

if TYPE_CHECKING:
    from lightning_fabric import Fabric

# More are a slip of the finger: each is a process, and without GPUs a machine starts as many as it is told.
_MOST_DEVICES, _MOST_MACHINES = 256, 4096


class LaunchError(RuntimeError):
    """The processes cannot be started or connected; the message is one sentence for the user."""


def connect(devices: int | None, num_nodes: int | None, accelerator: str, strategy: str) -> Processes:
    """The processes of this run: one, unless more are asked for or torchrun has started more.

    If the others have not been started, this starts them as copies of this command, which also call this
    function. Raises LaunchError, one sentence.
    """
    devices, num_nodes = _counts(devices, num_nodes)
    if devices * num_nodes > 1:
        return _launch(devices, num_nodes, accelerator, strategy)
    if int(os.environ.get("SLURM_PROCID", 0)) > 0:
        raise LaunchError("srun started several tasks; say so with --devices and --num-nodes.")
    return OneProcess()


def check_processes(
    devices: int | None, num_nodes: int | None, accelerator: str, strategy: str
) -> tuple[int, int]:
    """How many processes on each machine, and how many machines, `connect` would connect; it starts none.

    Raises LaunchError, one sentence, if this machine could not start its own.
    """
    devices, num_nodes = _counts(devices, num_nodes)
    if devices * num_nodes > 1:
        _fabric_for(devices, num_nodes, accelerator, strategy)
    return devices, num_nodes


def _counts(devices: int | None, num_nodes: int | None) -> tuple[int, int]:
    local, machines = 1, 1
    if "TORCHELASTIC_RUN_ID" in os.environ:
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        machines = int(os.environ["WORLD_SIZE"]) // local
    devices = local if devices is None else devices
    num_nodes = machines if num_nodes is None else num_nodes
    for name, number, most in (
        ("--devices", devices, _MOST_DEVICES),
        ("--num-nodes", num_nodes, _MOST_MACHINES),
    ):
        if not 1 <= number <= most:
            raise LaunchError(f"{name} is {value_excerpt(number)}; give 1 to {most}.")
    return devices, num_nodes


def _launch(devices: int, num_nodes: int, accelerator: str, strategy: str) -> FabricProcesses:
    fabric = _fabric_for(devices, num_nodes, accelerator, strategy)
    try:
        fabric.launch()
    except (RuntimeError, ValueError, TypeError) as error:
        raise _not_started(devices, num_nodes, accelerator, error) from error
    return FabricProcesses(fabric)


def _fabric_for(devices: int, num_nodes: int, accelerator: str, strategy: str) -> Fabric:
    """What launches the processes; it looks whether this machine has the devices. Raises LaunchError."""
    try:
        fabric_class = _fabric()
    except ImportError as error:
        raise LaunchError(
            f"Several processes need the package lightning-fabric; {installing('train')}"
        ) from error
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    try:
        return fabric_class(accelerator=accelerator, strategy=strategy, devices=devices, num_nodes=num_nodes)
    # ImportError: TPUs need a package of their own.
    except (RuntimeError, ValueError, TypeError, ImportError) as error:
        raise _not_started(devices, num_nodes, accelerator, error) from error


def _not_started(devices: int, num_nodes: int, accelerator: str, error: Exception) -> LaunchError:
    where = f"{num_nodes} x {counted(devices, 'process', 'processes')} on '{accelerator}'"
    reason = " ".join(str(error).split())
    return LaunchError(f"The {where} cannot be started: {reason}")


def _fabric() -> type[Fabric]:
    """Lightning Fabric's class, without what it does not need.

    Fabric imports torchmetrics to see its version, and torchmetrics imports scipy, torchvision and
    transformers where they are installed: seconds in every process. None in `sys.modules` makes an import
    fail, as if the package were not installed.
    """
    hidden = "torchmetrics" not in sys.modules
    if hidden:
        sys.modules["torchmetrics"] = cast(ModuleType, None)
    try:
        from lightning_fabric import Fabric
    finally:
        if hidden:
            del sys.modules["torchmetrics"]
    return Fabric
