"""The recipe of the default weights, with very little time."""

from __future__ import annotations

import json
import re
import time
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from small_pictures import small_copies
from tiny_network import TINY

from brushwork.cli.terminal import stop_on_signals
from brushwork.models import StyleGAN
from brushwork.models.style_gan import StyleGANConfig
from brushwork.training.options import TrainOptions
from brushwork.training.runs.plan import Estimate, Phase
from scripts import default_weights

pytestmark = pytest.mark.usefixtures("small_validation", "quick_estimates", "slim_loss_network")


@pytest.fixture
def data(photos: list[Path], paintings: list[Path], tmp_path: Path) -> Path:
    split = {}
    for kind, pictures in (("content", photos), ("style", paintings)):
        names = [f"{kind}/{path.name}" for path in small_copies(pictures, tmp_path / "data" / kind)]
        split[kind] = {"train": names[:2], "val": names[2:], "test": []}
    (tmp_path / "data" / "split.json").write_text(json.dumps(split))
    return tmp_path / "data"


@pytest.fixture
def light_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages with batches of two small pictures in one variant and narrow networks; all else as it is."""
    monkeypatch.setattr(StyleGANConfig.__init__, "__defaults__", astuple(TINY))
    light = {"batch_size": 2, "variants": 1, "resolution": 32, "style_resolution": 48}
    light |= {"content_scale": (48, 64), "style_scale": (48, 64)}
    stages = tuple(replace(stage, options=stage.options | light) for stage in default_weights.STAGES)
    monkeypatch.setattr(default_weights, "STAGES", stages)


def finished(folder: Path) -> StyleGAN:
    return StyleGAN.load(folder / "last.safetensors")


@pytest.mark.usefixtures("light_stages")
def test_every_stage_goes_on_from_the_one_before_and_is_not_repeated(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    command = [str(data), str(out), "--minutes", "1e-6", "--weight", "tv=0.5"]
    assert default_weights.main(command) == 0
    said = capsys.readouterr().out
    assert re.search(r"shapes: [\d.]+ samples/s without the discriminator\nshapes: 1 step in 0 s\n", said)
    assert re.search(r"strokes: [\d.]+ samples/s with the discriminator\nstrokes: 1 step ", said)
    before = None
    for stage in default_weights.STAGES:
        record = finished(out / stage.name).training_record
        assert record["steps"] == 1
        options = record["options"]
        for name, value in stage.options_here().items():
            assert options[name] == (list(value) if isinstance(value, tuple) else value)
        assert options["weights"]["adversarial"] == stage.weights["adversarial"]
        assert (record.get("started_from") or {}).get("options") == before
        before = options
    # Further flags are for the last run, and its network has a distribution of styles.
    assert before["weights"]["tv"] == 0.5
    assert finished(out / "strokes").space is not None

    kept = {path: path.read_bytes() for path in out.glob("*/*.safetensors")}
    assert default_weights.main(command) == 0
    assert {path: path.read_bytes() for path in out.glob("*/*.safetensors")} == kept


@pytest.mark.usefixtures("light_stages")
def test_given_weights_skip_the_first_stage(data: Path, tmp_path: Path) -> None:
    start, out = tmp_path / "start.safetensors", tmp_path / "runs"
    gan = StyleGAN(TINY)
    gan.training_record = {"steps": 7, "name": "a start"}
    gan.save(start)
    assert default_weights.main([str(data), str(out), "--minutes", "1e-6", "--start", str(start)]) == 0
    assert [path.name for path in out.iterdir()] == ["strokes"]
    network = finished(out / "strokes")
    assert network.config == TINY
    assert network.training_record["started_from"] == gan.training_record
    assert network.space is not None


@pytest.mark.usefixtures("light_stages")
def test_a_run_that_was_stopped_goes_on_with_its_own_number_of_steps(data: Path, tmp_path: Path) -> None:
    start, out = tmp_path / "start.safetensors", tmp_path / "runs"
    StyleGAN(TINY).save(start)
    command = [str(data), str(out), "--start", str(start), "--save-minutes", "0"]
    # Stopped at once: the measurement has allowed for thousands of steps.
    assert default_weights.main([*command, "--minutes", "60", "--stop-after", "1e-6"]) == 130
    record = finished(out / "strokes").training_record
    assert record["steps"] < record["options"]["steps"]
    assert default_weights.main([*command, "--minutes", "1e-6", "--stop-after", "1e-6"]) == 130
    assert finished(out / "strokes").training_record["options"] == record["options"]
    assert finished(out / "strokes").training_record["steps"] >= record["steps"]


def test_more_time_is_more_steps(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Estimate({Phase(600, 64, False): 0.5, Phase(400, 64, True): 1.0}, None, 0, 0, 0)
    monkeypatch.setattr(default_weights, "estimate", lambda *args: measured)
    command = [
        "train",
        "--mode",
        "from_scratch",
        "--out",
        str(tmp_path / "run"),
        "--style",
        str(data / "style"),
    ]
    # Half a second for 600 of 1000 steps and a second for the others: 0.7 s each.
    assert [default_weights.fitting_steps(command, "run", seconds) for seconds in (7, 700)] == [10, 1000]


def test_the_time_is_up_again_and_again() -> None:
    """The first signal may come before anybody listens."""
    with default_weights.stopping_after(0.0):
        time.sleep(0.2)
        with stop_on_signals() as stopped:
            deadline = time.monotonic() + 20
            while not stopped():
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_a_folder_that_lacks_the_pictures_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert default_weights.main([str(tmp_path), str(tmp_path / "runs"), "--minutes", "1"]) == 2
    assert "scripts.default_weights: " in capsys.readouterr().err


@pytest.mark.parametrize("stage", default_weights.STAGES, ids=lambda stage: stage.name)
def test_options_are_the_trainers_own(stage: default_weights.Stage) -> None:
    for chosen in (stage.options, {**stage.options, **stage.on_cuda}):
        options = TrainOptions.for_mode("from_scratch", stage.weights, steps=10, **chosen)
        assert options.uses_discriminator == (stage is default_weights.STAGES[-1])
    assert sum(each.share for each in default_weights.STAGES) == pytest.approx(1)


def test_crops_are_larger_and_more_with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    def batch_and_size(has_cuda: bool) -> tuple[str, str]:
        monkeypatch.setattr("torch.cuda.is_available", lambda: has_cuda)
        flags = default_weights.STAGES[-1].flags()
        return flags[flags.index("--batch-size") + 1], flags[flags.index("--resolution") + 1]

    assert (batch_and_size(False), batch_and_size(True)) == (("4", "224"), ("32", "384"))
