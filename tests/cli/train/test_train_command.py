"""`brushwork train`: what it says and what it leaves on disk."""

from __future__ import annotations

import doctest
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import small_command
import torch
from forked_python import ForkedPython
from training_states import read_state

from brushwork.base import duration
from brushwork.cli.main import main
from brushwork.models import StyleGAN
from brushwork.models.style_file import read_style, style_fingerprint


class TestRuns:
    def test_from_scratch(self, folders: list[str], tmp_path: Path, capsys) -> None:
        (tmp_path / "art" / "broken.jpg").write_bytes(b"nothing")
        begun = [*folders, "--mode", "from_scratch", "--name", "Mine", "--licence", "CC0 1.0"]
        assert main(begun) == 0
        said = capsys.readouterr().out
        assert "3 photos, 1 of them for validation\n" in said
        assert "1 unreadable file skipped (first: broken.jpg" in said
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
    def test_ctrl_c_saves_and_resuming_goes_on(
        self, folders: list[str], forked_python: ForkedPython, tmp_path: Path, capsys
    ) -> None:
        folders = [*folders, "--steps", "250", "--validate-every", "1000000"]
        process = forked_python.start([small_command.__file__, *folders], os.environ)
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if "step 4 of" in line:
                    process.send_signal(signal.SIGINT)
                    break
            rest, _ = process.communicate(timeout=120)
        finally:
            process.kill()
        lines += rest.splitlines(keepends=True)
        assert process.returncode == 130
        assert "stopping after this step, and saving\n" in lines
        assert "The same command with --resume goes on from there.\n" in lines
        step = read_state(tmp_path / "run" / "state.safetensors")[1]["step"]
        assert 4 <= step < 250
        assert main([*folders, "--resume", "--steps", str(step + 1)]) == 0
        assert f"going on from step {step}" in capsys.readouterr().out


def test_durations_are_said_as_a_person_says_them() -> None:
    result = doctest.testmod(duration)
    assert (result.failed, result.attempted > 0) == (0, True)
