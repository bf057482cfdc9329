"""The map from style codes to colours, fitted anew by a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from many_paintings import many_paintings
from small_pictures import small_copies

from brushwork.base.tensor_header import read_metadata
from brushwork.models import StyleGAN
from brushwork.pictures.tensors import load_square
from brushwork.training.painter import copy_network
from scripts import fit_colors


@pytest.fixture(scope="module")
def data(gan: StyleGAN, inputs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as for training: two photos, and many paintings."""
    folder = tmp_path_factory.mktemp("data")
    photos = sorted(inputs_dir.glob("photo-*.jpg"))
    many_paintings(gan, photos, folder / "style")
    small_copies(photos[:2], folder / "content")
    split = {
        kind: {
            "train": [f"{kind}/{path.name}" for path in sorted((folder / kind).iterdir())],
            "val": [],
            "test": [],
        }
        for kind in ("content", "style")
    }
    (folder / "split.json").write_text(json.dumps(split))
    return folder


def test_the_rest_of_the_network_stays(gan: StyleGAN, data: Path, tmp_path: Path):
    start = copy_network(gan).eval().requires_grad_(False)
    start.set_colors(None)
    start.save(tmp_path / "start.safetensors", extra={"thumbnail": "a picture"})
    out = tmp_path / "out.safetensors"
    assert fit_colors.main([str(data), str(out), "--start", str(tmp_path / "start.safetensors")]) == 0
    found = StyleGAN.load(out)
    assert found.config == gan.config
    for name, weight in start.state_dict().items():
        assert torch.allclose(found.state_dict()[name], weight, atol=1e-3, rtol=1e-3), name
    assert torch.allclose(found.space.mean, gan.space.mean, atol=1e-2)
    assert read_metadata(out)["thumbnail"] == json.dumps("a picture")
    for path in sorted((data / "style").iterdir())[:5]:
        painting = load_square(path, 384)
        said = found.generator.colors(found.encode_style(painting))
        assert (said.mean - painting.mean((2, 3))).abs().max() < 0.02


def test_too_few_paintings_are_one_sentence(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    split = json.loads((data / "split.json").read_text())
    split["style"]["test"] = split["style"]["train"][3:]
    split["style"]["train"] = split["style"]["train"][:3]
    few = tmp_path / "few"
    few.mkdir()
    for kind in ("content", "style"):
        (few / kind).symlink_to(data / kind)
    (few / "split.json").write_text(json.dumps(split))
    assert fit_colors.main([str(few), str(tmp_path / "out.safetensors")]) == 2
    assert (
        "The codes of 3 paintings say too little about the colours of others; give more"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "out.safetensors").exists()


def test_a_missing_folder_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert fit_colors.main([str(tmp_path / "none"), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith("scripts.fit_colors: ")
