"""Evaluation: the numbers are right, repeatable, and say what they are."""

from __future__ import annotations

import json
import sys
import weakref
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torchvision.models import alexnet

from brushwork.evaluation.diversity import style_spread
from brushwork.evaluation.evaluate import evaluate
from brushwork.evaluation.options import EvaluationOptions
from brushwork.evaluation.pairs import draw_pairs
from brushwork.evaluation.report import Evaluation
from brushwork.evaluation.set_distances import MissingPackageError, SetDistances
from brushwork.evaluation.similarity import Lpips, ssim
from brushwork.models.perception.extractors import VggFeatures
from brushwork.models.perception.statistics import mean_std
from brushwork.models.perception.vgg import STYLE_LAYERS, LossNetwork
from brushwork.models.style_gan import StyleGAN, StyleGANConfig
from brushwork.models.style_space import StyleSpace
from brushwork.pictures.reading import read_picture
from brushwork.pictures.tensors import load_square

CPU = torch.device("cpu")
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PyTorch's cache of weights, empty whatever this machine has in its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def small_gan() -> StyleGAN:
    """A small untrained network with a style space."""
    torch.manual_seed(5)
    gan = StyleGAN(StyleGANConfig(8, 8, 16, 2, 1, 8)).eval().requires_grad_(False)
    gan.space = StyleSpace.fit(torch.randn(40, gan.config.layers, gan.config.code_dim), rank=8)
    return gan


@pytest.fixture(scope="module")
def found(gan: StyleGAN, photos: list[Path], paintings: list[Path]) -> Evaluation:
    """The shipped network on three photos and three paintings."""
    return evaluate(gan, photos, paintings, EvaluationOptions(samples=9, side=96, random_styles=3))


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
    art, reality = vgg_features(paintings, 96), vgg_features(photos, 96)
    halves, apart = distances(art[::2], art[1::2]), distances(reality, art[1::2])
    assert apart.fid("set") > 2 * halves.fid("set")
    alike, unlike = halves.kid("set", 0), apart.kid("set", 0)
    # The deviation is that of subsets of a dozen pictures, not of the mean.
    assert abs(alike.mean) < 0.1
    assert unlike.mean > 0.2


def test_painted_pictures_are_nearer_to_the_paintings_than_photos_are(found: Evaluation) -> None:
    for name in ("fid", "kid", "gram", "mean_std"):
        assert found.scores[name].value < found.scores[name].untouched
    assert found.scores["gram"].value < 0.5 * found.scores["gram"].untouched
    assert 0 < found.scores["content"].value < 2
    assert 0 < found.scores["ssim"].value < 1
    assert (found.scores["content"].untouched, found.scores["ssim"].untouched) == (0, 1)


def test_the_report_repeats_what_was_measured_and_how(found: Evaluation) -> None:
    record = json.loads(json.dumps(found.as_dict()))
    assert (record["pairs"], record["photos"], record["paintings"]) == (9, 3, 3)
    assert EvaluationOptions(**record["options"]) == found.options
    assert record["features"].startswith("VGG-19")
    assert record["versions"].keys() == {"torch", "torchvision", "torchmetrics"}
    assert record["scores"]["kid"].keys() == {"value", "untouched", "deviation", "subsets", "subset_size"}
    assert record["scores"]["lpips"]["value"] is None
    text = found.text()
    for part in ("FID to the paintings", "9 pairs of 3 photos and 3 paintings, 96 pixels, seed 0", "VGG-19"):
        assert part in text
    assert "Below 2000 of each, FID is too high and KID is noisy" in text
    assert "get them with: brushwork evaluate --download lpips" in text
    assert found.sheet.height > 9 * 96 * 8 / 9


def test_diversity_is_measured_against_the_paintings(found: Evaluation, paintings: list[Path]) -> None:
    score = found.scores["diversity"]
    network = LossNetwork()
    with torch.no_grad():
        maps = [network(load_square(path, 96)) for path in paintings]
    real = style_spread([{name: mean_std(m[name]) for name in STYLE_LAYERS} for m in maps])
    assert score.parts["of_paintings"] == pytest.approx(real, rel=1e-3)
    assert score.value == pytest.approx(score.parts["of_styles"] / real)
    assert score.value > 0


