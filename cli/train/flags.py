"""Flags of `brushwork train` for all `TrainOptions`, made from the list of its fields."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import Field, asdict, fields
from typing import Any

from ...training.options import DEFAULT_MODE, MODES, LossWeights, TrainOptions
from ..parser import did_you_mean, number_of
from .request import TrainRequest

OPTIONS = [f for f in fields(TrainOptions) if f.name != "weights"]
WEIGHTS = {f.name: f for f in fields(LossWeights)}

# What stands for the values of an option that has several: a range, or one for each size of a crop.
_PLACES = {2: ("MIN", "MAX"), 3: ("WHOLE", "HALF", "QUARTER")}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each option; an option that is not given is None."""
    group = parser.add_argument_group("options of the run (defaults by mode: docs/training.md)")
    for option in OPTIONS:
        flag = "--" + option.name.replace("_", "-")
        text = f"{option.metadata['text']} {_defaults(option)}".replace("%", "%%")
        if isinstance(option.default, tuple):
            group.add_argument(
                flag, nargs=len(option.default), metavar=_PLACES[len(option.default)], help=text
            )
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


def request_from(args: argparse.Namespace) -> TrainRequest:
    """The request in `args`, typed. Raises ValueError, one sentence, for a value that cannot be read."""
    changes = {}
    for option in OPTIONS:
        text = getattr(args, option.name)
        if text is not None:
            changes[option.name] = _read("--" + option.name.replace("_", "-"), text, option)
    given = {each.name: vars(args)[each.name] for each in fields(TrainRequest) if each.name in args}
    return TrainRequest(**given, changes=changes, weights=dict(map(_read_weight, args.weight)))


def _read(flag: str, text: str | Sequence[str], option: Field[Any]) -> object:
    """The value that `text` means, in the type of the option's default; several values if that is a tuple."""
    default: Any = option.default
    if isinstance(text, str):
        return text if isinstance(default, str) else _read_number(flag, text, option, default)
    return tuple(_read_number(flag, part, option, default[0]) for part in text)


def _read_number(flag: str, text: str, option: Field[Any], like: object) -> float:
    try:
        number: float = number_of(like, option.metadata)(text)
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"{flag} {error}") from error
    return number


def _read_weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in WEIGHTS:
        hint = did_you_mean(name, WEIGHTS, f"choose one of {', '.join(WEIGHTS)}")
        raise ValueError(f"--weight {text}: there is no loss '{name}'; {hint}")
    return name, _read_number(f"--weight {name}", value, WEIGHTS[name], 0.0)
