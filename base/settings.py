"""Options: each field carries its explanation and its range, so that no list of them is written twice."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import field, fields
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def option(default: T, text: str, low: float | None = None, high: float | None = None) -> T:
    """A field with its explanation and the range of its values, ends included."""
    return field(default=default, metadata={"text": text, "low": low, "high": high})


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise ValueError, one sentence, unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} is '{value}'; choose one of {', '.join(choices)}.")


def check_ranges(options: DataclassInstance) -> None:
    """Raise ValueError, one sentence, unless every field of the dataclass `options` is in its range."""
    for each in fields(options):
        low, high = each.metadata.get("low"), each.metadata.get("high")
        if low is None:
            continue
        values = getattr(options, each.name)
        for value in values if isinstance(values, tuple) else (values,):
            if not (math.isfinite(value) and low <= value <= high):
                raise ValueError(f"{each.name} is {value}; give a value from {low:g} to {high:g}.")
