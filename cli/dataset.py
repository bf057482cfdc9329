"""`brushwork dataset`: look a folder of pictures over before training on it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.text_files import one_line
from .errors import CommandError, of_option
from .extras import require
from .parser import Number, file_path
from .pixel_limit import add_pixel_limit
from .results import SHEET_FORMATS, check_file, check_no_source, has_sheet_ending, written_first
from .terminal import progress_bar

if TYPE_CHECKING:
    from rich.console import Console

    from ..dataset.report import DatasetReport


DEFAULT_MIN_SIDE = 128


@dataclass(frozen=True)
class DatasetRequest:
    """The arguments of one `brushwork dataset`; None is what was not given."""

    folder: Path
    split: Path | None = None
    json: Path | None = None
    sheet: Path | None = None
    min_side: int = DEFAULT_MIN_SIDE
    """In pixels: pictures with a shorter side are called tiny."""

    def check(self) -> None:
        """Find errors before thousands of pictures are read. Raises CommandError."""
        if self.folder.is_file():
            raise CommandError(f"{self.folder} is a file; give the folder that holds the pictures.")
        if self.split is not None and not self.split.is_file():
            raise CommandError(f"--split {self.split}: there is no such file; name one that is there.")
        if self.min_side < 1:
            raise CommandError(f"--min-side is {self.min_side}; give 1 or more pixels.")
        if self.sheet is not None and not has_sheet_ending(self.sheet):
            raise CommandError(f"--sheet {self.sheet}: end it in one of {', '.join(SHEET_FORMATS)}.")
        check_no_source("--sheet", self.sheet, [self.folder])
        for option, path in (("--json", self.json), ("--sheet", self.sheet)):
            check_file(path, option)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "dataset",
        description="Look a folder of pictures over before training on it: sizes, copies and near-copies, "
        "damaged, tiny, blank and monochrome pictures, and the split into train, val and test. It changes "
        "nothing; the exit code is 0 whatever it finds.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the pictures; subfolders count")
    parser.add_argument("--split", type=Path, metavar="FILE", help="JSON that says what is train, val, test")
    # What is written, and what is reported.
    parser.add_argument("--json", type=file_path, metavar="FILE", help="write all findings as JSON")
    parser.add_argument(
        "--sheet",
        type=file_path,
        metavar="FILE",
        help=f"draw a contact sheet; pictures with warnings come first ({', '.join(SHEET_FORMATS)})",
    )
    parser.add_argument(
        "--min-side",
        type=Number(1, whole=True),
        default=DEFAULT_MIN_SIDE,
        metavar="N",
        help=f"call pictures with a shorter side under N pixels tiny (default: {DEFAULT_MIN_SIDE})",
    )
    add_pixel_limit(parser)
    parser.set_defaults(func=run)


def request_from(args: argparse.Namespace) -> DatasetRequest:
    """What was asked for, typed."""
    return DatasetRequest(**{each.name: vars(args)[each.name] for each in fields(DatasetRequest)})


def run(args: argparse.Namespace) -> int:
    """Print the report and write the files that `args` name; returns 0 whatever was found.

    Raises CommandError, one sentence, if there are no pictures or a file cannot be written.
    """
    return look_over(request_from(args))


def look_over(request: DatasetRequest) -> int:
    """Look the folder over; see `run`."""
    require(("rich",), "train", "this needs")
    from rich.console import Console

    from ..dataset.sheet import dataset_sheet

    request.check()
    try:
        report = _survey(request)
    except ValueError as error:
        raise CommandError(str(error)) from error
    with written_first() as files:
        if request.json is not None:
            files.json(request.json, report.as_dict())
        if request.sheet is not None:
            files.sheet(request.sheet, dataset_sheet(report))
        _print(report, Console())
    return 0


def _survey(request: DatasetRequest) -> DatasetReport:
    """The report, with the split that `brushwork train` would make."""
    from ..dataset.splits import SplitFileError
    from ..dataset.survey import survey

    with progress_bar("Looking") as show, of_option("--split", SplitFileError):
        return survey(request.folder, split_file=request.split, min_side=request.min_side, on_progress=show)


def _print(report: DatasetReport, console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ..dataset.report import LISTED

    # The figures as a table.
    table = Table(
        title=Text(one_line(report.name)), title_justify="left", show_header=False, box=box.SIMPLE_HEAD
    )
    for name, value in report.rows():
        table.add_row(Text(name, style="bold"), Text(one_line(value)))
    console.print(table)
    # What to put right or to know, each with the first of its files.
    for finding in report.findings():
        style = "bold yellow" if finding.level == "warning" else "bold cyan"
        console.print(Text.assemble((f"{finding.level}: ", style), one_line(finding.text)))
        for item in finding.items[:LISTED]:
            console.print(Text(one_line(f"  {item}")))
        if len(finding.items) > LISTED:
            console.print(Text(f"  … and {len(finding.items) - LISTED} more; --json has them all"))
    if not report.findings():
        console.print("No problems found.")
