"""Node, command and API train on the same pictures, with the same options and the same first batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
import torch
from PIL import Image

from brushwork.cli.main import main
from brushwork.dataset.collection import photos_and_paintings
from brushwork.dataset.splits import MANY
from brushwork.nodes import StyleDataset, TrainStyle
from brushwork.nodes.shared.sockets import ManagedGAN
from brushwork.training.crops import Batch
from brushwork.training.options import TrainOptions
from brushwork.training.runs.files import RunFiles
from brushwork.training.runs.run import Run, open_run
from brushwork.training.runs.spec import RunSpec

MODE = "from_scratch"
SIDE = 96


class Begun(Exception):
    """The run is ready to train."""


@dataclass
class Start:
    """What a run begins with."""

    options: TrainOptions
    train: tuple[list[Path], list[Path]]
    val: tuple[list[Path], list[Path]]
    batch: Batch


@pytest.fixture
def start_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], Start]:
    """start_of(begin) -> what the run that `begin` begins would train on; it stops there."""
    starts: list[Start] = []

    def look(run: Run, *args: object) -> None:
        trainer = run.trainer
        train, val = (trainer.photos, trainer.paintings), (run.photos, run.paintings)
        starts.append(Start(trainer.options, train, val, trainer.crops.batch(0)))
        raise Begun

    monkeypatch.setattr(Run, "train", look)

    def start(begin: Callable[[], object]) -> Start:
        with torch.inference_mode(False), pytest.raises(Begun):
            begin()
        return starts.pop()

    return start


@pytest.fixture(params=[12, MANY + 10])
def folders(request: pytest.FixtureRequest, inputs_dir: Path, tmp_path: Path) -> tuple[Path, Path]:
    """12 photos and so many paintings, one of them twice: squares of the pictures that ship."""
    for kind, count in (("photo", 12), ("art", request.param)):
        (tmp_path / kind / "more").mkdir(parents=True)
        squares = (
            picture.crop((left, top, left + SIDE, top + SIDE))
            for picture in map(Image.open, sorted(inputs_dir.glob(f"{kind}-*.jpg")))
            for top in range(0, picture.height - SIDE, SIDE)
            for left in range(0, picture.width - SIDE, SIDE)
        )
        for number, square in zip(range(count), squares, strict=False):
            square.save(tmp_path / kind / ("more" if number % 2 else "") / f"{number}.png")
    art = tmp_path / "art"
    (art / "copy of 0.png").write_bytes((art / "0.png").read_bytes())
    return tmp_path / "photo", art


def test_the_same_folder_begins_the_same_run(
    folders: tuple[Path, Path],
    start_of: Callable[[Callable[[], object]], Start],
    fresh: Path,
    small_gan: ManagedGAN,
    tmp_path: Path,
) -> None:
    content, style = folders
    network = tmp_path / "small.safetensors"
    small_gan.gan.save(network)
    places = ["--content", str(content), "--style", str(style), "--out", str(tmp_path / "run")]

    def api() -> None:
        options = TrainOptions.for_mode(MODE)
        files = RunFiles.in_folder(tmp_path / "api")
        open_run(RunSpec(options, *photos_and_paintings(content, style), files, small_gan.gan)).train()

    ways = {
        "node": lambda: TrainStyle.execute(
            small_gan, style_folder=str(style), content_folder=str(content), mode=MODE
        ),
        "command": lambda: main(["train", "--mode", MODE, "--init", str(network), *places]),
        "api": api,
    }
    starts = {way: start_of(begin) for way, begin in ways.items()}

    first = starts.pop("api")
    for way, start in starts.items():
        assert start.options == first.options, way
        assert start.train == first.train, way
        assert start.val == first.val, way
        for field in fields(Batch):
            one, other = getattr(start.batch, field.name), getattr(first.batch, field.name)
            assert torch.equal(torch.as_tensor(one), torch.as_tensor(other)), (way, field.name)

    # And it is what the reports on the folder say.
    report = tmp_path / "report.json"
    assert main(["dataset", str(style), "--json", str(report)]) == 0
    told = {picture["name"]: picture["split"] for picture in json.loads(report.read_text())["pictures"]}
    for split, (_, paintings) in (("train", first.train), ("val", first.val)):
        names = [path.relative_to(style).as_posix() for path in paintings]
        assert names == [name for name, found in told.items() if found == split]
    counts = [list(told.values()).count(split) for split in ("train", "val", "test")]
    few = len(told) < MANY
    assert (counts[2] == 0) == few
    line = f"split       train {counts[0]}, val {counts[1]}" + ("" if few else f", test {counts[2]}")
    assert line in StyleDataset.execute(folder=str(style))[0].splitlines()
    if few:  # near-copies stay together
        assert told["0.png"] == told["copy of 0.png"]