def test_spread_of_styles_by_hand() -> None:
    a, b, c = ({name: torch.tensor([[[x, 1.0]]]) for name in STYLE_LAYERS} for x in (0.0, 1.0, 0.0))
    # |(0,1) - (1,1)|^2 = 1 over (1 + 2) / 2; a and c are alike.
    assert style_spread([a, b]) == pytest.approx(1 / 1.5)
    assert style_spread([a, b, c]) == pytest.approx(2 / 4.5)


def test_files_and_pictures_in_memory_score_alike_and_again(
    small_gan: StyleGAN, photos: list[Path], paintings: list[Path]
) -> None:
    options = EvaluationOptions(samples=4, side=48, random_styles=2, seed=3)
    from_files = evaluate(small_gan, photos, paintings, options)
    pictures = [[read_picture(path) for path in paths] for paths in (photos, paintings)]
    in_memory = evaluate(small_gan, *pictures, options)
    assert in_memory.as_dict() == from_files.as_dict()
    other = evaluate(small_gan, photos, paintings, EvaluationOptions(samples=4, side=48, seed=4))
    assert other.scores["gram"] != from_files.scores["gram"]


def test_progress_counts_every_picture_and_none_is_kept(
    small_gan: StyleGAN, photos: list[Path], paintings: list[Path]
) -> None:
    counts, pictures, alive = [], [], []

    def progress(done: int, total: int, picture: Tensor) -> None:
        counts.append((done, total))
        assert picture.shape == (1, 3, 48, 48)
        pictures.append(weakref.ref(picture))
        alive.append(sum(reference() is not None for reference in pictures))

    options = EvaluationOptions(samples=9, side=48, random_styles=2)
    evaluate(small_gan, photos, paintings, options, progress)
    assert counts == [(n, 9 + 2 * 3) for n in range(1, 16)]
    assert max(alive) <= 2


def test_stop_scores_what_was_painted(small_gan: StyleGAN, photos: list[Path], paintings: list[Path]) -> None:
    asked = []

    def stop() -> bool:
        asked.append(True)
        return len(asked) == 4

    found = evaluate(small_gan, photos, paintings, EvaluationOptions(samples=9, side=48), stop=stop)
    assert (found.pairs, len(asked)) == (4, 4)
    assert found.warnings[0] == "Stopped after 4 of 9 pairs, which go photo by photo."
    assert found.scores["fid"].value is not None
    assert found.scores["diversity"].why_none == "Left out."


def test_runs_inside_inference_mode_and_leaves_the_network_as_it_was(
    small_gan: StyleGAN, photos: list[Path], paintings: list[Path]
) -> None:
    before = {name: tensor.clone() for name, tensor in small_gan.state_dict().items()}
    with torch.inference_mode():
        evaluate(small_gan, photos[:1], paintings[:2], EvaluationOptions(samples=2, side=48))
    for name, tensor in small_gan.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert not tensor.is_inference()


def test_one_painting_gives_losses_but_no_distances(small_gan: StyleGAN, photos: list[Path]) -> None:
    picture = Image.new("RGB", (60, 50), "teal")
    found = evaluate(small_gan, photos[:2], [picture], EvaluationOptions(side=48, random_styles=2))
    assert found.pairs == 2
    assert found.warnings[0] == "100 samples were asked for; there are only 2 pairs."
    for name in ("fid", "kid"):
        assert found.scores[name].value is None
        assert found.scores[name].why_none == "Needs at least two paintings and two results."
    assert found.scores["diversity"].why_none == "Needs at least two paintings to compare with."
    assert found.scores["mean_std"].value > 0


def test_a_checkpoint_without_a_style_space_has_no_diversity(
    photos: list[Path], paintings: list[Path]
) -> None:
    gan = StyleGAN(StyleGANConfig(8, 8, 16, 2, 1, 8)).eval()
    found = evaluate(gan, photos[:1], paintings[:2], EvaluationOptions(samples=2, side=48))
    assert found.scores["diversity"].why_none == "The checkpoint stores no style distribution."


