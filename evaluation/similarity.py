"""How alike a painted picture and its photo are: SSIM and LPIPS, by torchmetrics."""

from __future__ import annotations

import torch
from torch import Tensor

from ..models.perception.fetched_weights import LPIPS_BACKBONE, read_state_dict

_BORDER = 5
_REC_601 = (0.299, 0.587, 0.114)


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity of the luma of two pictures [1,3,H,W] in 0..1; 1 for equal pictures.

    11x11 Gaussian window of deviation 1.5, as in Wang et al. 2004, where it lies inside the picture;
    some versions of torchmetrics count the mirrored borders too. In float64, because the variances
    cancel on flat areas.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    lumas = [
        (picture.cpu().double() * torch.tensor(_REC_601)[:, None, None]).sum(1, keepdim=True)
        for picture in (a, b)
    ]
    _, everywhere = structural_similarity_index_measure(*lumas, data_range=1.0, return_full_image=True)
    return everywhere[..., _BORDER:-_BORDER, _BORDER:-_BORDER].mean().item()


class Lpips:
    """Perceptual distance (Zhang et al. 2018) through AlexNet; 0 for equal pictures."""

    def __init__(self, device: torch.device):
        """Raises ValueError, one sentence, if AlexNet's weights are not on this machine."""
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        path = LPIPS_BACKBONE.find()
        if path is None:
            raise ValueError(LPIPS_BACKBONE.how_to_get)
        # torchvision, which reads the file next, would unpickle anything; this reads tensors or fails.
        read_state_dict(path)
        try:
            self._metric = LearnedPerceptualImagePatchSimilarity("alex", normalize=True).to(device)
        except RuntimeError as error:
            raise ValueError(f"{path} does not hold the weights of AlexNet; delete it.") from error

    def __call__(self, a: Tensor, b: Tensor) -> float:
        """a, b [B,3,H,W] in 0..1: the mean over the batch."""
        return self._metric(a, b).item()
