"""`brushwork`: finds a command by its name. Each command is a module that adds its own parser."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..base.system_errors import system_sentence
from ..base.version import version
from .errors import CommandError
from .parser import Parser
from .pixel_limit import MEGAPIXELS, pixel_limit
from .terminal import complain, endings_as_ctrl_c, unfailing_output


@dataclass(frozen=True)
class Command:
    """A command's module, below this package, and one line on what it does."""

    module: str
    summary: str


# A module is imported only when its command is named: some import PyTorch, which takes seconds.
COMMANDS = {
    "paint": Command("paint.command", "paint photos in the style of paintings"),
    "render": Command("render", "run a workflow and save its pictures"),
    "queue": Command("queue.command", "run a workflow for many pictures on ComfyUI servers"),
    "styles": Command("styles", "list the styles of the library"),
    "dataset": Command("dataset", "look a folder of pictures over before training on it"),
    "train": Command("train.command", "learn a style, fine-tune the network or train one from scratch"),
    "encode": Command("encode.command", "turn pictures into style files"),
    "evaluate": Command("evaluate", "score a network: FID, KID, losses, SSIM, LPIPS, diversity"),
    "judge": Command("judge", "compare two systems blind, by eye"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 done in part, 2 cannot go on, 130 stopped."""
    argv = sys.argv[1:] if argv is None else argv
    named = _named(argv)
    said = f"brushwork {named}" if named in COMMANDS else "brushwork"
    with unfailing_output(), endings_as_ctrl_c():
        try:
            # Some commands import PyTorch for their parsers.
            args = _parser(argv).parse_args(argv)
            run: Callable[[argparse.Namespace], int] = args.func
            _check_current_folder()
            with pixel_limit(getattr(args, MEGAPIXELS, None), has_option=MEGAPIXELS in args):
                return run(args)
        except CommandError as error:
            complain(f"{said}: {error}")
            return 2
        except KeyboardInterrupt:
            complain(f"{said}: stopped.")
            return 130
        except Exception as error:
            if isinstance(error, OSError) and not _ran_out_of_memory(error):
                complain(f"{said}: {system_sentence(error)}")
                return 2
            if not _ran_out_of_memory(error):
                raise
            complain(f"{said}: memory ran out; close other programs, or give less at once.")
            return 2


def _ran_out_of_memory(error: Exception) -> bool:
    """Whether it did; a command that needs no PyTorch does not import it to say so."""
    if "torch" not in sys.modules:
        return isinstance(error, MemoryError)
    from ..models.memory import is_out_of_memory

    return is_out_of_memory(error)


def _check_current_folder() -> None:
    """Raise CommandError in a folder that was deleted, in which no relative path means anything."""
    try:
        os.getcwd()
    except OSError as error:
        raise CommandError("the current folder is gone or closed; change to another one.") from error


def _named(argv: Sequence[str]) -> str | None:
    """The command in `argv`."""
    return next((word for word in argv if not word.startswith("-")), None)


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of all commands: the one that `argv` names with its options, the others with a summary."""
    parser = Parser(prog="brushwork", description="Paint photos in the style of artworks, without a canvas.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version()}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    named = _named(argv)
    for name, command in COMMANDS.items():
        if name == named:
            importlib.import_module(f".{command.module}", __package__).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=command.summary)
    return parser


if __name__ == "__main__":
    sys.exit(main())
