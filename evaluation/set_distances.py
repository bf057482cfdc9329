"""FID and KID, from features that are added one picture at a time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

TORCHMETRICS_MISSING = (
    "torchmetrics, which evaluation needs, is not installed; install it with: pip install torchmetrics; or "
    'in the folder of Brushwork install all that training and scores need with: pip install ".[train]"'
)


class MissingPackageError(ImportError):
    """A package of the `train` extra is not installed; the message is one sentence for the user."""


def require_torchmetrics() -> None:
    """Raise MissingPackageError, with the command that installs it, where torchmetrics is missing."""
    try:
        import torchmetrics  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(TORCHMETRICS_MISSING) from error


@dataclass(frozen=True)
class Kid:
    """Mean and deviation over the subsets, and how many pictures each subset held."""

    mean: float
    deviation: float
    subset_size: int


class SetDistances:
    """How far sets of pictures are from the set of paintings, by `num_features` numbers a picture.

    The features are kept; the pictures themselves are not.
    """

    def __init__(self, sets: Sequence[str], num_features: int, kid_subset_size: int, kid_subsets: int):
        """`sets` are the names of those that are compared with the paintings."""
        self._num_features = num_features
        self._subset_size, self._subsets = kid_subset_size, kid_subsets
        self._features: dict[str, list[Tensor]] = {name: [] for name in sets}
        self._counts = dict.fromkeys(sets, 0)
        self._painting_features: list[Tensor] = []
        self.paintings = 0

    def add_paintings(self, features: Tensor) -> None:
        """features [B,num_features] of real paintings."""
        self.paintings += len(features)
        self._painting_features.append(features.cpu().double())

    def add(self, name: str, features: Tensor) -> None:
        """features [B,num_features] of pictures of the set `name`."""
        self._counts[name] += len(features)
        self._features[name].append(features.cpu().double())

    def enough(self, name: str) -> bool:
        """Whether both sets hold two pictures: below that neither distance is defined."""
        return min(self._counts[name], self.paintings) >= 2

    def fid(self, name: str) -> float:
        """Fréchet distance of two Gaussians (Heusel et al. 2017), 0 or more except for rounding."""
        from torchmetrics.image.fid import FrechetInceptionDistance

        paintings, found = self._of(name)
        together = torch.cat([paintings, found])
        if len(together) < self._num_features:
            # Turned axes change no distance, and N pictures need N: eigenvalues cost the cube of that.
            together = torch.linalg.qr(together.T, mode="r").R.T
        metric = FrechetInceptionDistance(_GivenFeatures(together.shape[1]))
        metric.update(together[: self.paintings], real=True)
        metric.update(together[self.paintings :], real=False)
        try:
            return float(metric.compute())
        except RuntimeError as error:
            if "torch.linalg" not in str(error):
                raise
            # Where pictures are alike, its eigenvalues may not be found. Those of symmetric matrices always
            # are.
            return _frechet(together[: self.paintings], together[self.paintings :])

    def kid(self, name: str, seed: int) -> Kid:
        """Squared MMD of the kernel (x·y / d + 1)^3 (Bińkowski et al. 2018); about 0 for equal sets."""
        from torchmetrics.image.kid import KernelInceptionDistance

        # At most half of a set: larger subsets would hardly differ, and their deviation would say nothing.
        half = min(self._counts[name], self.paintings) // 2
        subset_size = max(2, min(self._subset_size, half))
        paintings, found = self._of(name)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance` will save")
            given = _GivenFeatures(self._num_features)
            metric = KernelInceptionDistance(given, subsets=self._subsets, subset_size=subset_size)
        metric.update(paintings, real=True)
        metric.update(found, real=False)
        # torchmetrics draws the subsets from PyTorch's global generator.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            mean, deviation = metric.compute()
        return Kid(mean.item(), deviation.item(), subset_size)

    def _of(self, name: str) -> tuple[Tensor, Tensor]:
        """The features of the paintings and of the set `name`, [N,num_features] each, float64."""
        return torch.cat(self._painting_features), torch.cat(self._features[name])


def _frechet(first: Tensor, second: Tensor) -> float:
    """Fréchet distance of the Gaussians of two sets of features [N,D], float64."""
    (mean, covariance), (other, others) = ((each.mean(0), each.T.cov()) for each in (first, second))
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    together = torch.linalg.eigvalsh(root @ others @ root).clamp_min(0).sqrt().sum()
    return float((mean - other).square().sum() + covariance.trace() + others.trace() - 2 * together)


class _GivenFeatures(nn.Module):
    """Stands where torchmetrics expects a network, and hands on features that are there already."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features
