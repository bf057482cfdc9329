"""`brushwork train`: what it refuses, what it says, what it leaves on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brushwork.cli.main import main
from brushwork.models import StyleGAN


@pytest.fixture
def folders(inputs_dir: Path, tmp_path: Path) -> list[str]:
    """Arguments for a run on two photos and two paintings that takes a few seconds."""
    table: dict[str, dict[str, list[str]]] = {}
    for kind in ("photo", "art"):
        (tmp_path / kind).mkdir()
        for path in sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:2]:
            (tmp_path / kind / path.name).write_bytes(path.read_bytes())
        names = sorted(f"{kind}/{p.name}" for p in (tmp_path / kind).iterdir())
        table[kind] = {"train": names, "val": names[:1], "test": []}
    (tmp_path / "split.json").write_text(json.dumps(table))
    return [
        *("train", "--content", str(tmp_path / "photo"), "--style", str(tmp_path / "art")),
        *("--split", str(tmp_path / "split.json"), "--out", str(tmp_path / "run")),
        *("--steps", "2", "--batch", "1", "--crop", "32", "--late-crop", "32", "--style-crop", "32"),
        *("--variants", "1", "--loss-dtype", "float32", "--content-scale", "40", "64"),
    ]


def test_trains_says_what_it_found_and_writes_a_checkpoint(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "art" / "broken.jpg").write_bytes(b"nothing")
    assert main(folders) == 0
    said = capsys.readouterr().out
    assert "photo: 2 pictures" in said
    assert "art: 2 pictures, 1 unreadable files skipped (first: broken.jpg)" in said
    gan = StyleGAN.load(tmp_path / "run" / "brushwork.safetensors")
    assert gan.training_record["steps"] == 2
    assert gan.training_record["options"]["crop"] == 32
    assert gan.training_record["options"]["content_scale"] == [40, 64]
    assert gan.sample_style(seed=0).shape[0] == 1

    again = [
        *folders,
        "--out",
        str(tmp_path / "second"),
        "--init",
        str(tmp_path / "run/brushwork.safetensors"),
    ]
    assert main(again) == 0
    record = StyleGAN.load(tmp_path / "second" / "brushwork.safetensors").training_record
    assert record["started_from"]["steps"] == 2
    capsys.readouterr()

    # A finished run is not overwritten by accident, and can be extended.
    assert main(folders) == 2
    assert "holds a run already; add --resume" in capsys.readouterr().err
    assert main([*folders, "--resume", "--steps", "3"]) == 0
    assert StyleGAN.load(tmp_path / "run" / "brushwork.safetensors").training_record["steps"] == 3


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--content", "nowhere"], "There is no folder nowhere"),
        (["--resume"], "There is nothing to resume"),
        (["--init", "nowhere.safetensors"], "There is no checkpoint at nowhere.safetensors"),
        (["--weight", "beauty=3"], "there is no loss 'beauty'; choose one of content,"),
        (["--weight", "gram=much"], "'much' is not a number"),
        (["--steps", "0"], "steps is 0; give 1 or more"),
        (["--content-scale", "64", "40"], "content_scale is (64, 40)"),
        (["--split", "nowhere.json"], "there is no such file"),
        (["--adversarial", "wasserstein"], "adversarial is 'wasserstein'"),
    ],
)
def test_refuses_in_one_sentence(
    folders: list[str], more: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*folders, *more]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
