"""FID and KID: the formulas, and what they say of sets that are alike or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from brushwork.evaluation.set_distances import SetDistances
from brushwork.models.perception.extractors import VggFeatures
from brushwork.models.perception.vgg import LossNetwork
from brushwork.pictures.tensors import load_square

CPU = torch.device("cpu")
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def vgg_features(paths: list[Path], side: int) -> Tensor:
    network, extractor = LossNetwork(), VggFeatures(CPU)
    with torch.inference_mode():
        pictures = [load_square(path, side) for path in paths]
        return torch.cat([extractor(picture, network(picture)) for picture in pictures])


def distances(of: Tensor, paintings: Tensor, subset_size: int = 50) -> SetDistances:
    found = SetDistances(["set"], of.shape[1], subset_size, kid_subsets=50)
    for row in of.split(1):
        found.add("set", row)
    found.add_paintings(paintings)
    return found


def frechet(x: Tensor, y: Tensor) -> float:
    """|mu_x - mu_y|^2 + Tr(S_x + S_y - 2 (S_x S_y)^(1/2)); the trace of the root by singular values:
    S_x S_y = X^T X Y^T Y / …, whose eigenvalues are the squares of the singular values of X Y^T."""
    x, y = x.double(), y.double()
    a, b = (x - x.mean(0)) / (len(x) - 1) ** 0.5, (y - y.mean(0)) / (len(y) - 1) ** 0.5
    root = torch.linalg.svdvals(a @ b.T).sum()
    return float((x.mean(0) - y.mean(0)).square().sum() + a.square().sum() + b.square().sum() - 2 * root)


def test_fid_is_the_formula(photos: list[Path], paintings: list[Path]) -> None:
    x, y = vgg_features(photos, 64), vgg_features(paintings, 64)
    assert distances(x, y).fid("set") == pytest.approx(frechet(x, y), rel=1e-3)
    assert distances(y, y).fid("set") == pytest.approx(0, abs=0.01)


def test_fid_where_no_general_eigenvalues_are_found(
    photos: list[Path], paintings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some processors' libraries give up on pictures that are alike."""

    def give_up(*_: object) -> None:
        raise RuntimeError("torch.linalg.eigvals: The algorithm failed to converge.")

    monkeypatch.setattr(torch.linalg, "eigvals", give_up)
    x, y = vgg_features(photos, 64), vgg_features(paintings, 64)
    assert distances(x, y).fid("set") == pytest.approx(frechet(x, y), rel=1e-3)
    same = y[:1].expand(5, -1)
    assert distances(same, same).fid("set") == pytest.approx(0, abs=0.01)


def test_kid_is_near_zero_for_one_distribution_and_large_for_two() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(300, 20, generator=generator).abs() for _ in range(2))
    alike, unlike = distances(x, y).kid("set", 0), distances(x * 1.5, y).kid("set", 0)
    assert abs(alike.mean) < 0.05
    assert unlike.mean > 5 * max(alike.deviation, abs(alike.mean))
    assert alike.subset_size == 50


def test_kid_draws_by_seed_and_leaves_the_global_generator_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    found = distances(torch.randn(40, 5, generator=generator), torch.randn(30, 5, generator=generator))
    before = torch.get_rng_state()
    first = found.kid("set", 1)
    assert found.kid("set", 1) == first
    assert found.kid("set", 2).mean != first.mean
    assert torch.equal(torch.get_rng_state(), before)
    assert first.subset_size == 15  # half of the smaller set


@pytest.mark.skipif(not (DATA / "split.json").is_file(), reason="../shared/data is not there")
def test_photos_are_further_from_paintings_than_paintings_are() -> None:
    split = json.loads((DATA / "split.json").read_text(encoding="utf-8"))
    # Far apart in the alphabet, which goes by artist.
    paintings = [DATA / name for name in split["style"]["test"][::3]]
    photos = [DATA / name for name in split["content"]["test"][::3]]
    art, reality = vgg_features(paintings, 64), vgg_features(photos, 64)
    halves, apart = distances(art[::2], art[1::2]), distances(reality, art[1::2])
    assert apart.fid("set") > 2 * halves.fid("set")
    alike, unlike = halves.kid("set", 0), apart.kid("set", 0)
    # The deviation is that of subsets of a dozen pictures, not of the mean.
    assert abs(alike.mean) < 0.1
    assert unlike.mean > 0.2
