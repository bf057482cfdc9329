"""The loss network: VGG-19 up to relu4_1 with the original Oxford weights."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...base.shipped import VGG_WEIGHTS
from ..checkpoint import CheckpointError
from ..devices import own_defaults
from ..tensor_file import UNREADABLE, TensorFacts, open_tensors, value_problem, why_unreadable
from ..unfilled import Unfilled

CONVOLUTIONS = (
    "block1_conv1",
    "block1_conv2",
    "block2_conv1",
    "block2_conv2",
    "block3_conv1",
    "block3_conv2",
    "block3_conv3",
    "block3_conv4",
    "block4_conv1",
)
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
CONTENT_LAYER = "relu4_1"

# What the Oxford network was trained on: blue, green, red in 0..255 minus these means.
BGR_MEAN = (103.939, 116.779, 123.68)


_INPUTS = (3, 64, 64, 128, 128, 256, 256, 256, 256)
_OUTPUTS = (64, 64, 128, 128, 256, 256, 256, 256, 512)


class LossNetwork(nn.Module):
    """image [B,3,H,W], RGB in 0..1 -> {"relu1_1": [B,64,H,W], …, "relu4_1": [B,512,H/8,W/8]}.

    The weights are the original ones: torchvision's retrained ones give visibly worse styles
    (naoto0804/pytorch-AdaIN issue 43). Activations reach thousands, so `dtype` is float32 or bfloat16,
    never float16; features come back in that type. The parameters are frozen, and gradients reach the
    image only.
    """

    mean: Tensor

    @own_defaults(keep_autocast=True)
    def __init__(self, weights: str | os.PathLike[str] = VGG_WEIGHTS, dtype: torch.dtype = torch.float32):
        """Raises CheckpointError, one sentence, for a file that is not whole or holds other weights."""
        super().__init__()
        tensors = _read(Path(weights))
        self.convolutions = nn.ModuleDict()
        for name in CONVOLUTIONS:
            kernel = tensors[f"{name}.weight"]
            with Unfilled():
                layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
            layer.weight = nn.Parameter(kernel)
            layer.bias = nn.Parameter(tensors[f"{name}.bias"])
            self.convolutions[name] = layer
        self.dtype = dtype
        self.to(dtype=dtype).to(memory_format=torch.channels_last).requires_grad_(False).eval()
        # BGR, the scale and the means stay apart from the first convolution: borders are zero-padded after
        # the means are subtracted, so folding them in would change its edge. The means are registered after
        # the cast, because bfloat16 would round 123.68 to 123.5.
        self.register_buffer("mean", torch.tensor(BGR_MEAN)[:, None, None])

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {name: maps for name, maps in self.layers(image) if name in STYLE_LAYERS}

    def layers(self, image: Tensor) -> Iterator[tuple[str, Tensor]]:
        """All layers in their order, "relu1_1", "relu1_2", …, "relu4_1", each with its maps [B,C,h,w].

        A layer's side is that of the image, and half of it from each new block on.
        """
        x = image.flip(1) * 255 - self.mean
        x = x.to(self.dtype, memory_format=torch.channels_last)
        for name in CONVOLUTIONS:
            block, conv = name[5], name[-1]
            if conv == "1" and block != "1":
                x = F.max_pool2d(x, 2)
            # In place: nobody needs the map before it, not even for a gradient.
            x = F.relu(self.convolutions[name](x), inplace=True)
            yield f"relu{block}_{conv}", x


def _read(path: Path) -> dict[str, Tensor]:
    """The kernels and biases of all convolutions; CheckpointError, one sentence, if they are not there."""
    if not path.is_file():
        raise CheckpointError(f"The loss network's file {path} is missing; install Brushwork again.")
    # The header first: are these the tensors of the loss network?
    try:
        with open_tensors(path) as file:
            if not _fits(file.facts):
                raise CheckpointError(
                    f"{path.name} holds other weights than the loss network's; install Brushwork again."
                )
            tensors = file.tensors()
    except UNREADABLE as error:
        if isinstance(error, CheckpointError):
            raise
        advice = "install Brushwork again"
        raise CheckpointError(why_unreadable(path, "the loss network's file", advice)) from error
    # A kernel is stored as indices into a palette of up to 256 values.
    found: dict[str, Tensor] = {}
    for name in CONVOLUTIONS:
        palette, index = tensors[f"{name}.palette"], tensors[f"{name}.index"].long()
        bias = tensors[f"{name}.bias"]
        if index.min() < 0 or index.max() >= len(palette):
            raise CheckpointError(f"{path.name} is damaged: '{name}.index' points outside its palette.")
        if problem := value_problem({f"{name}.palette": palette, f"{name}.bias": bias}):
            raise CheckpointError(f"{path.name} is damaged: {problem}.")
        found |= {f"{name}.weight": palette[index], f"{name}.bias": bias}
    return found


def _fits(facts: Mapping[str, TensorFacts]) -> bool:
    """Whether these are the tensors of the loss network's file: palettes, indices into them and biases."""
    expected = {f"{name}.{part}" for name in CONVOLUTIONS for part in ("palette", "index", "bias")}
    return facts.keys() == expected and all(
        facts[f"{name}.index"] == ("U8", (outputs, inputs, 3, 3))
        and facts[f"{name}.bias"] == ("F32", (outputs,))
        and facts[f"{name}.palette"].type == "F32"
        and len(facts[f"{name}.palette"].shape) == 1
        and 1 <= facts[f"{name}.palette"].shape[0] <= 256
        for name, inputs, outputs in zip(CONVOLUTIONS, _INPUTS, _OUTPUTS, strict=True)
    )


def features_at_half(network: LossNetwork, image: Tensor) -> dict[str, Tensor]:
    """What `network` sees in the picture at half its size: [B,3,H,W] -> {"half_relu1_1": [B,64,H/2,W/2], …},
    down to [B,512,H/16,W/16]."""
    return {f"half_{name}": maps for name, maps in network(F.avg_pool2d(image, 2)).items()}


def loss_dtype(name: str, device: torch.device) -> torch.dtype:
    """The type that an option names: 'float32', 'bfloat16', or 'auto', the fastest on `device`."""
    if name == "auto":
        return fastest_loss_dtype(device)
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


def fastest_loss_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it faster than float32, else float32.

    CPUs with AMX are faster with it. Those that only have AVX512-BF16, or that emulate it, are slower
    (docs/history.md).
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    has_amx = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return torch.bfloat16 if device.type == "cpu" and has_amx and has_amx() else torch.float32
