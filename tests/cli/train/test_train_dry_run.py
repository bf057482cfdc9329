"""`brushwork train --dry-run`: what it says, and that it writes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from brushwork.cli.main import main
from brushwork.models import StyleGAN

pytestmark = pytest.mark.usefixtures("quick_estimates")


class TestDryRun:
    def test_checks_measures_and_writes_nothing(
        self, folders: list[str], tiny: Path, tmp_path: Path, capsys
    ) -> None:
        shutil.copy(next((tmp_path / "art").iterdir()), tmp_path / "art" / "again.jpg")
        (tmp_path / "art" / "broken.jpg").write_bytes(b"nothing")
        before = sorted(tmp_path.rglob("*"))
        assert main([*folders, "--dry-run", "--batch-size", "4", "--devices", "2", "--tensorboard"]) == 0
        assert sorted(tmp_path.rglob("*")) == before
        said = capsys.readouterr().out
        assert "1 group of duplicates" in said
        assert "broken.jpg" in said
        plan = {line[:14].strip(): line[14:] for line in said.splitlines() if line[:14].strip()}
        assert plan["mode"] == "fine_tune"
        assert plan["begins with"].endswith("tiny.safetensors")
        assert plan["processes"].startswith("2 (2 on each of 1), measured on ")
        assert plan["batch"] == "2 of 4 pictures in each process"
        network = StyleGAN.load(tiny)
        generator = sum(p.numel() for p in network.generator.parameters())
        code = network.config.layers * network.config.code_dim
        assert plan["trains"].startswith(f"{generator + code:,} numbers, and ")
        assert plan["time"].startswith("about ")
        assert "1 step of " in said
        assert "with the discriminator" in said
        assert plan["memory"].startswith("about ")
        assert str(tmp_path / "run" / "tensorboard") in said
        assert "steps 2, batch_size 4, resolution 32" in said

    def test_of_a_run_to_resume(self, folders: list[str], tmp_path: Path, capsys) -> None:
        assert main(folders) == 0
        before = {p: p.read_bytes() for p in (tmp_path / "run").iterdir()}
        capsys.readouterr()
        assert main([*folders, "--resume", "--dry-run", "--steps", "5"]) == 0
        said = capsys.readouterr().out
        assert f"begins with   the run in {tmp_path / 'run'}" in said
        assert "steps 5" in said
        assert {p: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before
