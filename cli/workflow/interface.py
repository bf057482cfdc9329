"""The inputs and outputs of a node class, read from the class, and whether a value fits."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from ...base.excerpt import enumeration, excerpt, json_excerpt, value_excerpt
from ..errors import CommandError

Value: TypeAlias = str | int | float | bool

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
# The type of a value, by the input's type; an input of any other type takes a connection.
_EXPECTED = {
    "INT": "a whole number",
    "FLOAT": "a finite number",
    "STRING": "a text",
    "BOOLEAN": "true or false",
    "COMBO": "one of its choices",
}


class NodeClass(Protocol):
    """The attributes of every node class, in both generations of ComfyUI's API."""

    RETURN_TYPES: Sequence[str]
    FUNCTION: str

    def INPUT_TYPES(self) -> Mapping[str, Any]:
        """Types and options of the inputs, by group and name; a class method."""
        ...

    def __call__(self) -> object:
        """An instance; its method with the name in FUNCTION runs the node."""
        ...


@dataclass(frozen=True)
class InputSpec:
    """One input: its socket type, its options (default, min, max …), and its choices if it has any."""

    name: str
    type: str
    options: Mapping[str, Any]
    choices: tuple[Any, ...] | None
    required: bool

    @property
    def is_picture(self) -> bool:
        """Whether the value names a picture in the input folder."""
        return bool(self.options.get("image_upload"))

    def parse(self, text: str, where: str) -> Value:
        """`text` from the command line as a value of this input. Raises CommandError."""
        try:
            if self.type == "INT":
                return int(text)
            if self.type == "FLOAT":
                return float(text)
        except ValueError:
            raise CommandError(f"{where}: '{excerpt(text)}' is not a number.") from None
        if self.type == "BOOLEAN":
            if text.lower() not in _TRUE + _FALSE:
                raise CommandError(f"{where}: '{excerpt(text)}' is neither true nor false.")
            return text.lower() in _TRUE
        if self.type not in ("STRING", "COMBO"):
            raise CommandError(f"{where}: {self.name} takes a connection ({self.type}), not a value.")
        return text

    def check(self, value: object, where: str, in_range: bool) -> Value:
        """`value` in this input's type; with `in_range` also within min and max and among the choices.

        Raises CommandError.
        """
        fitting = self._fitting(value)
        if fitting is None:
            expected = _EXPECTED.get(self.type, f"a connection ({self.type})")
            raise CommandError(f"{where}: {self.name} is {json_excerpt(value)}; it must be {expected}.")
        if isinstance(fitting, str) and "\0" in fitting:
            raise CommandError(f"{where}: {self.name} is {value_excerpt(value)}; a text has no zero bytes.")
        if in_range:
            self._check_range(fitting, where)
        return fitting

    def _fitting(self, value: object) -> Value | None:
        """`value` in this input's type; None if it cannot be that."""
        if self.type == "BOOLEAN":
            return value if isinstance(value, bool) else None
        if self.type == "STRING":
            return value if isinstance(value, str) else None
        if self.type == "COMBO":
            kinds = str if self.is_picture else (str, int, float)
            return value if isinstance(value, kinds) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        if self.type == "INT":
            # Without a fraction; infinity and NaN have one.
            return int(value) if isinstance(value, int) or value.is_integer() else None
        if self.type != "FLOAT":
            return None
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None

    def _check_range(self, value: Value, where: str) -> None:
        if self.choices is not None and value not in self.choices:
            shown = excerpt(str(value))
            close = difflib.get_close_matches(shown, map(str, self.choices), n=1)
            choices = enumeration(self.choices) if self.choices else "none, the list is empty"
            advice = f"did you mean '{excerpt(close[0])}'?" if close else f"choose one of {choices}."
            raise CommandError(f"{where}: {self.name} is '{shown}'; {advice}")
        if self.type not in ("INT", "FLOAT") or isinstance(value, str):
            return
        low, high = self.options.get("min"), self.options.get("max")
        if low is not None and value < low:
            raise CommandError(f"{where}: {self.name} is {value_excerpt(value)}; it must be at least {low}.")
        if high is not None and value > high:
            raise CommandError(f"{where}: {self.name} is {value_excerpt(value)}; it must be at most {high}.")


@dataclass(frozen=True)
class NodeInterface:
    """The interface of a node class, the same for both generations of ComfyUI's API."""

    node_class: NodeClass
    inputs: Mapping[str, InputSpec]
    outputs: tuple[str, ...]
    is_output: bool
    hidden: Mapping[str, str] = field(default_factory=dict)
    validator: Callable[..., bool | str] | None = None

    @classmethod
    def from_class(cls, node_class: NodeClass) -> NodeInterface:
        """The interface that the class describes."""
        types = node_class.INPUT_TYPES()
        inputs = read_inputs(types)
        # Every class of the newer API has validate_inputs; the inherited one does nothing.
        name = "validate_inputs" if "validate_inputs" in vars(node_class) else "VALIDATE_INPUTS"
        return cls(
            node_class,
            inputs,
            tuple(node_class.RETURN_TYPES),
            bool(getattr(node_class, "OUTPUT_NODE", False)),
            # The newer API passes hidden values in another way, and Brushwork's nodes need none.
            {} if hasattr(node_class, "EXECUTE_NORMALIZED") else dict(types.get("hidden", {})),
            getattr(node_class, name, None),
        )

    @property
    def validated(self) -> frozenset[str]:
        """Inputs that the node's own validator checks, with their range, as in ComfyUI."""
        return frozenset(inspect.signature(self.validator).parameters) if self.validator else frozenset()

    def run(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], list[Mapping[str, str]]]:
        """Execute the node: its outputs, and the files it saved as ComfyUI describes them."""
        if hasattr(self.node_class, "EXECUTE_NORMALIZED"):
            output = self.node_class.EXECUTE_NORMALIZED(**values)
            return tuple(output.result or ()), _saved_files(output.ui or {})
        result = getattr(self.node_class(), self.node_class.FUNCTION)(**values)
        if isinstance(result, dict):
            return tuple(result.get("result", ())), _saved_files(result.get("ui", {}))
        return tuple(result), []


def _saved_files(ui: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return [*ui.get("images", []), *ui.get("styles", [])]


def read_inputs(types: Mapping[str, Any]) -> dict[str, InputSpec]:
    """The inputs in what a class's INPUT_TYPES returns, or in `input` of a server's /object_info.

    What has another form there, as packs and servers may send, becomes an input of an unknown type.
    """
    return {
        name: _input_spec(name, entry, group == "required")
        for group in ("required", "optional")
        if isinstance(types.get(group), Mapping)
        for name, entry in types[group].items()
    }


def _input_spec(name: str, entry: object, required: bool) -> InputSpec:
    if not isinstance(entry, (list, tuple)) or not entry:
        return InputSpec(name, "*", {}, None, required)
    kind, options = entry[0], entry[1] if len(entry) > 1 else {}
    if not isinstance(options, Mapping):
        options = {}
    if isinstance(kind, (list, tuple)):
        return InputSpec(name, "COMBO", options, tuple(kind), required)
    listed = options.get("options", ())
    choices = tuple(listed if isinstance(listed, (list, tuple)) else ()) if kind == "COMBO" else None
    return InputSpec(name, str(kind), options, choices, required)
