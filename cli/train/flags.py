"""Flags of `brushwork train` for everything in `TrainOptions`, made from its own list of fields."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import Field, asdict, fields
from pathlib import Path
from typing import Any

from ...training.options import MODES, LossWeights, TrainOptions

# For who has only a folder of paintings: starts from the shipped network and takes minutes.
DEFAULT_MODE = "fine_tune"

OPTIONS = [f for f in fields(TrainOptions) if f.name != "weights"]
WEIGHTS = [f.name for f in fields(LossWeights)]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each option; what is not given is None."""
    group = parser.add_argument_group("options of the run (defaults by mode: docs/training.md)")
    for option in OPTIONS:
        flag = "--" + option.name.replace("_", "-")
        text = f"{option.metadata['text']} {_defaults(option)}".replace("%", "%%")
        if isinstance(option.default, tuple):
            group.add_argument(flag, nargs=2, metavar=("MIN", "MAX"), help=text)
        else:
            group.add_argument(flag, metavar=_metavar(option), help=text)
    defaults = {mode: asdict(TrainOptions.for_mode(mode).weights) for mode in MODES}
    group.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="weight of a loss, may be repeated; "
        + "; ".join(f"{name}: {_by_mode({m: defaults[m][name] for m in MODES})}" for name in WEIGHTS),
    )


def _metavar(option: Field[Any]) -> str:
    if option.name == "mode":
        return "|".join(MODES)
    return {int: "N", float: "X", str: "KIND"}[type(option.default)]


def _defaults(option: Field[Any]) -> str:
    if option.name == "mode":
        return f"(default: {DEFAULT_MODE})"
    values = {mode: getattr(TrainOptions.for_mode(mode), option.name) for mode in MODES}
    return f"(default: {_by_mode(values)})"


def _by_mode(values: dict[str, Any]) -> str:
    if len(set(values.values())) == 1:
        return show(next(iter(values.values())))
    return ", ".join(f"{mode} {show(value)}" for mode, value in values.items())


def show(value: object) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, tuple):
        return " ".join(map(show, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def options_from(args: argparse.Namespace, state: Path | None = None) -> TrainOptions:
    """The options of a new run, or those of the run with the state file `state`, changed as `args` say.

    Raises ValueError, one sentence.
    """
    given = {option.name: getattr(args, option.name) for option in OPTIONS}
    changes = {
        option.name: _read("--" + option.name.replace("_", "-"), given[option.name], option.default)
        for option in OPTIONS
        if given[option.name] is not None
    }
    weights = dict(_read_weight(text) for text in args.weight)
    if state is None:
        return TrainOptions.for_mode(str(changes.pop("mode", DEFAULT_MODE)), weights, **changes)
    from ...training.runs.run import resume_options

    try:
        kept = asdict(resume_options(state, {}).weights)
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"The run in {state.parent} was begun with another version of Brushwork; begin a new one, "
            "with its network as --init."
        ) from error
    return resume_options(state, changes | {"weights": kept | weights})


def _read(flag: str, text: str | Sequence[str], like: object) -> object:
    """The value typed as `text`, of the type of `like`."""
    if isinstance(like, tuple):
        return tuple(_read(flag, part, like[0]) for part in text)
    if isinstance(like, str):
        return text
    kind, name = (int, "a whole number") if isinstance(like, int) else (float, "a number")
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{flag} is '{text}'; give {name}.") from error


def _read_weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in WEIGHTS:
        raise ValueError(f"--weight {text}: there is no loss '{name}'; choose one of {', '.join(WEIGHTS)}.")
    return name, _read(f"--weight {name}", value, 0.0)
