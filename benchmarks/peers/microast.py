"""MicroAST, from a checkout."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.peers.checkout import files_of, import_from
from benchmarks.peers.system import Setup

MICROAST_PARTS = ("content_encoder", "style_encoder", "modulator", "decoder")


class MicroAST:
    """EndyWon/MicroAST (AAAI 2023, MIT), imported from a checkout with the weights it carries.

    It gets what its own test script gives it: the style picture as it is, alpha 1.
    """

    name = "MicroAST"
    note = "works at the picture's size; reads the style picture as it is, as its own test script does"

    def __init__(self, setup: Setup):
        weights = [f"models/{part}_iter_160000.pth.tar" for part in MICROAST_PARTS]
        code, *files = files_of(setup, "microast", ("net_microAST.py", *weights)).values()
        net = import_from([code.parent], "net_microAST")
        parts = [net.Encoder(), net.Encoder(), net.Modulator(), net.Decoder()]
        for part, file in zip(parts, files, strict=True):
            part.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        self.identity = fingerprint(code, MicroAST.paint, *files, torch.device(setup.device).type)
        self.network = net.TestNet(*parts).eval().requires_grad_(False).to(setup.device)

    @torch.inference_mode()
    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        # Its two strided convolutions round odd sizes up, so the result can be 3 pixels too large.
        height, width = content.shape[-2:]
        painted: Tensor = self.network(content, style)
        return painted[:, :, :height, :width].clamp(0, 1)
