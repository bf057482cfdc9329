"""`--max-megapixels`: how large the pictures are that a command reads."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from ..pictures.limits import VARIABLE, max_pixels, raised_by
from .errors import CommandError

_OPTION = "--max-megapixels"

# What the parser calls the option's value.
MEGAPIXELS = "max_megapixels"


def add_pixel_limit(parser: argparse.ArgumentParser) -> None:
    """The option, for commands that decode pictures."""
    parser.add_argument(
        _OPTION,
        type=float,
        metavar="N",
        help="read pictures of up to N million pixels; large ones take much memory (default: "
        "BRUSHWORK_MAX_MEGAPIXELS, or 128)",
    )


@contextmanager
def pixel_limit(given: float | None, *, has_option: bool) -> Iterator[None]:
    """Set the limit to `given` million pixels, if given, in this process and those that it starts.

    Advice names the option if the command has it (`has_option`). Raises CommandError for a limit that is not
    above 0, also where the environment sets it.
    """
    before = os.environ.get(VARIABLE)
    if given is not None:
        if not 0 < given < float("inf"):
            raise CommandError(f"{_OPTION} is {given:g}; give millions of pixels, such as 400.")
        os.environ[VARIABLE] = str(given)
    try:
        _check()
        with raised_by(_OPTION) if has_option else nullcontext():
            yield
    finally:
        if given is not None:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before


def _check() -> None:
    try:
        max_pixels()
    except ValueError as error:
        raise CommandError(str(error)) from error
