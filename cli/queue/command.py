"""`brushwork queue`: run a workflow for many pictures on one or several ComfyUI servers."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from ...base.excerpt import excerpt
from ...base.pairs import PAIRS
from ..extras import require
from ..parser import Number
from ..workflow.settings import add_workflow_arguments
from .request import DEFAULT_SERVER, QueueRequest


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "queue",
        description=(
            "Run a workflow that was exported from ComfyUI with Export (API) once per picture, or per photo "
            "and painting, on one or several ComfyUI servers. Run it again to go on: pictures that are there "
            "already are skipped."
        ),
    )
    add = parser.add_argument
    # What to paint.
    add_workflow_arguments(parser)
    add("--content", nargs="+", required=True, metavar="DIR_OR_GLOB", help="the photos")
    add("--style", nargs="+", metavar="DIR_OR_GLOB", help="the paintings (default: the workflow's own)")
    add("--pairs", choices=PAIRS, default=QueueRequest.pairs, help="each with each (default), or in pairs")
    # Where to paint, and where the results go.
    add(
        "--server",
        action="append",
        dest="servers",
        metavar="URL",
        help=f"may be given more than once (default: {DEFAULT_SERVER})",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    # Which nodes get the pictures.
    add("--content-node", metavar="NODE", help="the node that loads the photo, if that is not clear")
    add("--style-node", metavar="NODE", help="the node that loads the painting, if that is not clear")
    _add_limits(parser)
    add("--overwrite", action="store_true", help="paint pictures again that are there already")
    parser.set_defaults(func=run)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--retries",
        type=Number(0, whole=True),
        default=QueueRequest.retries,
        metavar="N",
        help="for a picture whose server died or gave a bad answer (default: %(default)g)",
    )
    add(
        "--patience",
        type=Number(0),
        default=QueueRequest.patience,
        metavar="SECONDS",
        help="how long to wait when no server answers (default: %(default)g)",
    )
    add(
        "--transfer-timeout",
        type=Number(0),
        default=QueueRequest.transfer_timeout,
        metavar="SECONDS",
        help="how long one upload or download may take (default: %(default)g)",
    )
    add(
        "--max-download-size",
        type=_megabytes,
        default=QueueRequest.max_download_size,
        metavar="MB",
        help="a larger result is not fetched (default: %(default)g)",
    )


def _megabytes(text: str) -> float:
    try:
        number: float = Number(0)(text)
    except argparse.ArgumentTypeError:
        number = 0.0
    if not number:
        raise argparse.ArgumentTypeError(f"is {excerpt(text) or 'empty'}; give a number of MB above 0.")
    return number


def request_from(args: argparse.Namespace) -> QueueRequest:
    """What was asked for, typed."""
    values = {each.name: vars(args)[each.name] for each in fields(QueueRequest)} | {
        "content": tuple(args.content),
        "style": tuple(args.style or ()),
        "settings": tuple(args.settings),
        "servers": tuple(args.servers or (DEFAULT_SERVER,)),
    }
    return QueueRequest(**values)


def run(args: argparse.Namespace) -> int:
    """Paint all pictures; 0 if all came out, 1 if some failed, 130 if Ctrl-C stopped it.

    Raises CommandError, one sentence, when it cannot start or go on.
    """
    require(("httpx", "rich", "websockets"), "queue", "the queue needs")
    from .run import paint

    return paint(request_from(args))
