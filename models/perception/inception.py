"""Inception-v3 as a feature extractor, with FID's own weights of 2015 or torchvision's."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .fetched_weights import read_state_dict

# Classes that FID's network tells apart; torchvision's tells 1000.
_FID_CLASSES = 1008
_SIDE = 299


class InceptionNetwork(nn.Module):
    """image [B,3,H,W], RGB in 0..1 -> pooled features [B,2048].

    The picture is resized to 299x299, bilinear with antialiasing as torchmetrics does it. With FID's
    weights, the pooling is that of their TensorFlow network: averages count only the inside of the
    map, and the last block takes maxima.
    """

    num_features = 2048

    def __init__(self, weights: Path):
        """Raises ValueError, one sentence, if `weights` are not those of an Inception-v3."""
        from torchvision.models import Inception3

        super().__init__()
        tensors = read_state_dict(weights)
        self.is_fid_network = len(tensors.get("fc.bias", ())) == _FID_CLASSES
        network = Inception3(aux_logits=False, transform_input=False, init_weights=False)
        network.fc = nn.Identity()
        try:
            network.load_state_dict(
                {k: v for k, v in tensors.items() if not k.startswith(("fc.", "AuxLogits."))}
            )
        except RuntimeError as error:
            raise ValueError(f"{weights} does not hold the weights of Inception-v3; delete it.") from error
        if self.is_fid_network:
            _pool_like_tensorflow(network)
        self.network = network.requires_grad_(False).eval()

    def forward(self, image: Tensor) -> Tensor:
        x = F.interpolate(image * 255, (_SIDE, _SIDE), mode="bilinear", align_corners=False, antialias=True)
        features: Tensor = self.network((x - 128) / 128)
        return features


class _InsideAverage(nn.Module):
    """Corrects a 3x3 average that counted zeros beyond the border."""

    def forward(self, pooled: Tensor) -> Tensor:
        inside = F.avg_pool2d(torch.ones_like(pooled[:1, :1]), 3, stride=1, padding=1)
        return pooled / inside


class _MaxBranch(nn.Module):
    """A block whose pooling branch, the last of its channels, takes maxima instead of averages."""

    def __init__(self, block: nn.Module):
        super().__init__()
        self.block = block
        self.pooling = block.get_submodule("branch_pool")

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pooling(F.max_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([self.block(x)[:, : -pooled.shape[1]], pooled], 1)


def _pool_like_tensorflow(network: nn.Module) -> None:
    network.Mixed_7c = _MaxBranch(network.get_submodule("Mixed_7c"))
    for block in network.children():
        # The reducing blocks 6a and 7a have a pooling branch without a convolution.
        if hasattr(block, "branch_pool"):
            block.branch_pool = nn.Sequential(_InsideAverage(), block.get_submodule("branch_pool"))
