"""The inputs of TrainStyle, made from the trainer's own options, and the user's choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from numbers import Real
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ...base.settings import check_choice, is_whole
from ...base.shipped import demo_photos
from ...training.options import ADVERSARIAL_LOSSES, DEFAULT_MODE, MODES, LossWeights, TrainOptions, sized
from ..bridge.api import io, new_input
from ..shared.folders import named_folder
from ..shared.images import to_pil
from ..shared.inputs import PICTURE_SOCKETS, network_input, option_input, picture_inputs, seed_input

if TYPE_CHECKING:
    from ...dataset.collection import PictureSet

SAVE_NAME = "my style"

_OPTIONS = {option.name: option for option in fields(TrainOptions)}
_WEIGHTS = {weight.name: weight for weight in fields(LossWeights)}
_DEFAULTS = {mode: TrainOptions.for_mode(mode) for mode in MODES}

# Inputs whose 0 means the mode's default, and their options.
_OF_MODE = {
    "steps": "steps",
    "batch_size": "batch_size",
    "resolution": "resolution",
    "learning_rate": "lr",
    "learning_rate_d": "lr_d",
}
# Inputs whose -1 means the mode's default, since a weight may be 0.
_WEIGHT_OF = {f"{name}_weight": name for name in ("adversarial", "content", "style", "identity", "code")}


def training_inputs() -> list[io.Input]:
    """All inputs of the node in their order; their ids never change."""
    return [
        network_input("The network to start from; from_scratch takes only its shape."),
        *picture_inputs(
            "Pictures of the style",
            ", 5 to 200 of one kind",
            "Photos to practise on",
            ": the style pictures themselves would only teach it to copy paintings.",
        ),
        io.Combo.Input(
            "mode", options=list(MODES), default=DEFAULT_MODE, tooltip=_OPTIONS["mode"].metadata["text"]
        ),
        _int_input("steps"),
        *(_int_input(name, advanced=True) for name in ("batch_size", "resolution")),
        *(_rate_input(name) for name in ("learning_rate", "learning_rate_d")),
        *(_weight_input(name) for name in _WEIGHT_OF),
        *_other_inputs(),
        *_saving_inputs(),
    ]


def chosen_options(mode: str, of_mode: Mapping[str, float], **changes: object) -> TrainOptions:
    """The options of `mode`, changed by the inputs in `of_mode` that do not mean the default.

    Raises ValueError, one sentence, for a value out of range.
    """
    check_choice("mode", mode, MODES)
    for name, option in _OF_MODE.items():
        value = of_mode.get(name, 0)
        if _means(value, 0):
            continue
        # Other sizes follow from a resolution; what is none, the options refuse.
        follow = name == "resolution" and is_whole(value)
        changes |= sized(mode, int(value)) if follow else {option: value}
    weights = {
        weight: of_mode[name] for name, weight in _WEIGHT_OF.items() if not _means(of_mode.get(name, -1), -1)
    }
    return TrainOptions.for_mode(mode, weights, **changes)


def _means(value: object, unset: int) -> bool:
    """Whether a value, which may be anything, is the number `unset`."""
    return isinstance(value, Real) and value == unset


def photos_from(folder: str, images: Tensor | None, share: float) -> PictureSet:
    """Like `pictures_from`; if nothing is given, the photos that ship with Brushwork."""
    from ...dataset.collection import collect

    if named_folder(folder) is None and images is None:
        return collect("photos", pictures=demo_photos(), share=share)
    return pictures_from("photos", folder, images, share)


def pictures_from(what: str, folder: str, images: Tensor | None, share: float) -> PictureSet:
    """The pictures in the folder that the user typed and in the IMAGE batch, split by `share`.

    Errors call them `what`.

    Raises ValueError, one sentence, if there is no such folder or no picture.
    """
    from ...dataset.collection import collect

    pictures = to_pil(images, f"The batch of {what}", PICTURE_SOCKETS[what])
    return collect(what, named_folder(folder), pictures, share)


def _other_inputs() -> list[io.Input]:
    return [
        new_input(
            io.Combo,
            "adversarial_loss",
            options=list(ADVERSARIAL_LOSSES),
            default=_OPTIONS["adversarial"].default,
            tooltip=_OPTIONS["adversarial"].metadata["text"] + " style_code has none.",
            advanced=True,
        ),
        seed_input(_OPTIONS["seed"], advanced=True),
        option_input(
            _OPTIONS["validation_share"],
            " With fewer than 4 pictures, all are used for training.",
            step=0.05,
            advanced=True,
        ),
    ]


def _saving_inputs() -> list[io.Input]:
    validations = _by_mode(_OPTIONS["validate_every"])
    return [
        io.String.Input(
            "save_name", default=SAVE_NAME, tooltip="The name of the network's and the style's files."
        ),
        io.Boolean.Input(
            "resume",
            default=True,
            label_on="continue",
            label_off="start over",
            tooltip=(
                "On: continues the run with this name, pictures and options, for instance after Cancel or a "
                "crash, or with more steps. Off, or if something else has this name: starts a new run with a "
                "number in its name, such as my style_2. Nothing is overwritten."
            ),
        ),
        new_input(
            io.Int,
            "preview_every",
            display_name="preview every (0: auto)",
            default=0,
            min=0,
            max=1_000_000,
            tooltip=f"Steps between two previews. 0 (auto): at every validation ({validations}).",
            advanced=True,
        ),
        new_input(
            io.String,
            "licence",
            default="",
            tooltip="What others may do with it, for instance CC0; goes into the files. May be empty.",
            advanced=True,
        ),
    ]


def _int_input(name: str, **more: Any) -> io.Input:  # noqa: ANN401
    option = _OPTIONS[_OF_MODE[name]]
    high, step = option.metadata["high"], 8 if name == "resolution" else 1
    return new_input(
        io.Int, name, default=0, min=0, max=high, step=step, **_automatic(name, option, 0), **more
    )


def _rate_input(name: str) -> io.Input:
    option = _OPTIONS[_OF_MODE[name]]
    more = _automatic(name, option, 0)
    high = option.metadata["high"]
    return new_input(io.Float, name, default=0.0, min=0.0, max=high, step=1e-5, advanced=True, **more)


def _weight_input(name: str) -> io.Input:
    weight = _WEIGHTS[_WEIGHT_OF[name]]
    more = _automatic(name, weight, -1)
    high = weight.metadata["high"]
    return new_input(io.Float, name, default=-1.0, min=-1.0, max=high, step=0.1, advanced=True, **more)


def _automatic(name: str, option: Field[Any], unset: int) -> dict[str, str]:
    """Label and tooltip of a number, whose widget cannot say that `unset` is automatic."""
    label = {"learning_rate_d": "discriminator rate"}.get(name, name.replace("_", " "))
    return {
        "display_name": f"{label} ({unset}: auto)",
        "tooltip": f"{option.metadata['text']} {unset} (auto): the mode's default ({_by_mode(option)}).",
    }


def _by_mode(option: Field[Any]) -> str:
    """The defaults of an option or a weight, such as 'style_code 4, fine_tune 4, from_scratch 8'."""
    owners = (
        _DEFAULTS if option is _OPTIONS.get(option.name) else {m: o.weights for m, o in _DEFAULTS.items()}
    )
    return ", ".join(f"{mode} {getattr(owner, option.name):g}" for mode, owner in owners.items())
