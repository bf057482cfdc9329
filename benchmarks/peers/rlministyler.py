"""RLMiniStyler, from a checkout."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.peers.checkout import files_of, import_from
from benchmarks.peers.system import Setup

CODE = ("rl/nets.py", "rl/function.py")
WEIGHTS = {"actor": "exp/ckpt/actor.pth.tar", "builder": "exp/ckpt/builder.pth.tar"}
SEED = 0


class RLMiniStyler:
    """fengxiaoming520/RLMiniStyler (IJCAI 2025, MIT), imported with the weights it carries.

    An actor draws a latent for photo and painting, and a builder paints it; every step starts from the
    picture of the last one. `steps` is 10 in its own script. Its latents are random there; here a fixed seed
    draws them. As there, the style picture is read as it is.
    """

    def __init__(self, setup: Setup, steps: int):
        files = files_of(setup, "rlministyler", (*CODE, *WEIGHTS.values()))
        nets = import_from([files[CODE[0]].parent], "nets")
        self.actor, self.builder = nets.Actor(), nets.Decoder()
        for part, name in zip((self.actor, self.builder), WEIGHTS.values(), strict=True):
            part.load_state_dict(torch.load(files[name], map_location="cpu", weights_only=True))
            part.eval().requires_grad_(False).to(setup.device)
        self.steps = steps
        self.name = f"RLMiniStyler {steps}"
        self.note = (
            f"{steps} steps at the picture's size; reads the style picture as it is, as its own script does"
        )
        self.identity = fingerprint(
            *files.values(), RLMiniStyler, f"{steps} {SEED}", torch.device(setup.device).type
        )

    @torch.inference_mode()
    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        height, width = content.shape[-2:]
        picture = content
        with torch.random.fork_rng([content.device] if content.is_cuda else []):
            torch.manual_seed(SEED)
            for _ in range(self.steps):
                latent, _, _, encoded = self.actor.sample(picture, style)
                picture = self.builder(latent, encoded)
        # Its two strided convolutions round odd sizes up, so the result can be 3 pixels too large.
        return picture[:, :, :height, :width].clamp(0, 1)
