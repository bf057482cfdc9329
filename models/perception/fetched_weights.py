"""Weights that do not ship with Brushwork: used if they are on the machine, fetched only on demand."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor


@dataclass(frozen=True)
class FetchedWeights:
    """One file in PyTorch's cache of weights, $TORCH_HOME/hub/checkpoints.

    `patterns` are the names it may have there, the preferred one first; `url` ends in the name that
    `fetch` gives it, with the first digits of its SHA-256 before the ending.
    """

    name: str
    what: str
    url: str
    patterns: tuple[str, ...]
    megabytes: int

    def find(self) -> Path | None:
        """The file, None if it is not on this machine. Never downloads anything."""
        try:
            for pattern in self.patterns:
                for path in sorted(weights_folder().glob(pattern)):
                    return path
        except OSError:
            # Such as the home of another user, whose rights this process has given up.
            pass
        return None

    @property
    def how_to_get(self) -> str:
        """One sentence for users who lack the file."""
        return (
            f"The weights of {self.what} are not in {weights_folder()}; "
            f"get them with: brushwork evaluate --download {self.name} ({self.megabytes} MB)."
        )

    def fetch(self) -> Path:
        """Download the file, whole or not at all, unless it is there. Only when a user asked for it.

        Raises ValueError, one sentence, if that fails or the file is not what it should be.
        """
        if (found := self.find()) is not None:
            return found
        path = weights_folder() / self.url.rpartition("/")[2]
        digest = path.stem.rpartition("-")[2]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(self.url, os.fspath(path), digest)
        except (URLError, OSError, RuntimeError) as error:
            reason = getattr(error, "reason", error)
            raise ValueError(
                f"The weights of {self.what} could not be fetched from {self.url} ({reason}); "
                f"fetch them with a browser and put them into {path.parent}."
            ) from error
        return path


# FID's own network first: the one that published numbers were measured with.
INCEPTION = FetchedWeights(
    "inception",
    "Inception-v3",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    ("*inception-2015-12-05-*.pth", "inception_v3_google-*.pth"),
    95,
)
LPIPS_BACKBONE = FetchedWeights(
    "lpips",
    "LPIPS (AlexNet)",
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    ("alexnet-owt-7be5be79.pth",),
    233,
)
FETCHED_WEIGHTS = {weights.name: weights for weights in (INCEPTION, LPIPS_BACKBONE)}


def weights_folder() -> Path:
    """Where PyTorch, torchvision and torch-fidelity keep weights that were downloaded."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors in a .pth file; nothing else is unpickled.

    Raises ValueError, one sentence, if it holds anything but tensors or is damaged.
    """
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle may raise any error that there is
        raise ValueError(f"{path} cannot be read as weights; delete it and fetch it again.") from error
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise ValueError(f"{path} holds something else than a network's weights; delete it.")
    return tensors
