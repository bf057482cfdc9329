"""The parser of the command line: what is wrong with the arguments is one sentence like other errors."""

from __future__ import annotations

import argparse
import difflib
import math
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..base.excerpt import excerpt, hide_secrets
from ..base.folders import means_folder
from .errors import CommandError

# Of what is said of arguments that are wrong: with all choices that there are, some hundred letters.
_LONGEST_ERROR = 600

# How much of a value is repeated.
_LONGEST_VALUE = 80

# What argparse says, and how it is said here; NAME is the argument.
_SENTENCES = (
    (r"expected (?:one|1) argument", "has no value; give one after it."),
    (r"expected at least one argument", "has no value; give one or more after it."),
    (r"expected (\d+) arguments", r"needs \1 values; give them after it."),
    (r"ignored explicit argument (.*)", r"takes no value; leave \1 out."),
)


@dataclass(frozen=True)
class Number:
    """The type of an option that is a number from `low` to `high`, ends included; `whole` or any.

    >>> Number(0, 1)("0.5")
    0.5
    """

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    def __call__(self, text: str) -> Any:  # noqa: ANN401  # int or float
        """Raises argparse.ArgumentTypeError with what follows the option's name in a sentence."""
        try:
            number = int(text) if self.whole else float(text)
        except ValueError:
            number = math.nan
        # Not `math.isfinite`: it refuses whole numbers that are too large for a float.
        if not (self.low <= number <= self.high and -math.inf < number < math.inf):
            shown = excerpt(text, _LONGEST_VALUE) or "empty"
            raise argparse.ArgumentTypeError(f"is {shown}; give {self.meant}.")
        return number

    @property
    def meant(self) -> str:
        """The numbers in words, such as 'a whole number from 1 to 8'."""
        kind = "a whole number" if self.whole else "a number"
        if self.high < math.inf:
            return f"{kind} from {_shown(self.low)} to {_shown(self.high)}"
        return kind if self.low == -math.inf else f"{kind} of {_shown(self.low)} or more"


