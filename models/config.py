"""The config of a network, and whether a checkpoint's header and tensors fit it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..base.counts import counted
from .checkpoint import CheckpointError, CheckpointFile
from .coded_colors import COLOR_NUMBERS
from .tensor_file import shape_text

# No config in a checkpoint may ask for more channels, numbers or blocks than this.
LARGEST_WIDTH = 1024


@dataclass(frozen=True)
class StyleGANConfig:
    """Widths and depths of the networks; stored in every checkpoint's header."""

    fine_channels: int = 80
    coarse_channels: int = 96
    code_dim: int = 192
    coarse_blocks: int = 5
    fine_blocks: int = 3
    mapping_hidden: int = 128
    wide_channels: int = 128
    wide_blocks: int = 2
    """At 1/32 and again at 1/16."""
    kernels: int = 4
    wide_kernels: int = 3
    covariance_channels: int = 32
    covariance_hidden: int = 512
    color_numbers: int = 0
    """What a style code says about the painting's colours: `COLOR_NUMBERS`, or nothing."""

    @property
    def levels(self) -> tuple[int, ...]:
        """How many of the L layers work at 1/32, 1/16, 1/8 and 1/4, entries and the palette included."""
        return self.wide_blocks + 1, self.wide_blocks + 1, self.coarse_blocks + 1, self.fine_blocks + 2

    @property
    def layers(self) -> int:
        """L, the number of modulated layers."""
        return sum(self.levels)

    @property
    def structure_layers(self) -> int:
        """How many of the L layers decide shapes, strokes and grain. The last one, the palette, does not."""
        return self.layers - 1


def config_in(file: CheckpointFile) -> StyleGANConfig:
    """The config in the header. Raises CheckpointError, one sentence, if it has none that can be used."""
    config = file.header.get("config")
    try:
        found = StyleGANConfig(**config) if isinstance(config, dict) else None
    except TypeError:  # a name that is unknown
        found = None
    if found is None or not all(_usable(name, value) for name, value in asdict(found).items()):
        raise CheckpointError(f"{file.name} is damaged: its header has no usable network config.")
    return found


def _usable(name: str, value: object) -> bool:
    if type(value) is not int:
        return False
    return value in (0, COLOR_NUMBERS) if name == "color_numbers" else 1 <= value <= LARGEST_WIDTH


def record_in(file: CheckpointFile) -> dict[str, Any]:
    """The training record in the header. Raises CheckpointError unless its name and licence are texts."""
    record = file.header.get("training", {})
    if not isinstance(record, dict):
        raise CheckpointError(f"{file.name} is damaged: its training record is no object.")
    for key in ("name", "licence"):
        if not isinstance(record.get(key, ""), str | None):
            raise CheckpointError(f"{file.name} is damaged: the {key} in its training record is no text.")
    return record


def decisive_shapes(config: StyleGANConfig) -> dict[str, tuple[int, ...]]:
    """The shapes that show all numbers of the config.

    They are known before a network is built, so that a wrong config does not take gigabytes first.
    """
    c = config
    covariances = 3 * c.covariance_channels * (c.covariance_channels + 1) // 2
    return {
        "content_encoder.down8.weight": (c.coarse_channels, c.fine_channels, 3, 3),
        "generator.coarse_entry.affine.weight": (2 * c.coarse_channels, c.code_dim),
        f"generator.widest_blocks.{c.wide_blocks - 1}.conv1.weight": _kernels(
            c.wide_kernels, c.wide_channels
        ),
        f"generator.coarse_blocks.{c.coarse_blocks - 1}.conv1.weight": _kernels(c.kernels, c.coarse_channels),
        f"generator.fine_blocks.{c.fine_blocks - 1}.conv1.weight": _kernels(c.kernels, c.fine_channels),
        "style_encoder.mapping.0.bias": (c.mapping_hidden,),
        "style_encoder.covariance_mapping.0.weight": (
            c.covariance_hidden,
            2 * (c.fine_channels + 2 * c.coarse_channels) + covariances,
        ),
    }


def _kernels(count: int, channels: int) -> tuple[int, ...]:
    return count * channels, channels, 3, 3


def check_shapes(name: str, expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> None:
    """Raise CheckpointError, one sentence, if a tensor of the file `name` is missing or of another shape."""
    if missing := sorted(expected.keys() - found.keys()):
        lacking = counted(len(missing), "tensor")
        raise CheckpointError(f"{name} lacks {lacking} of the network, '{missing[0]}' first.")
    for key, shape in expected.items():
        if found[key] != shape:
            raise CheckpointError(
                f"{name} does not fit its own config: '{key}' is {shape_text(found[key])}, not {shape}."
            )
