"""A run on a GPU ends with the same files as on the CPU, and they load anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from picture_sets import picture_set

from brushwork.models import StyleGAN
from brushwork.models.style_file import read_style
from brushwork.training.options import TrainOptions
from brushwork.training.runs.files import RunFiles
from brushwork.training.runs.run import Run, open_run
from brushwork.training.runs.spec import RunSpec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")


@pytest.mark.parametrize("mode", ["from_scratch", "fine_tune", "style_code"])
def test_a_run_finishes_and_goes_on(
    mode: str, photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
) -> None:
    def run() -> Run:
        sets = picture_set(photos[:2], photos[2:]), picture_set(paintings[:2], paintings[2:])
        files = RunFiles.in_folder(tmp_path / mode)
        return open_run(RunSpec(replace(small, mode=mode), *sets, files, StyleGAN.default()), "cuda")

    first = run()
    assert first.train(stop=lambda: first.trainer.step >= 4).reason == "stopped"
    again = run()
    again.resume()
    assert again.trainer.step == 4
    assert again.train().reason == "done"
    gan, code = again.finish()
    assert code.shape == (1, gan.config.layers, gan.config.code_dim)
    assert torch.equal(read_style(again.files.style).code[None], code)
    if mode != "style_code":
        loaded = StyleGAN.load(again.files.last)
        assert next(loaded.parameters()).device.type == "cpu"
        assert loaded.training_record["steps"] == 6
    if mode == "from_scratch":
        assert loaded.space is not None
        assert loaded.space.count == 2