def _shown(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def number_of(default: object, metadata: Mapping[str, Any]) -> Number:
    """The type of the option for a field that `option` made: its own range and kind."""
    low, high = metadata.get("low"), metadata.get("high")
    return Number(
        -math.inf if low is None else low, math.inf if high is None else high, isinstance(default, int)
    )


def _path(text: str) -> Path:
    # An empty one, as from a variable that is not set, would be the current folder.
    if not text:
        raise argparse.ArgumentTypeError("is empty; give a name.")
    if "\0" in text:
        raise argparse.ArgumentTypeError("has a zero byte, which no path has; give another name.")
    return Path(text)


def file_path(text: str) -> Path:
    """The type of an option that names a file to write.

    Raises argparse.ArgumentTypeError also for a folder, as 'report/' is: as a Path it has no slash any more.
    """
    path = _path(text)
    if means_folder(text):
        shown = excerpt(text, _LONGEST_VALUE)
        raise argparse.ArgumentTypeError(f"is {shown}, which means a folder; name a file.")
    return path


@dataclass(frozen=True)
class Place:
    """A path to write to, and whether it was typed as a folder, such as 'x.png/'."""

    path: Path
    is_folder: bool


def place(text: str) -> Place:
    """The type of an option that names a file or a folder. Raises argparse.ArgumentTypeError."""
    return Place(_path(text), means_folder(text))


def did_you_mean(word: str, known: Collection[str], otherwise: str) -> str:
    """The end of a sentence on a `word` that is not `known`: the one most like it, or `otherwise`.

    >>> did_you_mean("--stength", ["--style", "--strength"], "--help lists all")
    'did you mean --strength?'
    """
    # Hyphens at the beginning make all options alike.
    bare = {each.lstrip("-"): each for each in known}
    close = difflib.get_close_matches(word.lstrip("-"), bare, n=1)
    return f"did you mean {bare[close[0]]}?" if close else f"{otherwise}."


class Parser(argparse.ArgumentParser):
    """A parser whose errors are CommandErrors of one sentence, and in which every path has a name.

    They repeat no password of an address that was mistyped, and no value of any length.
    """

    def __init__(self, *args: Any, **more: Any):  # noqa: ANN401  # those of argparse
        super().__init__(*args, **more)
        self.register("type", Path, _path)
        self.register("type", int, Number(whole=True))
        self.register("type", float, Number())

    def error(self, message: str) -> NoReturn:
        raise CommandError(excerpt(hide_secrets(self._sentence(message)), _LONGEST_ERROR))

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401
        """A misspelt option is told before what is missing, which may be what it stands for."""
        for word in args or ():
            if word == "--" or (self._subparsers is not None and not word.startswith("-")):
                break
            name = word.partition("=")[0]
            known = self._option_string_actions
            if name.startswith("--") and " " not in word and not any(each.startswith(name) for each in known):
                self._refuse(word)
        found, left = super().parse_known_args(args, namespace)
        if left and self._subparsers is None:
            self._refuse(left[0])
        return found, left

    def _refuse(self, word: str) -> NoReturn:
        """Refuse an option that there is not, or an argument too many."""
        if word.startswith("-") and os.path.lexists(word):
            shown = excerpt(word, _LONGEST_VALUE)
            self.error(f"{shown} begins like an option; write ./{shown} for the file of this name.")
        word = word.partition("=")[0] if word.startswith("-") else word
        if not word.startswith("-"):
            self.error(f"{word} is one argument too many; {self.prog} --help lists what there is.")
        known = [each for each in self._option_string_actions if each.startswith("--")]
        hint = did_you_mean(word, known, f"{self.prog} --help lists all")
        self.error(f"there is no option {excerpt(word, _LONGEST_VALUE)}; {hint}")

    def _sentence(self, message: str) -> str:
        """What argparse says, as a sentence that says what to do."""
        if found := re.fullmatch(r"the following arguments are required: (.*)", message, re.DOTALL):
            return self._missing(found[1].split(", "))
        if found := re.fullmatch(r"ambiguous option: (.*) could match (.*)", message, re.DOTALL):
            return f"{found[1]} may be {found[2]}; write the option in full."
        if not (found := re.fullmatch(r"argument ([^:]*): (.*)", message, re.DOTALL)):
            return message
        # As it is typed: argparse names an option with its short form, and a place with its metavar.
        name, said = found[1].split("/")[-1], found[2]
        if choice := re.fullmatch(r"invalid choice: (.*) \(choose from (.*)\)", said, re.DOTALL):
            return _choice(name, choice[1].strip("'"), [each.strip("'") for each in choice[2].split(", ")])
        for pattern, sentence in _SENTENCES:
            if match := re.fullmatch(pattern, said, re.DOTALL):
                return f"{name} {match.expand(sentence)}"
        return f"{name} {said}"

    def _missing(self, names: Sequence[str]) -> str:
        if self._subparsers is not None:
            return f"give a {names[0].lower()}; {self.prog} --help lists them."
        verb = "are" if len(names) > 1 else "is"
        return f"{' and '.join(names)} {verb} missing; {self.prog} --help says what to give."


def _choice(name: str, value: str, choices: Sequence[str]) -> str:
    is_there = bool(value) and os.path.lexists(value)
    value = excerpt(value, _LONGEST_VALUE)
    listed = f"choose one of {', '.join(choices)}"
    if name.startswith("-") and is_there:
        # As `--refine a.jpg`, where a.jpg is the photo.
        return f"{name} is {value}, which is a file or folder; name it first, or {listed}."
    if name.startswith("-"):
        return f"{name} is {value or 'empty'}; {listed}."
    # A command, or a step of one.
    return f"there is no {name.lower()} {value}; {did_you_mean(value, choices, listed)}"


def as_options(sentence: str, names: Iterable[str]) -> str:
    """A sentence that begins with one of the `names` of Python, with the option of that name in its place.

    >>> as_options("stroke_size is 9; give a value from 0.25 to 4.", ["stroke_size"])
    '--stroke-size is 9; give a value from 0.25 to 4.'
    """
    first = sentence.partition(" ")[0]
    return f"--{first.replace('_', '-')}{sentence[len(first) :]}" if first in names else sentence
