"""TrainStyle: which run a name stands for, and that nothing is overwritten."""

from __future__ import annotations

import logging

import pytest
import torch
from PIL import Image

from brushwork.nodes import TrainStyle
from brushwork.nodes.bridge import progress
from brushwork.nodes.shared.images import from_pil

pytestmark = pytest.mark.usefixtures("small_demo_photos")

SMALL = {"steps": 4, "batch_size": 2, "resolution": 32}


def test_a_finished_run_answers_at_once_and_goes_on_with_more_steps(
    fresh, every_update, small_gan, paintings_dir
):
    def queue(steps):
        seen = []
        progress.on_progress(lambda done, total, preview, node_id=None: seen.append(done))
        settings = {**SMALL, "steps": steps}
        result = TrainStyle.execute(small_gan, style_folder=str(paintings_dir), mode="style_code", **settings)
        return result, seen

    first, seen = queue(2)
    assert seen == [0, 1, 2, 2, 2]  # the first preview, two steps, the last preview, the sheet
    again, seen = queue(2)
    assert seen == [2]  # the sheet
    assert torch.equal(again[1].code, first[1].code)
    assert torch.equal(again[3], first[3])
    _, seen = queue(3)
    assert seen == [3, 3, 3]
    assert [p.name for p in (fresh / "output" / "brushwork_training").iterdir()] == ["my style"]


def test_nothing_is_overwritten(fresh, small_gan, paintings_dir, caplog):
    def queue(**changes):
        settings = {"style_folder": str(paintings_dir), "mode": "style_code", **SMALL, "steps": 1} | changes
        TrainStyle.execute(small_gan, **settings)
        return sorted(p.name for p in (fresh / "output" / "brushwork_training").iterdir())

    theirs = fresh / "styles" / "my style_2.safetensors"
    theirs.write_bytes(b"somebody's")
    assert queue() == ["my style"]
    caplog.set_level(logging.INFO)
    assert queue(resume=False) == ["my style", "my style_3"]
    assert "the name 'my style' is taken by another run; this one is called my style_3" in caplog.text
    assert theirs.read_bytes() == b"somebody's"
    assert queue(style_weight=9.0) == ["my style", "my style_3", "my style_4"]
    assert queue(style_weight=9.0) == ["my style", "my style_3", "my style_4"]  # goes on with its own
    photos = from_pil([Image.new("RGB", (64, 64), c) for c in ("red", "green")])
    assert queue(content_images=photos)[-1] == "my style_5"


def test_who_tidied_up_begins_anew(fresh, small_gan, paintings_dir):
    def queue():
        small = {**SMALL, "steps": 1}
        return TrainStyle.execute(small_gan, style_folder=str(paintings_dir), mode="style_code", **small)

    first = queue()
    (fresh / "styles" / "my style.safetensors").unlink()
    assert torch.equal(queue()[1].code, first[1].code)
