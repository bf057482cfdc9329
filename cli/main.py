"""`brushwork`: one subcommand per module, each of which adds its own parser."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import dataset, evaluate, judge, render
from .encode import command as encode
from .errors import CommandError
from .queue import command as queue
from .train import command as train


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code: 0 done, 1 done in part, 2 cannot go on, 130 stopped."""
    args = _parser().parse_args(argv)
    try:
        return args.func(args)
    except CommandError as error:
        print(f"brushwork {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"brushwork {args.command}: stopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="brushwork", description="Paint photos in the style of artworks, without a canvas."
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    render.add_parser(subparsers)
    queue.add_parser(subparsers)
    dataset.add_parser(subparsers)
    train.add_parser(subparsers)
    encode.add_parser(subparsers)
    evaluate.add_parser(subparsers)
    judge.add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
