"""A network's file: header, tensors and style space, read into a network and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from ..base.counts import counted
from ..base.excerpt import excerpt
from .checkpoint import CheckpointError, open_checkpoint, write_checkpoint
from .config import StyleGANConfig, check_shapes, config_in, decisive_shapes, record_in
from .style_space import StyleSpace
from .unfilled import Unfilled

if TYPE_CHECKING:
    from .style_gan import StyleGAN

# The names of the style space's tensors in a checkpoint begin with this.
_SPACE = "style_space."


def read_network(path: str | os.PathLike[str], make: Callable[[StyleGANConfig], StyleGAN]) -> StyleGAN:
    """The network in a file, built by `make`: on the CPU, in eval mode, its parameters frozen.

    Raises CheckpointError, one sentence, if the file is not a whole Brushwork checkpoint.
    """
    # The header says how large the network is, and which tensors there are.
    with open_checkpoint(path) as file:
        config = config_in(file)
        shapes = {key: facts.shape for key, facts in file.facts.items()}
        weights = {key: shape for key, shape in shapes.items() if not key.startswith(_SPACE)}
        # Check them as far as possible before memory is taken for a network.
        check_shapes(file.name, decisive_shapes(config), weights)
        with Unfilled():
            gan = make(config)
        own = {key: tuple(tensor.shape) for key, tensor in gan.state_dict().items()}
        described = file.header.get("style_space")
        surplus = sorted(weights.keys() - own.keys())
        surplus += sorted(shapes.keys() - weights.keys()) if described is None else []
        if surplus:
            raise CheckpointError(
                f"{file.name} has {counted(len(surplus), 'tensor')} too many, '{excerpt(surplus[0])}' first."
            )
        check_shapes(file.name, own, weights)
        space_shapes = {k.removeprefix(_SPACE): v for k, v in shapes.items() if k.startswith(_SPACE)}
        size = config.layers * config.code_dim
        if described is not None and not StyleSpace.fits(described, space_shapes, size):
            raise CheckpointError(f"{file.name} is damaged: its style distribution does not fit the network.")
        gan.training_record = record_in(file)
        tensors = file.tensors()

    # Only now the weights and the style space have been read.
    gan.load_state_dict({key: tensors[key] for key in own})
    if described is not None:
        space = {name: tensors[_SPACE + name] for name in space_shapes}
        gan.space = StyleSpace.read(space, described)
        if gan.space is None:
            raise CheckpointError(f"{file.name} is damaged: its style distribution does not fit the network.")
    gan.eval().requires_grad_(False)
    if not _paints(gan):
        raise CheckpointError(f"{file.name} is damaged: what it paints is not finite.")
    return gan


def write_network(
    gan: StyleGAN, path: str | os.PathLike[str], extra: Mapping[str, Any], dtype: torch.dtype
) -> None:
    """Write a network to one safetensors file, whole or not at all, with `extra` entries in its header."""
    tensors = dict(gan.state_dict())
    header: dict[str, Any] = {"config": asdict(gan.config), "training": gan.training_record}
    if gan.space is not None:
        tensors |= {f"{_SPACE}{name}": tensor for name, tensor in gan.space.tensors().items()}
        header["style_space"] = gan.space.record()
    write_checkpoint(path, tensors, {**header, **extra}, dtype)


@torch.inference_mode()
def _paints(gan: StyleGAN) -> bool:
    """Whether a small picture comes out finite: products of weights overflow where the weights do not."""
    weight = next(gan.parameters())  # whatever the default type and device are
    ramp = torch.linspace(0, 1, 32, dtype=weight.dtype, device=weight.device)
    picture = torch.stack([ramp.expand(32, 32), ramp[:, None].expand(32, 32), ramp.flip(0).expand(32, 32)])
    try:
        return bool(torch.isfinite(gan.stylize(picture[None], picture[None])).all())
    except ValueError:  # a style code that is not finite
        return False
