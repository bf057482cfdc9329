"""Training states that somebody damaged: one sentence, before anything of the run is changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from picture_sets import picture_set
from safetensors.torch import load, save
from training_states import read_state

from brushwork.base.tensor_header import join_header, split_header
from brushwork.models import CheckpointError, StyleGAN
from brushwork.models.style_gan import StyleGANConfig
from brushwork.training.runs.files import RunFiles
from brushwork.training.runs.resume import RunProgress, resume_options
from brushwork.training.runs.run import open_run
from brushwork.training.runs.spec import RunSpec
from brushwork.training.state import STATE_FORMAT
from brushwork.training.trainer import Trainer, TrainingError

pytestmark = pytest.mark.usefixtures("small_validation", "slim_loss_network")
TINY = StyleGANConfig(*[8] * 3, 1, 1, 8, 8, 1, 2, 2, 2, 8)
PROGRESS = {"sums": {"total": 1.5}, "counts": {"total": 2}, "scores": [{"step": 0, "total": 2.0}]}
PROGRESS |= {"best_step": 0, "worse": 0}


@pytest.fixture(scope="module")
def start() -> StyleGAN:
    torch.manual_seed(0)
    return StyleGAN(TINY)


@pytest.fixture
def run(photos, paintings, small, start, tmp_path):
    """A run that can be resumed, and its state as it was saved."""
    options = replace(small, mode="style_code", steps=4)
    sets = picture_set(photos[:1], photos[1:2]), picture_set(paintings[:1], paintings[1:2])
    spec = RunSpec(options, *sets, RunFiles.in_folder(tmp_path), start, name="Mine")
    trainer = Trainer(options, photos[:1], paintings[:1], start=start)
    trainer.train_step()
    trainer.save_state(spec.files.state, PROGRESS)
    return trainer, spec


def change(path: Path, tensors=None, **header: object) -> None:
    """Write the state again with changed tensors and header entries."""
    data = path.read_bytes()
    texts = split_header(data)[0]["__metadata__"]
    found = load(data)
    if tensors is not None:
        tensors(found)
    known = json.loads(texts["header"]) | header
    path.write_bytes(save(found, texts | {"header": json.dumps(known)}))


def refusal(trainer: Trainer, path: Path) -> str:
    before = {name: value.clone() for name, value in trainer.painter.state_dict().items()}
    step = trainer.step
    with pytest.raises((TrainingError, CheckpointError)) as caught:
        trainer.load_state(path)
    assert trainer.step == step
    assert all(value.equal(before[name]) for name, value in trainer.painter.state_dict().items())
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400 + len(str(path))
    return message


BAD_PROGRESS = [
    {"step": "x"},
    {"step": -1},
    {"step": 1.5},
    {"step": True},
    {"step": float("nan")},
    {"step": 10**30},
    {"step": None},
    {"step": "9" * 10_000},
    {"micro_batch": 0},
    {"micro_batch": "2"},
    {"bad_in_row": -1},
    {"rate_factor": float("nan")},
    {"rate_factor": 0},
    {"rate_factor": [1]},
    {"rate_factor": 10**400},
    {"ancestor": 3},
    {"options": []},
    {"progress": "x"},
]
BAD_RECORDS = [
    {},
    {"sums": []},
    {"sums": {"total": "x"}},
    {"counts": {"total": 0}},
    {"counts": {}},
    {"scores": {}},
    {"scores": [3]},
    {"scores": [{"step": 0}]},
    {"scores": [{"step": 0, "total": 10**400}]},
    {"sums": {"total": -(10**400)}},
    {"counts": {"total": 10**400}},
    {"best_step": "x"},
    {"best_step": -1},
    {"worse": None},
    {"more": 1},
]


def test_states_that_no_run_has(run, start, photos, paintings):
    trainer, spec = run
    path, whole = spec.files.state, spec.files.state.read_bytes()

    # How far it has come, in wrong words.
    for bad in BAD_PROGRESS:
        path.write_bytes(whole)
        change(path, **bad)
        assert f"is damaged: its {next(iter(bad))} " in refusal(trainer, path)
        with pytest.raises(TrainingError, match="is damaged"):
            resume_options(path, {})

    # Tensors that are not finite, too many, or of another kind.
    name = "painter.code"
    for tensors, said in (
        (lambda t: t[name].fill_(torch.nan), f"'{name}' has values that are not finite"),
        (lambda t: t["opt_g.0.exp_avg"].fill_(torch.inf), "not finite; begin a new run with its best"),
        (lambda t: t.update({name: t[name].int()}), f"is damaged: '{name}' is I32"),
        (lambda t: t.update({name: t[name][:, 1:].clone()}), "has another network or other losses"),
        (lambda t: t.pop(name), "has another network or other losses"),
        (lambda t: t.update({"opt_g.9.exp_avg": torch.zeros(1)}), "has another network or other losses"),
        (lambda t: t.update({"opt_g.x": torch.zeros(1)}), "has another network or other losses"),
        (lambda t: t.update(ghost=torch.zeros(1)), "has another network or other losses"),
    ):
        path.write_bytes(whole)
        change(path, tensors)
        assert said in refusal(trainer, path)

    # Options that no run has: one sentence, or the error for those of another version.
    for bad, said in (
        ({"steps": "x"}, "steps is 'x'; give a whole number"),
        ({"steps": 1.5}, "steps is 1.5; give a whole number"),
        ({"steps": True}, "steps is True; give a whole number"),
        ({"content_scale": [64]}, "content_scale is"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": 10**400}, "lr is 1000"),
        ({"steps": 10**400}, "steps is 1000"),
        ({"mode": "x" * 999}, "mode is 'xxx"),
        ({"weights": {"style": "x"}}, "style is 'x'; give a number"),
    ):
        path.write_bytes(whole)
        change(path, options=trainer.options.as_dict() | bad)
        with pytest.raises(ValueError, match=said) as caught:
            resume_options(path, {})
        assert len(str(caught.value)) < 300

    # A record of losses that is none; and the whole file is good.
    for bad in BAD_RECORDS:
        with pytest.raises(TrainingError, match="is no such record"):
            RunProgress.read((PROGRESS | bad) if bad else {})
    path.write_bytes(whole)
    assert RunProgress.read(trainer.load_state(path)).sums == {"total": 1.5}


def test_a_torn_log_does_not_stop_a_resume_and_nothing_before_is_lost(run):
    _, spec = run
    lines = [{"step": step, "total": 1.0} for step in (0, 1)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    spec.files.log.write_text(text + '{"step": 1, "tot')
    resumed = open_run(replace(spec, resume=True))
    assert resumed.log.lines == lines
    assert spec.files.log.read_text() == text


@pytest.mark.parametrize("text", [None, "", "[]", "{", "3", "[" * 100_000, '{"step": 1, "step": 2}'])
def test_headers_that_are_none(tmp_path, text):
    texts = {"format": STATE_FORMAT} | ({} if text is None else {"header": text})
    (tmp_path / "state").write_bytes(save({"x": torch.zeros(1)}, texts))
    with pytest.raises(CheckpointError, match=r"is damaged: its header .*; start the run anew\."):
        read_state(tmp_path / "state")


def test_gigabytes_too_many_are_not_read(run):
    trainer, spec = run
    header, tensors = split_header(spec.files.state.read_bytes())
    header["ghost"] = {"dtype": "F32", "shape": [2**26], "data_offsets": [len(tensors), len(tensors) + 2**28]}
    data = join_header(header, tensors)
    with spec.files.state.open("wb") as file:
        file.write(data)
        file.truncate(len(data) + 2**28)
    assert "has another network or other losses" in refusal(trainer, spec.files.state)
