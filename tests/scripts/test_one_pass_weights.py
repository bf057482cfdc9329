"""A network learns in one pass what the mean over its grid's places looks like."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from small_pictures import small_copies
from tiny_network import TINY

from brushwork.base.tensor_header import read_metadata
from brushwork.models import StyleGAN
from brushwork.models.style_space import StyleSpace
from brushwork.training.painter import copy_network
from scripts import one_pass_weights
from scripts.one_pass_lessons import Teacher
from scripts.one_pass_weights import Options, Pupil, losses

SMALL = Options(side=48, batch=2, rate=1e-2)


def test_the_pupil_comes_nearer_to_the_mean(woven_gan: StyleGAN, teacher: Teacher):
    torch.manual_seed(2)
    pupil, lessons = Pupil(copy_network(woven_gan), SMALL), teacher.lessons()
    told = [pupil.learn(lessons, 0.0) for _ in range(5)]
    assert told[-1]["fine"] < 0.8 * told[0]["fine"]
    # Styles keep their meaning.
    for name, weight in woven_gan.style_encoder.state_dict().items():
        assert torch.equal(pupil.average.style_encoder.state_dict()[name], weight)


def test_a_share_of_the_pupil(woven_gan: StyleGAN, teacher: Teacher, tmp_path: Path):
    torch.manual_seed(2)
    pupil, lessons = Pupil(copy_network(woven_gan), replace(SMALL, share=0.25)), teacher.lessons()
    for _ in range(3):
        pupil.learn(lessons, 0.0)
    pupil.save(tmp_path / "mixed.safetensors")
    mixed = StyleGAN.load(tmp_path / "mixed.safetensors")
    learned = 0.0
    for before, after, found in zip(
        woven_gan.parameters(), pupil.average.parameters(), mixed.parameters(), strict=True
    ):
        # float16 in the file.
        assert torch.allclose(found, before.lerp(after, 0.25), atol=1e-3, rtol=1e-3)
        learned += float((after - before).abs().max())
    assert learned > 0


def test_losses_of_a_picture_with_itself_are_next_to_nothing(photo: torch.Tensor):
    same, other = losses(photo, photo), losses(photo, photo.flip(2))
    assert all(float(same[name]) < 0.1 * float(other[name]) for name in ("pixels", "fine"))
    assert float(same["energy"]) == 0


def test_the_command_writes_a_checkpoint_with_a_record(
    photos: list[Path], paintings: list[Path], tmp_path: Path
):
    split = {}
    for kind, pictures in (("content", photos), ("style", paintings)):
        names = [f"{kind}/{path.name}" for path in small_copies(pictures, tmp_path / "data" / kind)]
        split[kind] = {"train": names[:2], "val": names[2:], "test": []}
    (tmp_path / "data" / "split.json").write_text(json.dumps(split))
    start = StyleGAN(TINY)
    start.space = StyleSpace.fit(torch.randn(4, start.config.layers, start.config.code_dim))
    start.training_record = {"steps": 7}
    start.save(tmp_path / "start.safetensors")
    out = tmp_path / "out.safetensors"
    command = [str(tmp_path / "data"), str(out), "--minutes", "0", "--side", "32"]
    assert one_pass_weights.main([*command, "--start", str(tmp_path / "start.safetensors")]) == 0
    found = StyleGAN.load(out)
    assert found.space is not None
    assert found.training_record["steps"] == 7
    assert found.training_record["one_pass"]["steps"] == 1
    assert found.training_record["one_pass"]["lesson"] == "mean"
    # File lists show what it paints.
    strip = Image.open(io.BytesIO(base64.b64decode(read_metadata(out)["thumbnail"])))
    assert strip.size == (160, 53)


def test_a_missing_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert one_pass_weights.main([str(tmp_path / "none"), str(tmp_path / "out"), "--minutes", "1"]) == 2
    assert capsys.readouterr().err.startswith("scripts.one_pass_weights: ")
