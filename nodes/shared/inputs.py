"""Inputs that several nodes have, explained and checked in one place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import Field
from typing import Any, TypeVar, cast

from ...base.choices import PRESERVE_COLOR, STROKES
from ...base.seeds import LARGEST_SEED
from ...base.settings import check_choice
from ...models.codes import MIX_MODES
from ...painting.options import StylizeOptions
from ..bridge.api import io, new_input
from .sockets import Content, GanSocket, ManagedGAN, Style, StyleSocket

MAX_STYLES = 6

STROKES_WITHOUT_INPUT = "pixels"
"""What nodes paint in that have the input `strokes` later than their first version."""

# The nodes that make what travels through a socket.
_MAKERS: dict[type, str] = {
    ManagedGAN: "Load Style GAN",
    Content: "Encode Content",
    Style: "Load Style or Encode Style",
}

T = TypeVar("T")

_FOLDER = "a folder in ComfyUI's input folder, or a full path. Subfolders are included."


def network_input(what: str = "The network, from Load Style GAN.") -> io.Input:
    """The network that a node works with, which need not be connected; `what` is a sentence."""
    return GanSocket.Input(
        "style_gan",
        optional=True,
        tooltip=f"{what} Without a connection, the one that comes with Brushwork is used.",
    )


def connected(value: T | None, name: str) -> T:
    """`value`, the input `name` that is not optional. Raises ValueError for programs that leave it out."""
    if value is None:
        raise ValueError(f"Nothing is connected to {name}.")
    return value


def check_socket(value: object, name: str, kind: type) -> None:
    """Raise ValueError, one sentence, unless the value at the input `name` is of a `kind` in `_MAKERS`.

    Some nodes of other packs connect to every input.
    """
    if not isinstance(value, kind):
        raise ValueError(f"{name} is of the type {type(value).__name__}; connect what {_MAKERS[kind]} gives.")


def strength_input(source: str) -> io.Input:
    """How much of the style, from 0, the `source` ('photo', 'video'), to 1."""
    return io.Float.Input(
        "strength",
        default=StylizeOptions.strength,
        min=0.0,
        max=1.0,
        step=0.01,
        display_mode=io.NumberDisplay.slider,
        tooltip=f"How much of the style: 0 is the {source}, 1 the full style.",
    )


def preserve_color_input(source: str, picture: str) -> io.Input:
    """Which colours to paint in: those of the style, or in some way those of the `source`.

    `picture` gives the histogram: the photo, or each frame of a video.
    """
    return io.Combo.Input(
        "preserve_color",
        options=list(PRESERVE_COLOR),
        default=StylizeOptions.preserve_color,
        tooltip=(
            f"off: the painting's colours. luminance: the {source}'s colours under the painting's light and "
            f"dark. histogram: the painting, recoloured with {picture}'s palette."
        ),
    )


def strokes_seed_input(**more: Any) -> io.Input:  # noqa: ANN401
    """Which strokes to paint with; after all inputs from before it, so that saved workflows stay as they are.

    It is optional, because ComfyUI's server refuses prompts without a required input. No control changes it
    after a run: frontends up to 1.35 at least set a new control to "randomize" whatever the node says, and
    then every run would paint everything anew.
    """
    return new_input(
        io.Int,
        "seed",
        default=StylizeOptions.seed,
        min=0,
        max=LARGEST_SEED,
        control_after_generate=False,
        optional=True,
        tooltip=(
            "Which strokes: another seed paints the same motif with other strokes, the same seed the same "
            "picture again."
        ),
        **more,
    )


def strokes_input(source: str) -> io.Input:
    """What the strokes' size is measured by; the last input, and optional, as `strokes_seed_input` says.

    Programs and saved workflows without it paint as they did: in pixels.
    """
    return io.Combo.Input(
        "strokes",
        options=list(STROKES),
        default=STROKES_WITHOUT_INPUT,
        optional=True,
        tooltip=(
            f"pixels: strokes have one size in every {source}. proportion: they are larger in a large "
            f"{source}, as in Paint Photo."
        ),
    )


def style_inputs(first: str, second: str, others: str) -> list[io.Input]:
    """style_1 to style_6 with their tooltips; each may stay unconnected."""
    tooltips = {1: first, 2: second}
    return [
        StyleSocket.Input(f"style_{n}", optional=True, tooltip=tooltips.get(n, others))
        for n in range(1, MAX_STYLES + 1)
    ]


def connected_styles(given: Mapping[str, object]) -> dict[int, Style]:
    """The styles among the inputs `given`, by the numbers of their inputs.

    Raises ValueError, one sentence, if there is none.
    """
    # The name of an input says its type: style_N is a Style.
    styles = {n: cast(Style, given.get(f"style_{n}")) for n in range(1, MAX_STYLES + 1)}
    found = {n: style for n, style in styles.items() if style is not None}
    for n, style in found.items():
        check_socket(style, f"style_{n}", Style)
    if not found:
        raise ValueError("No style is connected; connect one from Load Style or Encode Style.")
    return found


def weight_inputs() -> list[io.Input]:
    """weight_1 to weight_6: how much of the style of that number."""
    return [
        io.Float.Input(
            f"weight_{n}",
            default=1.0,
            min=0.0,
            max=10.0,
            step=0.05,
            tooltip=f"How much of style_{n}, relative to the other weights; 0 leaves it out.",
        )
        for n in range(1, MAX_STYLES + 1)
    ]


def mix_mode_input(lerp: str) -> io.Input:
    """How to go from one style to another; `lerp` explains the straight way."""
    return io.Combo.Input(
        "mode",
        options=list(MIX_MODES),
        default=MIX_MODES[0],
        tooltip=(
            f"lerp: {lerp}, the calmest. slerp: along a curve that keeps the styles' strength, livelier "
            "between very different styles."
        ),
    )


def folder_input(name: str, before: str, after: str = "") -> io.Input:
    """A folder of pictures. Between the two texts, the tooltip says which folders the user may name."""
    text = f"{before}{_FOLDER}{after}"
    return io.String.Input(name, default="", tooltip=text[0].upper() + text[1:])


PICTURE_SOCKETS = {"paintings": "style_images", "photos": "content_images"}
"""The inputs of `picture_inputs` that take batches, by what they hold."""


def picture_inputs(styles: str, which: str, contents: str, why: str = ".") -> list[io.Input]:
    """Pictures to learn or to score from, each kind as a batch, as a folder or both.

    `styles` and `contents` say what the pictures are for, `which` says more about the styles, and `why`
    explains what replaces missing photos.
    """
    return [
        io.Image.Input(
            "style_images", optional=True, tooltip=f"{styles}, as a batch; can be combined with a folder."
        ),
        folder_input("style_folder", f"{styles}{which}: "),
        io.Image.Input(
            "content_images", optional=True, tooltip=f"{contents}, as a batch; can be combined with a folder."
        ),
        folder_input(
            "content_folder",
            f"{contents}: ",
            f" With neither, the six photos that ship with Brushwork{why}",
        ),
    ]


def option_input(option: Field[Any], note: str = "", **more: Any) -> io.Input:  # noqa: ANN401
    """The input for an `option` with text and range, under the option's name; `note` follows its text.

    `more` goes to ComfyUI's Int or Float input, without the fields that it does not know.
    """
    return new_input(
        io.Int if isinstance(option.default, int) else io.Float,
        option.name,
        default=option.default,
        min=option.metadata["low"],
        max=option.metadata["high"],
        tooltip=option.metadata["text"] + note,
        **more,
    )


def choice_input(option: Field[Any], choices: Collection[str], **more: Any) -> io.Input:  # noqa: ANN401
    """The input for an `option` with text and `choices`, under the option's name.

    `more` goes to ComfyUI's Combo input, without the fields that it does not know.
    """
    return new_input(
        io.Combo,
        option.name,
        options=list(choices),
        default=option.default,
        tooltip=option.metadata["text"],
        **more,
    )


def seed_input(option: Field[Any], **more: Any) -> io.Input:  # noqa: ANN401
    """A seed that stays as it is: if it changed by itself, every queueing would begin anew."""
    return option_input(option, control_after_generate=False, **more)


def check_known(name: str, value: str | None, choices: Collection[str]) -> None:
    """Raise ValueError, one sentence, unless `value` is one of `choices` or None (a link, not known yet)."""
    if value is not None:
        check_choice(name, value, choices)


def validation_result(*checks: Callable[[], object]) -> bool | str:
    """The answer of `validate_inputs`: True, or the sentence of the first check that raises ValueError.

    ComfyUI 0.3.64 itself does not check the choice of a combo.
    """
    try:
        for check in checks:
            check()
    except ValueError as error:
        return str(error)
    return True
