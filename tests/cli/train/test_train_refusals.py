"""`brushwork train`: what it refuses, in one sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from brushwork.cli.main import main
from brushwork.training.state import write_state


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--content", "nowhere"], "There is no folder"),
        (["--resume"], "There is nothing to resume"),
        (["--init", "nowhere.safetensors"], "--init: There is no checkpoint at nowhere.safetensors"),
        (["--weight", "beauty=3"], "there is no loss 'beauty'; choose one of content,"),
        (["--weight", "style=much"], "--weight style is much; give a number from 0 to 1000."),
        (["--steps", "0"], "train: --steps is 0; give a whole number from 1 to 10000000."),
        (["--steps", "ten"], "--steps is ten; give a whole number from 1 to 10000000."),
        (["--mode", "magic"], "mode is 'magic'; choose one of style_code, fine_tune, from_scratch."),
        (["--size-shares", "0", "0", "0"], "--size-shares is 0 0 0; give at least one size a share above 0."),
        (["--content-scale", "64", "40"], "--content-scale is 64 40; give the smaller side first."),
        (["--split", "nowhere.json"], "there is no such file"),
        (["--adversarial", "wasserstein"], "adversarial is 'wasserstein'"),
        (["--device", "abacus"], "--device abacus cannot be used here"),
        (["--device", "hpu"], "--device hpu cannot be used here; give cpu, or leave it out."),
        (["--devices", "0"], "--devices is 0; give 1 to 256."),
        (["--devices", "1000000"], "--devices is 1000000; give 1 to 256."),
        (["--num-nodes", "9" * 99], f"--num-nodes is {'9' * 38}...{'9' * 39}; give 1 to 4096."),
        (["--devices", "3", "--dry-run"], "--batch-size is 1, which 3 processes cannot share evenly"),
        (["--save-minutes", "-1"], "--save-minutes is -1; give 0 or more."),
    ],
)
def test_refuses_in_one_sentence(
    folders: list[str], more: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*folders, *more]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_run_of_another_version(folders: list[str], tmp_path: Path, capsys) -> None:
    (tmp_path / "run").mkdir()
    header = {"step": 3, "options": {"crop": 128, "weights": {"gram": 8.0}}}
    write_state(tmp_path / "run" / "state.safetensors", {"gan.x": torch.zeros(1)}, header)
    assert main([*folders, "--resume"]) == 2
    assert "was begun with another version of Brushwork" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made(folders: list[str], tmp_path: Path, capsys) -> None:
    (tmp_path / "taken").write_text("")
    run = tmp_path / "taken" / "run"
    for more in ([], ["--dry-run"]):
        assert main([*folders, *more, "--out", str(run)]) == 2
        sentence = f"--out {run} cannot be made: Not a directory; name another folder."
        assert capsys.readouterr() == ("", f"brushwork train: {sentence}\n")


@pytest.mark.parametrize(
    ("package", "more", "sentence"),
    [
        ("lightning_fabric", ["--devices", "2"], "Several processes need the package lightning-fabric"),
        (
            "lightning_fabric",
            ["--devices", "2", "--dry-run"],
            "Several processes need the package lightning-",
        ),
        ("tensorboard", ["--tensorboard"], "TensorBoard logs need the package tensorboard"),
        ("tensorboard", ["--tensorboard", "--dry-run"], "TensorBoard logs need the package tensorboard"),
        ("rich", [], "rich is missing; in the folder of Brushwork install what training needs with: pip"),
        (
            "rich",
            ["--dry-run"],
            "rich is missing; in the folder of Brushwork install what training needs with: pip",
        ),
    ],
)
def test_a_missing_package_is_named(
    package: str, more: list[str], sentence: str, folders: list[str], monkeypatch, capsys
) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == package or name.startswith(f"torch.utils.{package}"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # which makes its import fail
    assert main([*folders, *more]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert 'with: pip install ".[train]"' in error


def test_a_split_that_leaves_nothing(folders: list[str], tmp_path: Path, capsys) -> None:
    empty = {"train": [], "val": [], "test": []}
    (tmp_path / "split.json").write_text(json.dumps({"photo": empty, "art": empty}))
    assert main(folders) == 2
    assert "leaves none of the photos in" in capsys.readouterr().err
    (tmp_path / "split.json").write_text("{")
    assert main(folders) == 2
    assert f"--split: {tmp_path / 'split.json'} is not JSON" in capsys.readouterr().err
