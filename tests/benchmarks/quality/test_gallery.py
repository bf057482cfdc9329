"""Painting, scoring and remembering with real networks; what is on disk is not painted again."""

from __future__ import annotations

import shutil

import pytest
import torch
from PIL import Image

from benchmarks.peers import Brushwork, RememberingBrushwork, Setup, UntouchedContent
from benchmarks.quality.all_bars import routes
from benchmarks.quality.art_features import available_extractors
from benchmarks.quality.code_space import (
    feature_distance,
    in_random_styles,
    path_steps,
    random_bars,
    smoothness_bars,
)
from benchmarks.quality.gallery import Gallery, moments
from benchmarks.quality.pairs import Pair, spread
from benchmarks.quality.results_cache import Record
from benchmarks.quality.scoring import Scorer
from benchmarks.quality.self_consistency import at_strength_0, in_own_style
from benchmarks.quality.sheets import save_pictures, save_sheet
from benchmarks.quality.steadiness import unsteadiness_of
from brushwork.cli.main import main
from brushwork.models.perception.extractors import VggFeatures
from brushwork.pictures.comparison_sheet import GAP, MARGIN
from brushwork.pictures.tensors import rounded

SIZE = 80


@pytest.fixture(scope="module")
def ours():
    return RememberingBrushwork(Setup(threads=1))


@pytest.fixture(scope="module")
def pairs(inputs_dir):
    photos = [inputs_dir / f"photo-{name}.jpg" for name in ("portrait-astronaut", "animal-otters")]
    paintings = [inputs_dir / f"art-{name}.jpg" for name in ("vangogh-starry-night", "hokusai-great-wave")]
    return [Pair(photo, painting) for photo in photos for painting in paintings]


@pytest.fixture
def gallery(tmp_path):
    return Gallery(tmp_path / "cache", SIZE, Scorer("cpu", [VggFeatures(torch.device("cpu"))]), "cpu")


class Exhausted:
    """Has the name and identity of another system, and cannot paint any more."""

    note = ""

    def __init__(self, other):
        self.name, self.identity = other.name, other.identity

    def paint(self, content, style):
        raise AssertionError("painted again")


def test_remembering_paints_the_same_pictures(ours, gallery, pairs):
    plain = Brushwork(Setup(threads=1))
    for strength in (1.0, 0.4):
        for pair in pairs:
            content, style = gallery.load(pair.content), gallery.load(pair.style)
            expected = plain.at_strength(strength).paint(content, style)
            assert torch.equal(ours.at_strength(strength).paint(content, style), expected)


def test_scores_come_back_without_painting(ours, gallery, pairs):
    first = gallery.scored(ours, pairs[0])
    again = gallery.scored(Exhausted(ours), pairs[0])
    assert again.numbers == first.numbers
    assert torch.equal(again.tensors["vgg19"], first.tensors["vgg19"])
    with pytest.raises(AssertionError, match="painted again"):
        gallery.scored(Exhausted(ours), pairs[1])
    with pytest.raises(AssertionError, match="painted again"):
        gallery.scored(Exhausted(ours.at_strength(0.5)), pairs[0])


def test_a_kept_picture_scores_like_a_fresh_one(ours, gallery, pairs, tmp_path):
    fresh = gallery.scored(ours, pairs[0])
    other = Gallery(tmp_path / "other", SIZE, gallery.scorer, "cpu")
    kept = other.scored(ours, pairs[0], keep=True)
    assert kept.numbers == fresh.numbers
    expected = rounded(ours.paint(gallery.load(pairs[0].content), gallery.load(pairs[0].style)))
    assert torch.equal(other.picture(Exhausted(ours), pairs[0]), expected)
    assert not gallery.picture_file(ours, pairs[0]).exists()


def test_another_formula_or_size_is_another_result(ours, gallery, pairs, tmp_path):
    gallery.scored(ours, pairs[0])
    for other in (Gallery(tmp_path / "cache", SIZE, Scorer("cpu"), "cpu"), larger(gallery)):
        with pytest.raises(AssertionError, match="painted again"):
            other.scored(Exhausted(ours), pairs[0])


def larger(gallery):
    return Gallery(gallery.cache.folder, SIZE + 8, gallery.scorer, "cpu")


