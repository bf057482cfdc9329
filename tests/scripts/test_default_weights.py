"""The recipe of the default weights, with a single step in every stage."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from brushwork.models import StyleGAN
from brushwork.training.options import TrainOptions
from scripts import default_weights

pytestmark = pytest.mark.usefixtures("small_validation")


@pytest.fixture
def data(photos: list[Path], paintings: list[Path], tmp_path: Path) -> Path:
    split = {}
    for kind, pictures in (("content", photos), ("style", paintings)):
        folder = tmp_path / "data" / kind
        folder.mkdir(parents=True)
        names = [f"{kind}/{Path(shutil.copy(picture, folder)).name}" for picture in pictures]
        split[kind] = {"train": names[:2], "val": names[2:], "test": []}
    (tmp_path / "data" / "split.json").write_text(json.dumps(split))
    return tmp_path / "data"


@pytest.fixture
def light_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages with batches of two pictures in one variant; all else as it is."""
    light = {"batch_size": 2, "variants": 1}
    stages = tuple(replace(stage, options=stage.options | light) for stage in default_weights.STAGES)
    monkeypatch.setattr(default_weights, "STAGES", stages)


@pytest.mark.usefixtures("light_stages")
def test_every_stage_goes_on_from_the_one_before_and_is_not_repeated(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    command = [str(data), str(out), "--scale", "1e-9"]
    assert default_weights.main(command) == 0
    before = None
    for number, stage in enumerate(default_weights.STAGES, 1):
        record = StyleGAN.load(out / str(number) / "last.safetensors").training_record
        options = record["options"]
        assert (record["steps"], options["resolution"]) == (1, stage.options_here()["resolution"])
        assert options["weights"]["identity"] == stage.weights.get("identity", 2.0)
        assert (record.get("started_from") or {}).get("options") == before
        before = options
    assert StyleGAN.load(out / str(number) / "last.safetensors").space is not None
    kept = {path: path.read_bytes() for path in out.glob("*/*.safetensors")}
    assert default_weights.main(command) == 0
    assert {path: path.read_bytes() for path in out.glob("*/*.safetensors")} == kept


def test_a_folder_that_lacks_the_pictures_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert default_weights.main([str(tmp_path), str(tmp_path / "runs")]) == 2
    assert "brushwork train: " in capsys.readouterr().err


@pytest.mark.parametrize("stage", default_weights.STAGES)
def test_options_are_the_trainers_own(stage: default_weights.Stage) -> None:
    for chosen in (stage.options, stage.options | stage.on_cuda):
        options = TrainOptions.for_mode("from_scratch", stage.weights, steps=stage.steps, **chosen)
        assert options.uses_discriminator == (stage in default_weights.STAGES[-4:])


def test_the_last_stage_takes_more_and_larger_crops_with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    def batch_and_size(has_cuda: bool) -> tuple[str, str]:
        monkeypatch.setattr("torch.cuda.is_available", lambda: has_cuda)
        flags = default_weights.STAGES[-1].flags(1.0)
        return flags[flags.index("--batch-size") + 1], flags[flags.index("--resolution") + 1]

    assert (batch_and_size(False), batch_and_size(True)) == (("4", "256"), ("24", "320"))
