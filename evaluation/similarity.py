"""How alike a painted picture and its photo are: SSIM and LPIPS, by torchmetrics."""

from __future__ import annotations

import torch
from torch import Tensor

from ..models.devices import in_float64
from ..models.perception.fetched_weights import LPIPS_BACKBONE, read_state_dict
from ..pictures.color import luma

WINDOW = 11
# Rows of windows that are compared at once.
STRIP = 64


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity of the luma of pictures [B,3,H,W] in 0..1: [B] float64; 1 for equal pictures.

    Wang et al. 2004: an 11x11 Gaussian window of deviation 1.5, at every place where it lies inside the
    picture. It computes in float64, because the variances cancel on flat areas.

    Raises ValueError, one sentence, for pictures of unlike size or with a side below 11 pixels.
    """
    if a.shape != b.shape or min(a.shape[-2:]) < WINDOW:
        raise ValueError(
            f"SSIM compares pictures of one size, {WINDOW} pixels or more a side; "
            f"these are {tuple(a.shape)} and {tuple(b.shape)}."
        )
    x, y = (luma(in_float64(picture)) for picture in (a, b))
    # In strips that overlap by the window: in float64 PyTorch lays out all windows side by side, which takes
    # more than a gigabyte for a picture of 512 pixels (docs/history.md).
    rows = a.shape[-2] - WINDOW + 1
    strips = [slice(top, min(top + STRIP, rows) + WINDOW - 1) for top in range(0, rows, STRIP)]
    sums = [_ssim_map(x[:, :, strip], y[:, :, strip]).sum((1, 2, 3)) for strip in strips]
    return torch.stack(sums).sum(0) / (rows * (a.shape[-1] - WINDOW + 1))


def _ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """SSIM at every place where the window lies inside the pictures: [B,1,H,W] -> [B,1,H-10,W-10]."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    # The map and not the mean: some versions of torchmetrics count the mirrored borders in the mean.
    _, everywhere = structural_similarity_index_measure(x, y, data_range=1.0, return_full_image=True)
    border = WINDOW // 2
    return everywhere[..., border:-border, border:-border]


class Lpips:
    """Perceptual distance (Zhang et al. 2018) through AlexNet; 0 for equal pictures."""

    def __init__(self, device: torch.device):
        """Raises ValueError, one sentence, if AlexNet's weights are not on this machine."""
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        path = LPIPS_BACKBONE.find()
        if path is None:
            raise ValueError(LPIPS_BACKBONE.how_to_get)
        # torchvision reads the file next and would unpickle anything; this reads tensors or fails.
        read_state_dict(path)
        try:
            self._metric = LearnedPerceptualImagePatchSimilarity("alex", normalize=True).to(device)
        except RuntimeError as error:
            raise ValueError(f"{path} does not hold the weights of AlexNet; delete it.") from error

    def __call__(self, a: Tensor, b: Tensor) -> float:
        """a, b [B,3,H,W] in 0..1: the mean over the batch."""
        return float(self._metric(a, b))
