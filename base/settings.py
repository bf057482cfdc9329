"""Options: each field carries its explanation and its range, so that no list of them is written twice."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import field, fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeVar

from .counts import counted
from .excerpt import excerpt, value_excerpt

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

# `float` reads numbers from all of these, and nothing else computes with them.
_TEXTS = (str, bytes, bytearray)


def option(default: T, text: str, low: float | None = None, high: float | None = None) -> T:
    """A field with its explanation and the range of its values, ends included."""
    return field(default=default, metadata={"text": text, "low": low, "high": high})


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise ValueError, one sentence, unless `value` is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        shown = f"'{excerpt(value)}'" if isinstance(value, str) else value_excerpt(value)
        raise ValueError(f"{name} is {shown}; choose one of {', '.join(choices)}.")


def check_number(name: str, value: Any, low: float, high: float) -> None:  # noqa: ANN401  # whatever came
    """Raise ValueError, one sentence, unless `value` is a number from `low` to `high`, ends included."""
    try:
        fits = not isinstance(value, _TEXTS) and low <= float(value) <= high
    # RuntimeError: a tensor of several numbers, or without values; OverflowError: a very large whole number.
    except (TypeError, ValueError, RuntimeError, OverflowError, NotImplementedError):
        fits = False
    if not fits:
        shown = value_excerpt(value) if isinstance(value, _TEXTS) else excerpt(str(value))
        raise ValueError(f"{name} is {shown}; choose a value from {low:g} to {high:g}.")


def check_type(name: str, value: object, kind: type) -> None:
    """Raise ValueError, one sentence, unless `value` is a `kind`."""
    if not isinstance(value, kind):
        raise ValueError(f"{name} is of the type {type(value).__name__}; give a {kind.__name__}.")


def check_function(name: str, value: object) -> None:
    """Raise ValueError, one sentence, unless `value` can be called or is None."""
    if value is not None and not callable(value):
        raise ValueError(f"{name} is of the type {type(value).__name__}; give a function, or None.")


def is_whole(value: object) -> bool:
    """Whether it is a whole number, of Python or NumPy; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def as_list(values: object, kind: type[T], name: str) -> list[T]:
    """`values` as a list of `kind`. Raises ValueError, one sentence, if they are something else."""
    if not isinstance(values, list | tuple):
        raise ValueError(f"{name} are of the type {type(values).__name__}; give a list of {kind.__name__}.")
    for value in values:
        if not isinstance(value, kind):
            raise ValueError(f"One of {name} is of the type {type(value).__name__}; give {kind.__name__}.")
    return list(values)


def as_floats(values: Iterable[Any]) -> list[float]:
    """Each of the `values` as a float; NaN for what is no number.

    Raises ValueError, one sentence, if they are not several values.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ValueError(f"weights are {value_excerpt(values)}; give a list of numbers.")
    found = []
    for value in _entries(values):
        try:
            found.append(math.nan if isinstance(value, _TEXTS) else float(value))
        except (TypeError, ValueError, OverflowError, RuntimeError):
            # RuntimeError: a tensor of several numbers.
            found.append(math.nan)
    return found


def scaled_weights(weights: Sequence[float], name: str = "weights") -> list[float]:
    """`weights`, all divided by one power of two so that their sum is finite: only their ratios count.

    Raises ValueError, one sentence, unless they are finite numbers of 0 or more, at least one above 0.

    >>> scaled_weights([1.0, 3.0])
    [0.25, 0.75]
    """
    if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
        shown = ", ".join(f"{weight:g}" for weight in weights)
        raise ValueError(f"{name} are {shown}; give numbers of 0 or more, at least one above 0.")
    _, exponent = math.frexp(max(weights))
    return [math.ldexp(weight, -exponent) for weight in weights]


def _entries(values: Iterable[Any]) -> list[Any]:
    try:
        return list(values)
    except (TypeError, RuntimeError, NotImplementedError) as error:
        # A tensor of no dimensions, without values, or sparse.
        raise ValueError("weights are a tensor that cannot be read; give a list of numbers.") from error


def check_ranges(options: DataclassInstance) -> None:
    """Raise ValueError, one sentence, unless every number of the dataclass `options` is one in its range.

    Numbers of NumPy, which other nodes may give, become Python's own: JSON knows no others.
    """
    for each in fields(options):
        low, high = each.metadata.get("low"), each.metadata.get("high")
        if low is None:
            continue
        given, default = getattr(options, each.name), each.default
        values, defaults = (v if isinstance(v, tuple) else (v,) for v in (given, default))
        if len(values) != len(defaults):
            wanted = counted(len(defaults), "number")
            raise ValueError(f"{each.name} is {value_excerpt(given)}; give {wanted}.")
        own = []
        for value, usual in zip(values, defaults, strict=True):
            kind, text = (Integral, "whole number") if isinstance(usual, int) else (Real, "number")
            if isinstance(value, bool) or not isinstance(value, kind):
                raise ValueError(f"{each.name} is {value_excerpt(value)}; give a {text}.")
            # Not `math.isfinite`: it refuses whole numbers that are too large for a float.
            number: Any = value
            if not (-math.inf < number < math.inf and low <= number <= high):
                raise ValueError(
                    f"{each.name} is {excerpt(str(value))}; give a value from {low:g} to {high:g}."
                )
            own.append(own_number(number))
        object.__setattr__(options, each.name, tuple(own) if isinstance(given, tuple) else own[0])


def own_number(number: Any) -> int | float:  # noqa: ANN401  # a number of any package
    """Python's own int or float of the same value.

    >>> from fractions import Fraction
    >>> own_number(Fraction(1, 4)), own_number(3)
    (0.25, 3)
    """
    if type(number) in (int, float):
        kept: int | float = number
        return kept
    return int(number) if isinstance(number, Integral) else float(number)
