"""A run on disk: log, validation, best and last weights, previews, the way back after Cancel."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from network_weights import equal
from picture_sets import picture_set
from PIL import Image
from small_run import SMALL
from tiny_network import TINY
from training_states import read_state

from brushwork.models.style_file import read_style, style_fingerprint
from brushwork.models.style_gan import StyleGAN
from brushwork.training.options import TrainOptions
from brushwork.training.painter import copy_network, fit_to_codes
from brushwork.training.runs.files import RunFiles
from brushwork.training.runs.run import Run, RunOutcome, open_run
from brushwork.training.runs.spec import RunSpec
from brushwork.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("small_validation", "slim_loss_network")


def run_of(
    options: TrainOptions, photos: list[Path], paintings: list[Path], start: StyleGAN, folder: Path
) -> Run:
    """A run on two photos and two paintings, one each to validate."""
    sets = picture_set(photos[:2], photos[2:]), picture_set(paintings[:2], paintings[2:])
    spec = RunSpec(options, *sets, RunFiles.in_folder(folder), start, name="Mine", licence="CC0")
    return Run(Trainer(options, photos[:2], paintings[:2], start=start), spec, log_every=2)


@pytest.fixture
def start() -> StyleGAN:
    torch.manual_seed(0)
    return StyleGAN(TINY)


@pytest.fixture
def make(photos: list[Path], paintings: list[Path], start: StyleGAN, tmp_path: Path):
    """make(mode, folder, **options) -> a run on two photos and two paintings, one each to validate."""

    def run(mode: str = "fine_tune", folder: str = "run", **options: object) -> Run:
        return run_of(replace(SMALL, mode=mode, **options), photos, paintings, start, tmp_path / folder)

    return run


@dataclass
class Finished:
    """A run that nothing stopped, and what it showed."""

    run: Run
    shown: list[tuple[int, Image.Image]] = field(default_factory=list)
    outcome: RunOutcome = field(init=False)

    def __post_init__(self) -> None:
        self.outcome = self.run.train(on_preview=lambda step, image: self.shown.append((step, image)))


@pytest.fixture(scope="module")
def whole(
    photos: list[Path], paintings: list[Path], small_validation: None, tmp_path_factory
) -> Callable[[str], Finished]:
    """whole(mode) -> a finished run, the same for all tests, which must not change it."""
    torch.manual_seed(0)
    start = StyleGAN(TINY)
    known: dict[str, Finished] = {}

    def finished(mode: str) -> Finished:
        if mode not in known:
            known[mode] = Finished(
                run_of(replace(SMALL, mode=mode), photos, paintings, start, tmp_path_factory.mktemp(mode))
            )
        return known[mode]

    return finished


class TestFiles:
    def test_from_scratch(self, whole) -> None:
        run = whole("from_scratch").run
        assert whole("from_scratch").outcome == RunOutcome("done", "Trained 6 steps.")
        gan, code = run.finish()
        names = {p.name for p in run.files.folder.iterdir()}
        assert {"log.jsonl", "state.safetensors", "brushwork.safetensors", "last.safetensors"} <= names
        assert {"style.safetensors", "sheet_000006.jpg", "preview_000003.jpg", "preview_000006.jpg"} <= names
        lines = [json.loads(line) for line in run.files.log.read_text().splitlines()]
        assert [line["step"] for line in lines] == [2, 4, 6]
        assert lines == run.log.lines
        assert "adversarial" in lines[1]
        assert "adversarial" not in lines[0]
        last = StyleGAN.load(run.files.last)
        assert last.training_record["steps"] == 6
        for network in (gan, last):
            assert network.sample_style(seed=1, count=2).shape == (2, TINY.layers, TINY.code_dim)
        assert code.shape == (1, TINY.layers, TINY.code_dim)

    def test_fine_tune_keeps_the_best_and_the_last(self, make, start: StyleGAN) -> None:
        run = make("fine_tune", lr=1e-2)
        run.train()
        gan, code = run.finish()
        scores = {s["step"]: s["total"] for s in run.progress.scores}
        assert list(scores) == [0, 3, 6]
        assert run.progress.best_step == min(scores, key=scores.get)
        assert gan.training_record["steps"] == run.progress.best_step
        last = StyleGAN.load(run.files.last)
        assert last.training_record["steps"] == 6
        style = read_style(run.files.style)
        assert torch.equal(style.code[None], code)
        assert style.licence == "CC0"
        assert style.picture().size[0] == 160
        # The encoders are those of the network before: its styles can still be used.
        assert style.encoder == style_fingerprint(gan) == style_fingerprint(start)

    def test_style_code_writes_a_style_and_no_network(self, make) -> None:
        run = make("style_code", lr=0.1)
        run.train()
        gan, code = run.finish()
        assert not run.files.best.exists()
        assert not run.files.last.exists()
        assert torch.equal(code[0], read_style(run.files.style).code)
        assert gan.config == TINY

    def test_the_header_tells_the_recipe_and_no_path(self, whole) -> None:
        run = whole("fine_tune").run
        record = StyleGAN.load(run.files.last).training_record
        assert record["options"]["mode"] == "fine_tune"
        assert (record["name"], record["licence"], record["samples"]) == ("Mine", "CC0", 12)
        assert [set(p) for p in record["style_pictures"]] == [{"name", "sha256_start"}] * 2
        assert record["style_pictures"][0]["name"] == run.trainer.paintings[0].name
        assert record["validation"][0]["step"] == 6
        header = run.files.last.read_bytes()[:20_000]
        assert str(run.files.folder).encode() not in header
        assert str(run.trainer.paintings[0].parent).encode() not in header

    def test_preview_shows_photo_painting_and_result(self, whole) -> None:
        shown = whole("fine_tune").shown
        assert [step for step, _ in shown] == [3, 6]
        assert shown[0][1].size == (768, 256)
        kept = Image.open(whole("fine_tune").run.files.folder / "preview_000003.jpg")
        assert kept.size == (768, 256)

    def test_pictures_in_memory(
        self, photos: list[Path], paintings: list[Path], start: StyleGAN, tmp_path: Path
    ) -> None:
        images = [Image.open(p).convert("RGB") for p in paintings]
        options = replace(SMALL, mode="style_code", steps=2)
        sets = picture_set(photos), picture_set(images)
        run = open_run(RunSpec(options, *sets, RunFiles.in_folder(tmp_path), start))
        run.train()
        assert [p["name"] for p in run.record()["style_pictures"]] == ["image 1", "image 2", "image 3"]


class TestEnd:
    def test_early_when_the_validation_score_worsens(self, make) -> None:
        # A rate at which a network unlearns what it knew.
        run = make(lr=0.3, steps=30, validate_every=1, patience=2, warmup=1)
        outcome = run.train()
        assert outcome.reason == "early"
        assert f"best at step {run.progress.best_step}" in outcome.sentence
        assert run.trainer.step == run.progress.best_step + 2

    def test_diverged_keeps_the_best(self, make) -> None:
        run = make(steps=30, bad_steps=2)

        def spoil(step: int, values: dict[str, float]) -> None:
            if step == 4:
                with torch.no_grad():
                    run.trainer.painter.gan.generator.head.bias.fill_(float("nan"))

        outcome = run.train(spoil)
        assert outcome.reason == "diverged"
        assert "not finite in 2 steps in a row" in outcome.sentence
        gan, _ = run.finish()
        assert all(torch.isfinite(p).all() for p in gan.parameters())
        assert read_state(run.files.state)[1]["step"] == 5

    def test_a_style_space_needs_two_paintings(self, gan: StyleGAN, paintings: list[Path]) -> None:
        own = copy_network(gan)
        fit_to_codes(own, paintings[:1], side=64)
        assert own.space is None
        fit_to_codes(own, paintings[:2], side=64)
        assert own.space is not None
        assert own.space.count == 2
        assert own.generator.colors is None, "two paintings say nothing about a third one"


class TestResume:
    @pytest.mark.parametrize("mode", ["from_scratch", "fine_tune", "style_code"])
    def test_stopped_and_resumed_equals_never_stopped(self, mode: str, make, whole) -> None:
        whole = whole(mode).run
        cut = make(mode, "cut")
        outcome = cut.train(stop=lambda: cut.trainer.step == 5)
        assert outcome == RunOutcome("stopped", "Stopped at step 5 of 6.")
        again = make(mode, "cut")
        again.resume()
        assert again.trainer.step == 5
        assert again.train().reason == "done"
        assert equal(read_state(whole.files.state)[0], read_state(again.files.state)[0])
        assert again.progress == whole.progress
        losses = [{k: v for k, v in line.items() if k != "steps_per_second"} for line in again.log.lines]
        assert losses == [{k: v for k, v in x.items() if k != "steps_per_second"} for x in whole.log.lines]
        assert torch.equal(whole.finish()[1], again.finish()[1])
        if mode != "style_code":
            assert equal(whole.finish()[0].state_dict(), again.finish()[0].state_dict())

    def test_a_finished_run_has_nothing_left_to_do(self, make, whole, tmp_path: Path) -> None:
        shutil.copytree(whole("fine_tune").run.files.folder, tmp_path / "run")
        again = make()
        again.resume()
        steps: list[int] = []
        assert again.train(lambda step, values: steps.append(step)).reason == "done"
        assert steps == []

    def test_lines_logged_after_the_state_was_saved_are_logged_once(self, make) -> None:
        run = make("style_code")
        run.train(stop=lambda: run.trainer.step == 4)
        with run.files.log.open("a") as file:
            file.write(json.dumps({"step": 6, "total": 1.0}) + "\n")
        again = make("style_code")
        again.resume()
        again.train()
        lines = [json.loads(line)["step"] for line in run.files.log.read_text().splitlines()]
        assert lines == [2, 4, 6]

    def test_a_new_run_takes_no_lines_from_one_that_was_killed_before_its_first_save(self, make) -> None:
        run = make("style_code")
        run.files.log.write_text(json.dumps({"step": 2, "total": 1.0}) + "\n")
        run.train(stop=lambda: run.trainer.step == 2)
        again = make("style_code")
        again.resume()
        again.train()
        assert [line["step"] for line in again.log.lines] == [2, 4, 6]
        lines = [json.loads(line)["step"] for line in run.files.log.read_text().splitlines()]
        assert lines == [2, 4, 6]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"licence": "x" * 1001}, r"^licence has 1,001 characters; give 1,000 at most\.$"),
        ({"name": "x" * 1001}, r"^name has 1,001 characters; give 1,000 at most\.$"),
        ({"preview_every": -1}, r"^preview_every is -1; give a whole number from 0\.$"),
    ],
)
def test_what_the_style_file_would_refuse(photos, paintings, tmp_path, wrong, sentence):
    sets = picture_set(photos[:2], photos[2:]), picture_set(paintings[:2], paintings[2:])
    with pytest.raises(ValueError, match=sentence):
        RunSpec(SMALL, *sets, RunFiles.in_folder(tmp_path), **wrong)