def test_lpips_reads_torchvisions_alexnet(
    cache: Path, small_gan: StyleGAN, photos: list[Path], paintings: list[Path]
) -> None:
    with pytest.raises(ValueError, match=r"brushwork evaluate --download lpips \(233 MB\)"):
        Lpips(CPU)
    tensors = alexnet(weights=None).state_dict()
    # Not needed and huge: one number, repeated without taking room in the file.
    tensors |= {
        name: torch.zeros(1).expand(t.shape) for name, t in tensors.items() if name.startswith("classifier.")
    }
    torch.save(tensors, cache / "alexnet-owt-7be5be79.pth")
    measure, (a, b) = Lpips(CPU), (load_square(path, 64) for path in photos[:2])
    assert measure(a, a) == pytest.approx(0, abs=1e-6)
    assert measure(a, b) > 1e-4
    found = evaluate(small_gan, photos[:1], paintings[:2], EvaluationOptions(samples=2, side=48))
    assert found.scores["lpips"].value > 0
    assert found.scores["lpips"].untouched == 0

    torch.save({"features.0.weight": torch.zeros(1)}, cache / "alexnet-owt-7be5be79.pth")
    with pytest.raises(ValueError, match="does not hold the weights of AlexNet"):
        Lpips(CPU)


def test_ssim(photos: list[Path]) -> None:
    a, b = (load_square(path, 40) for path in photos[:2])
    assert ssim(a, a) == pytest.approx(1)
    # Wang et al. 2004 window by window, where the window lies inside the picture.
    offset = torch.arange(11.0) - 5
    bell = torch.exp(-offset.square() / 4.5)
    window = (torch.outer(bell, bell) / bell.sum() ** 2).flatten().double()
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    x, y = (F.unfold((p * luma).sum(1, keepdim=True).double(), 11)[0].T for p in (a, b))
    mean_x, mean_y = x @ window, y @ window
    var_x, var_y = (x.square() @ window) - mean_x.square(), (y.square() @ window) - mean_y.square()
    covariance = ((x * y) @ window) - mean_x * mean_y
    light = (2 * mean_x * mean_y + 1e-4) / (mean_x.square() + mean_y.square() + 1e-4)
    structure = (2 * covariance + 9e-4) / (var_x + var_y + 9e-4)
    assert ssim(a, b) == pytest.approx((light * structure).mean().item(), abs=1e-5)


def test_pairs_use_every_picture_before_one_returns() -> None:
    pairs = draw_pairs(4, 6, 100, seed=2)
    assert len(pairs) == len(set(pairs)) == 24
    for start in (0, 6, 12, 18):
        assert len({style for _, style in pairs[start : start + 6]}) == 6
    assert draw_pairs(4, 6, 5, seed=2) == pairs[:5]
    assert draw_pairs(4, 6, 5, seed=3) != pairs[:5]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"samples": 0}, "samples is 0; give a value from 1"),
        ({"side": 16}, "side is 16; give a value from 32 to 1024"),
        ({"features": "clip"}, "features is 'clip'; choose one of auto, vgg19, inception"),
        ({"psi": float("nan")}, "psi is nan"),
        ({"random_styles": 1}, "random_styles is 1; diversity needs 2 or more"),
        ({"kid_subset_size": 1}, "kid_subset_size is 1"),
    ],
)
def test_options_out_of_range_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        EvaluationOptions(**changes)


def test_nothing_to_evaluate_is_refused(small_gan: StyleGAN, photos: list[Path]) -> None:
    with pytest.raises(ValueError, match="There are 3 photos and 0 paintings"):
        evaluate(small_gan, photos, [])


def test_missing_torchmetrics_is_one_sentence(
    small_gan: StyleGAN, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(MissingPackageError, match="install it with: pip install torchmetrics"):
        evaluate(small_gan, photos, photos)
