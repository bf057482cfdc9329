"""Evaluation: the numbers are right, repeatable, and say what they are."""

from __future__ import annotations

import json
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from gram_errors import gram_errors
from PIL import Image
from tiny_network import TINY
from torch import Tensor

from brushwork.evaluation.diversity import style_spread
from brushwork.evaluation.evaluate import evaluate
from brushwork.evaluation.observer import Observer, style_losses
from brushwork.evaluation.options import EvaluationOptions
from brushwork.evaluation.report import Evaluation
from brushwork.evaluation.set_distances import MissingPackageError
from brushwork.models.perception.statistics import mean_std, style_at_sizes
from brushwork.models.perception.vgg import STYLE_LAYERS, LossNetwork
from brushwork.models.style_gan import StyleGAN
from brushwork.pictures.reading import read_picture
from brushwork.pictures.tensors import load_square, rounded


@pytest.fixture(scope="module")
def found(gan: StyleGAN, photos: list[Path], paintings: list[Path]) -> Evaluation:
    """The shipped network on three photos and three paintings."""
    return evaluate(gan, photos, paintings, EvaluationOptions(samples=9, side=96, random_styles=3))


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
    assert f"diversity: {found.options.random_styles} random styles, psi 0.8" in text
    # Report has room for so much in the workflow evaluate_checkpoint.
    assert max(map(len, text[: text.index("\n\n")].splitlines())) <= 100
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


def test_style_losses_at_every_size_are_those_of_the_pictures(
    small_gan: StyleGAN, photos: list[Path], paintings: list[Path]
) -> None:
    options = EvaluationOptions(samples=1, side=64, random_styles=0)
    found = evaluate(small_gan, photos[:1], paintings[:1], options)
    photo, painting = load_square(photos[0], 64), load_square(paintings[0], 64)
    with torch.no_grad():
        painted = rounded(small_gan.stylize(photo, painting))
        network = LossNetwork()
        wanted = style_at_sizes(network, painting)
        for picture, column in ((painted, "value"), (photo, "untouched")):
            errors = gram_errors(style_at_sizes(network, picture), wanted)
            scores = [getattr(found.scores[name], column) for name in ("gram", "gram_half", "gram_quarter")]
            assert scores == pytest.approx([float(each) for each in errors.values()], rel=1e-5)
    assert found.as_dict()["scores"]["mean_std_quarter"].keys() == {"value", "untouched", "mean"}
    assert "Gram style loss, quarter size" in found.text()


def test_sizes_that_the_pictures_do_not_have_are_left_out() -> None:
    observer = Observer(torch.device("cpu"))
    large, small = (torch.rand(1, 3, side, side) for side in (32, 31))
    with torch.no_grad():
        losses = style_losses(observer.look(large), observer.look(small).styles)
    assert list(losses) == ["gram", "mean_std", "gram_half", "mean_std_half"]


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
    assert found.warnings[0] == "You asked for 100 samples, and there are only 2 pairs."
    for name in ("fid", "kid"):
        assert found.scores[name].value is None
        assert found.scores[name].why_none == "Needs at least two paintings and two results."
    assert found.scores["diversity"].why_none == "Needs at least two paintings to compare with."
    assert found.scores["mean_std"].value > 0


@pytest.mark.parametrize("count", [2, 27])
def test_paintings_that_are_all_alike(small_gan: StyleGAN, photos: list[Path], count: int) -> None:
    """It was a division by zero after all pairs had been painted."""
    pictures = [Image.new("RGB", (60, 50), "teal") for _ in range(count)]
    found = evaluate(small_gan, photos[:2], pictures, EvaluationOptions(count, side=48, random_styles=2))
    assert found.scores["diversity"].value is None
    assert "diversity: The paintings are all alike; needs two that differ." in found.text()
    assert found.scores["mean_std"].value > 0


def test_numbers_of_numpy_become_pythons_own(
    small_gan: StyleGAN, photos: list[Path], paintings: list[Path]
) -> None:
    """Other nodes give them; JSON knows none, nor do Python's own random numbers."""
    given = EvaluationOptions(np.int64(2), np.int32(48), np.int64(3), psi=np.float32(0.5), random_styles=2)
    own = EvaluationOptions(2, 48, 3, psi=0.5, random_styles=2)
    assert json.dumps(given.as_dict()) == json.dumps(own.as_dict())
    found = [evaluate(small_gan, photos[:1], paintings[:2], options).as_dict() for options in (given, own)]
    assert json.dumps(found[0]["scores"]) == json.dumps(found[1]["scores"])


def test_a_checkpoint_without_a_style_space_has_no_diversity(
    photos: list[Path], paintings: list[Path]
) -> None:
    gan = StyleGAN(TINY).eval()
    found = evaluate(gan, photos[:1], paintings[:2], EvaluationOptions(samples=2, side=48))
    assert found.scores["diversity"].why_none == "The checkpoint stores no style distribution."


def test_nothing_to_evaluate_is_refused(small_gan: StyleGAN, photos: list[Path]) -> None:
    with pytest.raises(ValueError, match="There are 3 photos and 0 paintings"):
        evaluate(small_gan, photos, [])


def test_missing_torchmetrics_is_one_sentence(
    small_gan: StyleGAN, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(MissingPackageError, match="install it with: pip install torchmetrics"):
        evaluate(small_gan, photos, photos)