def test_sheets_in_pages_and_pictures_for_the_blind_comparison(ours, gallery, pairs, tmp_path, capsys):
    systems = [ours, UntouchedContent(Setup())]
    files = save_sheet(gallery, systems, pairs, tmp_path / "sheets" / "s.png", page_rows=3, cell=64)
    assert [file.name for file in files] == ["s-01.png", "s-02.png"]
    with Image.open(files[0]) as three, Image.open(files[1]) as one:
        assert three.width == one.width == 2 * MARGIN + 4 * (64 + GAP) - GAP
        assert three.height > 2 * one.height
    folders = save_pictures(gallery, systems, spread(pairs, 3), tmp_path / "pictures")
    assert [folder.name for folder in folders] == ["Brushwork", "untouched-content"]
    names = {"photo-portrait-astronaut__art-vangogh-starry-night.png"}
    names |= {"photo-portrait-astronaut__art-hokusai-great-wave.png"}
    names |= {"photo-animal-otters__art-vangogh-starry-night.png"}
    assert {file.name for file in folders[0].iterdir()} == names
    for kind in Pair._fields:
        (tmp_path / kind).mkdir()
        for pair in pairs:
            shutil.copy(getattr(pair, kind), tmp_path / kind)
    command = ["judge", "sheet", *map(str, folders), "--out", str(tmp_path / "blind")]
    assert main([*command, "--content", str(tmp_path / "content"), "--style", str(tmp_path / "style")]) == 0
    assert "3 rows" in capsys.readouterr().out
    assert (tmp_path / "blind" / "hand-out" / "page-01.jpg").is_file()


def test_random_styles(ours, gallery, pairs):
    photos = [pairs[0].content, pairs[-1].content]
    by_photo = in_random_styles(gallery, ours, photos)
    assert [len(found) for found in by_photo] == [8, 8]
    features = torch.stack([record.tensors["vgg19"] for found in by_photo for record in found])
    # 16 different styles, also across the photos.
    assert torch.pdist(features).min() > 0
    paintings = [gallery.painting(pair.style) for pair in pairs[:2]]
    assert moments(paintings[0])["relu1_1"].shape == (1, 2, 64)
    encoded = torch.stack([gallery.scored(ours, pair).tensors["vgg19"] for pair in pairs])
    diversity, kid = random_bars(by_photo, {"vgg19": encoded}, paintings, gallery.scorer.extractors)
    assert 0.05 < diversity.value < 3
    assert kid.value is not None or "more pictures" in kid.note


def test_paths_between_styles(ours, gallery, pairs):
    record = path_steps(gallery, ours, pairs[0].content, (pairs[0].style, pairs[1].style))
    pixels, vgg = record.tensors["pixels"], record.tensors["vgg"]
    assert len(pixels) == len(vgg) == 20
    assert pixels.min() > 0
    # The steps add up to at least the way from end to end.
    ends = [gallery.load(pairs[0].content), gallery.load(pairs[0].style), gallery.load(pairs[1].style)]
    apart = (ours.paint(ends[0], ends[1]) - ours.paint(ends[0], ends[2])).abs().mean()
    assert pixels.sum() >= apart - 1e-5


def test_a_jump_is_found():
    even, jump = torch.ones(20), torch.ones(20)
    jump[7] = 6
    smooth = Record(tensors={"pixels": even, "vgg": even})
    jumping = Record(tensors={"pixels": jump, "vgg": even})
    pixels, vgg = smoothness_bars([smooth, jumping])
    # 6 / (25 / 20).
    assert (pixels.value, pixels.verdict) == (pytest.approx(4.8), "MISSED")
    assert (vgg.value, vgg.verdict) == (pytest.approx(1), "met")


def test_feature_distance():
    a = {"x": torch.ones(2, 2), "y": torch.full((3,), 2.0)}
    b = {"x": torch.zeros(2, 2), "y": torch.full((3,), 3.0)}
    assert feature_distance(a, b).item() == pytest.approx((1 + 0.5) / 2)


def test_self_consistency_and_strength_0(ours, gallery, pairs):
    paintings = [pair.style for pair in pairs[:2]]
    assert in_own_style(gallery, UntouchedContent(Setup()), paintings) == [float("inf")] * 2
    assert all(8 < value < 60 for value in in_own_style(gallery, ours, paintings))
    assert at_strength_0(gallery, ours, pairs) > 35


def test_steadiness_of_systems(ours, gallery, pairs):
    (still,) = unsteadiness_of(gallery, UntouchedContent(Setup()), pairs[:1])
    assert still == [0.0] * 7
    (found,) = unsteadiness_of(gallery, ours, pairs[:1])
    assert len(found) == 7
    assert min(found) > 0


def test_routes_join_different_paintings(pairs):
    styles = [pair.style for pair in pairs[:2]]
    assert routes(pairs, styles, 3) == [(pairs[0].content, (styles[0], styles[1]))]
    assert routes(pairs, styles[:1], 3) == []


def test_every_extractor_is_in_the_record(ours, pairs, tmp_path):
    extractors = available_extractors("cpu")
    gallery = Gallery(tmp_path, SIZE, Scorer("cpu", extractors), "cpu")
    record = gallery.scored(ours, pairs[0])
    assert {name: tensor.shape for name, tensor in record.tensors.items()} == {
        each.name: (each.num_features,) for each in extractors
    }
