"""Feature extractors: the numbers by which FID and KID compare sets of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from ...base.settings import check_choice
from ..normalization import wide
from .fetched_weights import INCEPTION
from .inception import InceptionNetwork
from .vgg import STYLE_LAYERS

# Mean activation of each layer over 120 paintings at 256 pixels: brings all layers to about 1.
_TYPICAL_ACTIVATION = {"relu1_1": 19.0, "relu2_1": 116.0, "relu3_1": 111.0, "relu4_1": 441.0}


class Extractor(Protocol):
    """Features [B,num_features] of a picture [B,3,H,W] in 0..1.

    `seen` is what the loss network makes of the same picture: the losses need it anyway.
    `description` says in the report what the features are.
    """

    name: str
    description: str
    num_features: int

    def __call__(self, picture: Tensor, seen: dict[str, Tensor]) -> Tensor: ...


class VggFeatures:
    """Square roots of the channel means of relu1_1, relu2_1, relu3_1 and relu4_1.

    All four layers, because style is palette and grain as well as shapes. Each is divided by its
    typical activation and scaled so that every layer counts alike, however many channels it has. The
    root, because means of rectified features are skewed: without it, the few busiest pictures dominate KID's
    third powers (docs/history.md).
    """

    name = "vgg19"
    description = (
        "VGG-19, square roots of the channel means of relu1_1 to relu4_1 (960 numbers); "
        "not comparable with numbers from Inception-v3"
    )
    num_features = 960

    def __init__(self, device: torch.device):
        """There is nothing to load: the loss network has seen the picture already."""

    def __call__(self, picture: Tensor, seen: dict[str, Tensor]) -> Tensor:
        means = {name: wide(seen[name]).mean((2, 3)) / _TYPICAL_ACTIVATION[name] for name in STYLE_LAYERS}
        alike = self.num_features / len(means)
        return torch.cat([m.sqrt() * (alike / m.shape[1]) ** 0.5 for m in means.values()], 1)


class InceptionFeatures:
    """The 2048 pooled features of Inception-v3."""

    name = "inception"

    def __init__(self, device: torch.device):
        """Raises ValueError, one sentence, if the weights are not on this machine or cannot be used."""
        weights = INCEPTION.find()
        if weights is None:
            raise ValueError(
                f"{INCEPTION.how_to_get} Or choose the features vgg19, which ship with Brushwork."
            )
        self.network = InceptionNetwork(weights).to(device)
        self.num_features = self.network.num_features
        origin = (
            "FID's own weights"
            if self.network.is_fid_network
            else "torchvision's weights; not comparable with published numbers"
        )
        self.description = f"Inception-v3, 2048 pooled features, {origin} ({weights.name})"

    def __call__(self, picture: Tensor, seen: dict[str, Tensor]) -> Tensor:
        features: Tensor = self.network(picture)
        return features


EXTRACTORS: dict[str, Callable[[torch.device], Extractor]] = {
    "vgg19": VggFeatures,
    "inception": InceptionFeatures,
}


def build_extractor(name: str, device: torch.device) -> Extractor:
    """The extractor `name`; 'auto' is Inception-v3 when its weights are on this machine, else VGG-19.

    Raises ValueError, one sentence, for another name or weights that are not there.
    """
    check_choice("features", name, FEATURES)
    if name == "auto":
        name = "vgg19" if INCEPTION.find() is None else "inception"
    return EXTRACTORS[name](device)


FEATURES = ("auto", "vgg19", "inception")
