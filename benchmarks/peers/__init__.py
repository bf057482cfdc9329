"""The systems that the benchmarks compare, behind one protocol."""

from .magenta import StyleTransferLite
from .microast import MicroAST
from .registry import (
    PEERS,
    SYSTEMS,
    add_device_argument,
    add_setup_arguments,
    build,
    build_available,
)
from .rlministyler import RLMiniStyler
from .stylegan import Brushwork, CompiledBrushwork, HalfBrushwork, RememberingBrushwork
from .system import CHECKOUTS, LeftOut, Setup, System
from .untouched import UntouchedContent
from .wct import WCT16x

__all__ = [
    "CHECKOUTS",
    "PEERS",
    "SYSTEMS",
    "Brushwork",
    "CompiledBrushwork",
    "HalfBrushwork",
    "LeftOut",
    "MicroAST",
    "RLMiniStyler",
    "RememberingBrushwork",
    "Setup",
    "StyleTransferLite",
    "System",
    "UntouchedContent",
    "WCT16x",
    "add_device_argument",
    "add_setup_arguments",
    "build",
    "build_available",
]
