"""`brushwork train`: what it refuses, what it says, what it leaves on disk."""

from __future__ import annotations

import argparse
import doctest
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import torch

from brushwork.cli import terminal
from brushwork.cli.main import main
from brushwork.cli.train import command as train
from brushwork.cli.train.flags import request_from
from brushwork.models.style_file import read_style, style_fingerprint
from brushwork.models.style_gan import StyleGAN, StyleGANConfig
from brushwork.training.options import MODES, LossWeights, TrainOptions
from brushwork.training.state import read_state, write_state

TINY = StyleGANConfig(
    fine_channels=16, coarse_channels=16, code_dim=32, coarse_blocks=1, fine_blocks=1, mapping_hidden=16
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of an untrained network that is fast."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    StyleGAN(TINY).save(path)
    return path


@pytest.fixture
def folders(inputs_dir: Path, tiny: Path, tmp_path: Path) -> list[str]:
    """Arguments for a run of seconds: two photos and two paintings to train on, one of each to validate."""
    table: dict[str, dict[str, list[str]]] = {}
    for kind in ("photo", "art"):
        (tmp_path / kind).mkdir()
        for path in sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:3]:
            shutil.copy(path, tmp_path / kind)
        names = sorted(f"{kind}/{p.name}" for p in (tmp_path / kind).iterdir())
        table[kind] = {"train": names[1:], "val": names[:1], "test": []}
    (tmp_path / "split.json").write_text(json.dumps(table))
    return [
        *("train", "--content", str(tmp_path / "photo"), "--style", str(tmp_path / "art")),
        *("--split", str(tmp_path / "split.json"), "--out", str(tmp_path / "run"), "--init", str(tiny)),
        *("--steps", "2", "--batch-size", "1", "--resolution", "32", "--late-resolution", "32"),
        *("--style-resolution", "32", "--variants", "1", "--loss-dtype", "float32"),
        *("--content-scale", "40", "64", "--adversarial-from", "0.5", "--identity-share", "0"),
    ]


def options_of(*arguments: str) -> TrainOptions:
    """The options that a command line asks for."""
    parser = argparse.ArgumentParser()
    train.add_parser(parser.add_subparsers())
    args = parser.parse_args(["train", "--style", "art", "--out", "run", *arguments])
    return request_from(args).options()


