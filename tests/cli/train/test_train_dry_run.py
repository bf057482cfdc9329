"""`brushwork train --dry-run`: what it says, and that it writes nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from small_disk import make_read_only, needs_root, small_disk

from brushwork.cli.main import main
from brushwork.models import StyleGAN
from brushwork.training.runs.owner import owned

pytestmark = pytest.mark.usefixtures("quick_estimates")


class TestDryRun:
    def test_checks_measures_and_writes_nothing(
        self, folders: list[str], tiny: Path, tmp_path: Path, capsys
    ) -> None:
        shutil.copy(next((tmp_path / "art").iterdir()), tmp_path / "art" / "again.jpg")
        (tmp_path / "art" / "broken.jpg").write_bytes(b"nothing")
        before = sorted(tmp_path.rglob("*"))
        # Processes of the CPU: there may be one GPU, which two cannot have.
        several = ["--batch-size", "4", "--devices", "2", "--accelerator", "cpu"]
        assert main([*folders, "--dry-run", *several, "--tensorboard"]) == 0
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


@pytest.fixture
def refusal(folders: list[str], capsys):
    """What a command says that refuses: the run and its plan say the same, and nothing else."""

    def ask(*more: object) -> str:
        said = []
        for planned in ([], ["--dry-run"]):
            assert main([*folders, *map(str, more), *planned]) == 2
            out, err = capsys.readouterr()
            assert out == ""
            assert err.startswith("brushwork train: ")
            assert err.count("\n") == 1
            said.append(err)
        assert said[0] == said[1]
        return said[0]

    return ask


class TestWhatTheRunRefuses:
    @pytest.mark.skipif(os.name == "nt", reason="links need rights there")
    @pytest.mark.parametrize("below", ["", "/", "/run"])
    def test_a_link_to_what_is_not_there(self, refusal, tmp_path: Path, below: str) -> None:
        drive = tmp_path / "drive"
        drive.symlink_to(tmp_path / "not connected")
        assert f"{drive} is a link to what is not there; mend the link" in refusal("--out", f"{drive}{below}")
        assert not (tmp_path / "not connected").exists()

    @needs_root
    @pytest.mark.parametrize("below", ["", "new/run"])
    def test_a_disk_that_is_read_only(self, refusal, tmp_path: Path, below: str) -> None:
        with small_disk(tmp_path / "disk", "size=8m") as disk:
            make_read_only(disk)
            out = disk / below
            sentence = f"--out {out} cannot be written: Read-only file system; name another place."
            assert sentence in refusal("--out", out)

    def test_a_run_that_is_being_trained(self, refusal, tmp_path: Path) -> None:
        with owned(tmp_path / "run"):
            assert f"The run in {tmp_path / 'run'} is being trained by process {os.getpid()}" in refusal()

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            (["--devices", "1000000"], "--devices is 1000000; give 1 to 256."),
            (["--num-nodes", "5000"], "--num-nodes is 5000; give 1 to 4096."),
            (
                ["--devices", "2", "--accelerator", "abacus"],
                "The 1 x 2 processes on 'abacus' cannot be started: ",
            ),
            (["--devices", "2", "--accelerator", "tpu"], "The 1 x 2 processes on 'tpu' cannot be started: "),
            (["--name", "n" * 1001], "--name has 1001 characters; give at most 1000."),
            (["--licence", "n" * 1001], "--licence has 1001 characters; give at most 1000."),
        ],
    )
    def test_an_option(self, refusal, tmp_path: Path, more: list[str], sentence: str) -> None:
        assert sentence in refusal(*more)
        assert not (tmp_path / "run").exists()

    def test_a_device_for_several_processes(self, folders: list[str], tmp_path: Path, capsys) -> None:
        """The plan alone, since the run starts its processes first."""
        two = ["--devices", "2", "--accelerator", "cpu", "--batch-size", "2", "--device", "cpu"]
        assert main([*folders, *two, "--dry-run"]) == 2
        sentence = "--device cpu is for one process; for several say --accelerator."
        assert capsys.readouterr() == ("", f"brushwork train: {sentence}\n")
