"""`brushwork train --tensorboard`: what the logs show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brushwork.cli.main import main


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