class TestOptions:
    def test_every_field_has_a_flag_that_changes_it(self) -> None:
        for option in fields(TrainOptions):
            if option.name in ("weights", "mode"):
                continue
            flag = "--" + option.name.replace("_", "-")
            value = {"adversarial": "hinge", "loss_dtype": "bfloat16", "late_from": 0.25}.get(option.name)
            if isinstance(option.default, tuple):
                value = (option.default[0] + 8, option.default[1] + 8)
            elif value is None:
                value = option.default * 2 if isinstance(option.default, int) else option.default / 2
                value = value or 1
            if option.name in ("resolution", "late_resolution"):
                value = option.default - 8
            typed = [str(v) for v in (value if isinstance(value, tuple) else (value,))]
            changed = options_of("--mode", "from_scratch", flag, *typed)
            assert asdict(changed) == asdict(TrainOptions()) | {option.name: value}, option.name

    @pytest.mark.parametrize("mode", MODES)
    def test_what_is_not_given_is_the_mode_s_default(self, mode: str) -> None:
        assert options_of("--mode", mode) == TrainOptions.for_mode(mode)

    def test_the_mode_is_fine_tuning_unless_said(self) -> None:
        assert options_of() == TrainOptions.for_mode("fine_tune")

    def test_weights(self) -> None:
        options = options_of("--weight", "style=12", "--weight", "tv=0")
        expected = asdict(TrainOptions.for_mode("fine_tune").weights) | {"style": 12.0, "tv": 0.0}
        assert asdict(options.weights) == expected

    def test_help_explains_every_option_and_weight(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as exit_:
            main(["train", "--help"])
        assert exit_.value.code == 0
        text = " ".join(capsys.readouterr().out.split())
        for option in fields(TrainOptions):
            if option.name != "weights":
                assert option.metadata["text"] in text
        assert all(f"{f.name}: " in text for f in fields(LossWeights))
        assert "style_code 150, fine_tune 360, from_scratch 40000" in text


class TestRuns:
    def test_from_scratch(self, folders: list[str], tmp_path: Path, capsys) -> None:
        (tmp_path / "art" / "broken.jpg").write_bytes(b"nothing")
        begun = [*folders, "--mode", "from_scratch", "--name", "Mine", "--licence", "CC0 1.0"]
        assert main(begun) == 0
        said = capsys.readouterr().out
        assert "3 photos, 1 of them for validation\n" in said
        assert "1 unreadable files skipped (first: broken.jpg" in said
        assert "step 1 of 2" in said
        assert "steps/s" in said
        assert "validation" in said
        assert "Trained 2 steps." in said
        gan = StyleGAN.load(tmp_path / "run" / "brushwork.safetensors")
        record = gan.training_record
        assert (record["steps"], record["name"], record["licence"]) == (2, "Mine", "CC0 1.0")
        assert record["options"]["resolution"] == 32
        assert record["options"]["content_scale"] == [40, 64]
        assert gan.sample_style(seed=0).shape[0] == 1

        # A finished run is not overwritten by accident, and can be extended; it keeps name and licence.
        assert main(folders) == 2
        assert "holds a run already; add --resume" in capsys.readouterr().err
        more = [
            *("train", "--content", str(tmp_path / "photo"), "--style", str(tmp_path / "art")),
            *("--split", str(tmp_path / "split.json"), "--out", str(tmp_path / "run")),
        ]
        assert main([*more, "--resume", "--steps", "3"]) == 0
        assert "going on from step 2" in capsys.readouterr().out
        record = StyleGAN.load(tmp_path / "run" / "last.safetensors").training_record
        assert (record["steps"], record["name"], record["licence"]) == (3, "Mine", "CC0 1.0")
        assert record["options"]["mode"] == "from_scratch"
        steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "log.jsonl").open()]
        assert steps == [1, 2, 3]

    def test_fine_tuning_remembers_its_start(self, folders: list[str], tiny: Path, tmp_path: Path) -> None:
        before = tiny.read_bytes()
        assert main([*folders, "--mode", "from_scratch", "--out", str(tmp_path / "first")]) == 0
        first = tmp_path / "first" / "brushwork.safetensors"
        assert main([*folders, "--init", str(first), "--out", str(tmp_path / "second")]) == 0
        record = StyleGAN.load(tmp_path / "second" / "brushwork.safetensors").training_record
        assert record["options"]["mode"] == "fine_tune"
        assert record["started_from"]["steps"] == 2
        assert tiny.read_bytes() == before

    def test_a_style_on_the_photos_and_the_network_that_ship(
        self, tmp_path: Path, inputs_dir: Path, gan: StyleGAN, capsys
    ) -> None:
        (tmp_path / "art").mkdir()
        shutil.copy(inputs_dir / "art-hokusai-great-wave.jpg", tmp_path / "art")
        run = [
            *("train", "--mode", "style_code", "--style", str(tmp_path / "art"), "--name", "Wave"),
            *("--out", str(tmp_path / "run"), "--steps", "2", "--batch-size", "2", "--resolution", "64"),
            *("--variants", "1", "--preview-every", "1", "--licence", "public domain"),
        ]
        assert main(run) == 0
        assert "6 photos, 1 of them for validation" in capsys.readouterr().out
        names = {p.name for p in (tmp_path / "run").iterdir()}
        previews = {"preview_000001.jpg", "preview_000002.jpg"}
        assert names == {"style.safetensors", "state.safetensors", "log.jsonl", *previews}
        style = read_style(tmp_path / "run" / "style.safetensors")
        assert (style.name, style.licence) == ("Wave", "public domain")
        assert style.code.shape == gan.encode_style(torch.zeros(1, 3, 64, 64))[0].shape

    def test_a_style_of_another_network_needs_it_again(
        self, folders: list[str], tiny: Path, tmp_path: Path, capsys
    ) -> None:
        folders = [*folders, "--mode", "style_code"]
        assert main(folders) == 0
        start = folders.index("--init")
        without = folders[:start] + folders[start + 2 :]
        assert main([*without, "--resume"]) == 2
        assert "give it again with --init" in capsys.readouterr().err
        assert main([*folders, "--resume", "--steps", "3"]) == 0
        style = read_style(tmp_path / "run" / "style.safetensors")
        assert style.encoder == style_fingerprint(StyleGAN.load(tiny))

    @pytest.mark.skipif(sys.platform == "win32", reason="no process can send another one Ctrl-C")
    def test_ctrl_c_saves_and_resuming_goes_on(self, folders: list[str], tmp_path: Path, capsys) -> None:
        folders = [*folders, "--steps", "1000", "--validate-every", "1000000"]
        command = [sys.executable, "-u", "-m", "brushwork.cli.main", *folders]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "step 10 of" in line:
                process.send_signal(signal.SIGINT)
                break
        lines += process.stdout.readlines()
        assert process.wait() == 130
        assert "stopping after this step, and saving\n" in lines
        assert "The same command with --resume goes on from there.\n" in lines
        step = read_state(tmp_path / "run" / "state.safetensors")[1]["step"]
        assert 10 <= step < 1000
        assert main([*folders, "--resume", "--steps", str(step + 1)]) == 0
        assert f"going on from step {step}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--content", "nowhere"], "There is no folder"),
        (["--resume"], "There is nothing to resume"),
        (["--init", "nowhere.safetensors"], "There is no checkpoint at nowhere.safetensors"),
        (["--weight", "beauty=3"], "there is no loss 'beauty'; choose one of content,"),
        (["--weight", "style=much"], "--weight style is 'much'; give a number."),
        (["--steps", "0"], "steps is 0; give a value from 1 to"),
        (["--steps", "ten"], "--steps is 'ten'; give a whole number."),
        (["--mode", "magic"], "mode is 'magic'; choose one of style_code, fine_tune, from_scratch."),
        (["--content-scale", "64", "40"], "content_scale is (64, 40)"),
        (["--split", "nowhere.json"], "there is no such file"),
        (["--adversarial", "wasserstein"], "adversarial is 'wasserstein'"),
        (["--device", "abacus"], "--device abacus cannot be used here"),
        (["--devices", "0"], "--devices is 0; give 1 or more."),
        (["--devices", "3", "--dry-run"], "batch_size is 1, which 3 processes cannot share evenly"),
        (["--save-minutes", "-1"], "--save-minutes is -1.0; give 0 or more."),
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
    assert main([*folders, "--out", str(tmp_path / "taken" / "run")]) == 2
    error = capsys.readouterr().err
    assert "A file cannot be read or written: " in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("package", "more", "sentence"),
    [
        ("lightning_fabric", ["--devices", "2"], "Several processes need the package lightning-fabric"),
        ("tensorboard", ["--tensorboard"], "TensorBoard logs need the package tensorboard"),
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
    assert 'pip install "brushwork[train]"' in error


def test_tensorboard_shows_losses_scores_and_previews(folders: list[str], tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert main([*folders, "--tensorboard", "--validate-every", "1"]) == 0
    assert main([*folders, "--tensorboard", "--validate-every", "1", "--resume", "--steps", "3"]) == 0
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").open()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    for name in ("total", "gram", "content", "steps_per_second"):
        shown = [(e.step, round(e.value, 3)) for e in events.Scalars(f"training/{name}")]
        assert shown == [(line["step"], pytest.approx(line[name], abs=0.001)) for line in lines]
    assert [e.step for e in events.Scalars("validation/total")] == [0, 1, 2, 3]
    previews = events.Images("preview")
    assert [e.step for e in previews] == [1, 2, 3]
    assert (previews[0].width, previews[0].height) == (768, 256)


def test_tensorboard_forgets_what_a_resumed_run_does_again(folders: list[str], tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tmp_path / "run"
    assert main([*folders, "--tensorboard", "--steps", "1"]) == 0
    kept = (run / "state.safetensors").read_bytes()
    assert main([*folders, "--tensorboard", "--resume", "--steps", "3"]) == 0
    (run / "state.safetensors").write_bytes(kept)  # as if it had been killed before it saved again
    assert main([*folders, "--tensorboard", "--resume", "--steps", "4"]) == 0
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    assert [e.step for e in events.Scalars("training/total")] == [1, 2, 3, 4]


def test_durations_are_said_as_a_person_says_them() -> None:
    assert doctest.testmod(terminal).failed == 0


class TestDryRun:
    def test_checks_measures_and_writes_nothing(self, folders: list[str], tmp_path: Path, capsys) -> None:
        shutil.copy(next((tmp_path / "art").iterdir()), tmp_path / "art" / "again.jpg")
        (tmp_path / "art" / "broken.jpg").write_bytes(b"nothing")
        before = sorted(tmp_path.rglob("*"))
        assert main([*folders, "--dry-run", "--batch-size", "4", "--devices", "2", "--tensorboard"]) == 0
        assert sorted(tmp_path.rglob("*")) == before
        said = capsys.readouterr().out
        assert "1 group of duplicates" in said
        assert "broken.jpg" in said
        plan = {line[:14].strip(): line[14:] for line in said.splitlines() if line[:14].strip()}
        assert plan["mode"] == "fine_tune"
        assert plan["begins with"].endswith("tiny.safetensors")
        assert plan["processes"].startswith("2 (2 on each of 1), measured on ")
        assert plan["batch"] == "2 of 4 pictures in each process"
        generator = sum(p.numel() for p in StyleGAN(TINY).generator.parameters())
        code = TINY.layers * TINY.code_dim
        assert plan["trains"].startswith(f"{generator + code:,} numbers, and ")
        assert plan["time"].startswith("about ")
        assert "1 steps of " in said
        assert "with the discriminator" in said
        assert plan["memory"].startswith("about ")
        assert str(tmp_path / "run" / "tensorboard") in said
        assert "steps 2, batch_size 4, resolution 32" in said

    def test_of_a_run_to_resume(self, folders: list[str], tmp_path: Path, capsys) -> None:
        assert main(folders) == 0
        before = {p: p.read_bytes() for p in (tmp_path / "run").iterdir()}
        capsys.readouterr()
        assert main([*folders, "--resume", "--dry-run", "--steps", "5"]) == 0
        said = capsys.readouterr().out
        assert f"begins with   the run in {tmp_path / 'run'}" in said
        assert "steps 5" in said
        assert {p: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before


def test_a_split_that_leaves_nothing(folders: list[str], tmp_path: Path, capsys) -> None:
    empty = {"train": [], "val": [], "test": []}
    (tmp_path / "split.json").write_text(json.dumps({"photo": empty, "art": empty}))
    assert main(folders) == 2
    assert "leaves none of the 3 photos" in capsys.readouterr().err
    (tmp_path / "split.json").write_text("{")
    assert main(folders) == 2
    assert "is not JSON" in capsys.readouterr().err
