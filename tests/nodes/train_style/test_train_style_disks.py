"""TrainStyle on a disk that is full or read-only: one sentence, whole files, and the same run goes on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from comfy_folders import use_folders
from small_disk import make_read_only, needs_root, small_disk
from training_states import read_state

from brushwork.base import temporary
from brushwork.models import StyleGAN, read_style
from brushwork.nodes.train_style.inputs import photos_from, pictures_from
from brushwork.nodes.train_style.session import TrainTask, train
from brushwork.training.options import TrainOptions

pytestmark = needs_root


@pytest.fixture
def task(small_gan, paintings_dir):
    options = TrainOptions.for_mode(
        "fine_tune",
        steps=2,
        batch_size=2,
        resolution=64,
        style_resolution=64,
        variants=2,
        validate_every=1,
        warmup=1,
    )
    paintings = pictures_from("paintings", str(paintings_dir), None, 0.25)
    return TrainTask(options, photos_from("", None, 0.25), paintings, small_gan.gan, "kept")


def written(disk: Path) -> list[Path]:
    return sorted(path for path in disk.rglob("*") if path.is_file())


def refused(task: TrainTask, disk: Path) -> str:
    with pytest.raises(ValueError, match="cannot be") as caught:
        train(task)
    sentence = str(caught.value)
    assert re.search(r"Errno|Error|\.part|\n", sentence) is None
    assert str(disk) in sentence
    # What is there is whole: nothing is half written, and no debris stays.
    for path in written(disk):
        assert ".part" not in path.name
        if path.name == "state.safetensors":
            read_state(path)
        elif path.suffix == ".safetensors":
            (read_style if path.parent.name == "styles" else StyleGAN.load)(path)
    return sentence


# Too little for the first network, for the style beside it, and for the state.
@pytest.mark.parametrize("size", ["16k", "300k", "2m"])
def test_a_full_disk_and_then_room(size, task, small_demo_photos, tmp_path, monkeypatch):
    monkeypatch.setattr(temporary, "_swept", set())
    with small_disk(tmp_path / "disk", f"size={size}") as disk:
        use_folders(disk, monkeypatch)
        assert "No space left on device; make room on the disk." in refused(task, disk)
        subprocess.run(["mount", "-o", "remount,size=50m", disk], check=True)
        trained = train(task)
        assert trained.name == "kept"
        assert {path.name for path in written(disk)} >= {"kept.safetensors", "kept_last.safetensors"}
        assert not list(disk.rglob("kept_2*"))


def test_a_read_only_disk(task, small_demo_photos, tmp_path, monkeypatch):
    with small_disk(tmp_path / "disk", "size=8m") as disk:
        use_folders(disk, monkeypatch)
        make_read_only(disk)
        assert "Read-only file system; name another place." in refused(task, disk)
        assert written(disk) == []
