"""WCT with compressed autoencoders, from a checkout."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from benchmarks.fingerprint import fingerprint
from benchmarks.peers.checkout import files_of, import_from
from benchmarks.peers.system import Setup

# One autoencoder each, from coarse to fine as in its own script.
STAGES = (5, 4, 3, 2, 1)
# The folders of their weights.
ENCODERS, DECODERS = "trained_models/wct_se_16x_new", "trained_models/wct_se_16x_new_sd"
CODE = ("PytorchWCT/util_wct.py", "model/model_cd.py")
# Four halvings, which round down.
MULTIPLE = 16
ALPHA = 1.0


class WCT16x:
    """MingSun-Tse/Collaborative-Distillation (CVPR 2020, MIT), imported with the weights it carries.

    Universal style transfer (Li et al. 2017) with encoders and decoders of a sixteenth of the size: mode 16x
    of its own script, with the alpha 1 that is the script's default. As there, the style picture is read as
    it is, and whitening and colouring run on the CPU in float64.
    """

    name = "WCT 16x"
    note = "works at the picture's size; reads the style picture as it is, as its own test script does"

    def __init__(self, setup: Setup):
        weights = {
            **{f"e{stage}": f"{ENCODERS}/{stage}SE.pth" for stage in STAGES},
            **{f"d{stage}": f"{DECODERS}/{stage}SD.pth" for stage in STAGES},
        }
        files = files_of(setup, "wct", (*CODE, *weights.values()))
        code = [files[name] for name in CODE]
        # Readers of Lua files, for networks of other modes; PyTorch has lost its part since.
        readers = {"torch.utils.serialization": ["load_lua"], "utils": ["load_param_from_t7"]}
        root = code[1].parents[1]
        program = import_from([root, code[0].parent], "util_wct", readers)
        # Without paths it loads nothing by itself: its own way would unpickle whatever the files hold.
        network = program.WCT(SimpleNamespace(mode="16x", numpy=False, **dict.fromkeys(weights)))
        for part, name in weights.items():
            stored = torch.load(files[name], map_location="cpu", weights_only=True)
            network.get_submodule(part).load_state_dict(stored["model"])
        self.identity = fingerprint(*files.values(), WCT16x, torch.device(setup.device).type)
        self.network = network.eval().requires_grad_(False).to(setup.device)

    @torch.no_grad()
    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        # Its pictures would lose up to 15 pixels, so the photo's last row and column are repeated.
        height, width = content.shape[-2:]
        edges = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        picture = nn.functional.pad(content, edges, mode="replicate")
        for stage in STAGES:
            encode, decode = (self.network.get_submodule(f"{part}{stage}") for part in "ed")
            features, wanted = (encode(each)[0].cpu() for each in (picture, style))
            # The result's place has its size already: PyTorch no longer resizes it from inside.
            moved = self.network.transform(features, wanted, torch.empty_like(features)[None], ALPHA)
            picture = decode(moved.to(content.device))
        return picture[:, :, :height, :width].clamp(0, 1)
