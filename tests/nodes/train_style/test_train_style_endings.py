"""TrainStyle: how a training ends early, and what is shown meanwhile."""

from __future__ import annotations

import math
import time

from PIL import Image
from training_states import read_state

from brushwork.models import StyleGAN
from brushwork.nodes.bridge import progress
from brushwork.nodes.train_style.inputs import photos_from, pictures_from
from brushwork.nodes.train_style.session import TrainTask, train
from brushwork.training.options import TrainOptions


def task(small_gan, paintings_dir, **changes):
    options = TrainOptions.for_mode("fine_tune", **{**TINY, **changes})
    paintings = pictures_from("paintings", str(paintings_dir), None, 0.25)
    return TrainTask(options, photos_from("", None, 0.25), paintings, small_gan.gan, "ended")


TINY = {
    "steps": 12,
    "batch_size": 2,
    "resolution": 64,
    "style_resolution": 64,
    "variants": 2,
    "validate_every": 1,
    "warmup": 1,
}


def test_early_stopping_keeps_the_best_and_says_so(fresh, small_gan, paintings_dir, caplog):
    trained = train(task(small_gan, paintings_dir, lr=0.5, ema=0.0, patience=2))
    assert "Stopped at step" in caplog.text
    assert "the validation score was best at step" in caplog.text
    _, header = read_state(fresh / "output" / "brushwork_training" / "ended" / "state.safetensors")
    assert header["step"] < TINY["steps"]
    best = min(header["progress"]["scores"], key=lambda scores: scores["total"])
    assert header["progress"]["best_step"] == best["step"]
    on_disk = StyleGAN.load(fresh / "models" / "ended.safetensors").state_dict()
    assert all(value.equal(on_disk[name]) for name, value in trained.gan.state_dict().items())


def test_diverging_keeps_the_best_and_says_so(fresh, small_gan, paintings_dir, caplog):
    trained = train(
        task(small_gan, paintings_dir, lr=10.0, ema=0.0, clip=1e6, bad_steps=1, patience=0, steps=40)
    )
    assert "The loss was not finite in 1 step in a row" in caplog.text
    assert all(value.isfinite().all() for value in trained.gan.state_dict().values())
    assert all(math.isfinite(value) for value in trained.losses)


def test_at_most_ten_updates_a_second_and_no_picture_is_lost():
    seen = []
    progress.on_progress(lambda done, total, preview, node_id=None: seen.append((done, preview)))
    bar, started = progress.StepProgress(1000), time.monotonic()
    picture = Image.new("RGB", (8, 8))
    for step in range(1000):
        bar.show(step, "text", picture if step == 5 else None)
    assert 1 <= len(seen) <= 1 + (time.monotonic() - started) / 0.1
    while len(seen) < 2:
        bar.show(1000, "text")
    assert seen[0] == (0, None)
    assert [preview[1] for _, preview in seen if preview] == [picture]
