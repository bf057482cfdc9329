"""Several processes train one run: real ones, over gloo on the CPU, started as the command starts them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
import small_command
import torch
from forked_python import Forked, ForkedPython
from small_pictures import small_copies
from tiny_network import TINY
from training_states import read_state

from brushwork.cli.main import main
from brushwork.models.style_gan import StyleGAN
from brushwork.training.launch import LaunchError, connect
from brushwork.training.processes import LostProcess, OneProcess

# Over a run's first steps the losses of two processes are those of one, except for the order in which
# floats are added, about 1e-7 of them. Adam makes more of it step by step: its first updates are as
# large for a gradient that is rounding as for any other. Hence the small learning rate, which lets the
# losses fall by a third in these steps all the same, and a tolerance far above rounding and far below
# any mistake in a share, a sign or a seed.
TOLERANCE = 1e-4

pytestmark = [
    pytest.mark.skipif(
        sys.platform == "win32" or not torch.distributed.is_available(), reason="needs gloo and POSIX signals"
    ),
    pytest.mark.usefixtures("small_validation"),
]


class TestOne:
    def test_is_alone(self) -> None:
        processes = connect(None, None, "auto", "ddp")
        assert type(processes) is OneProcess
        assert (processes.rank, processes.world) == (0, 1)
        value = torch.arange(3.0)
        processes.sum_([value])
        assert value.tolist() == [0, 1, 2]
        assert processes.gather(value) is value
        assert processes.first((1.5, 2.5)) == [1.5, 2.5]
        assert processes.texts("a") == ["a"]
        assert processes.together(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            processes.together(lambda: 1 // 0)

    def test_of_several_others_hear_that_the_first_failed(self) -> None:
        class SecondOfTwo(OneProcess):
            rank, world = 1, 2

            def texts(self, text: str) -> list[str]:
                return ["failed", text]

        with pytest.raises(LostProcess, match="says why"):
            SecondOfTwo().together(lambda: 7)
        with pytest.raises(LostProcess):
            SecondOfTwo().together(lambda: 1 // 0)

    def test_a_second_task_of_srun_does_not_write_into_the_first_one_s_run(self, monkeypatch) -> None:
        monkeypatch.setenv("SLURM_PROCID", "1")
        with pytest.raises(LaunchError, match="several tasks; say so with --devices"):
            connect(None, None, "auto", "ddp")


@pytest.fixture(scope="module")
def common(inputs_dir: Path, small_validation: None, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A run with all losses on from the first step, whose course does not depend on its length."""
    folder = tmp_path_factory.mktemp("pictures")
    for kind in ("photo", "art"):
        small_copies(sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:4], folder / kind)
    torch.manual_seed(0)
    StyleGAN(TINY).save(folder / "tiny.safetensors")
    return [
        *("train", "--style", str(folder / "art"), "--content", str(folder / "photo")),
        *("--init", str(folder / "tiny.safetensors"), "--mode", "from_scratch", "--device", "auto"),
        *("--batch-size", "4", "--resolution", "32", "--late-from", "1", "--style-resolution", "64"),
        *("--content-scale", "48", "64", "--style-scale", "64", "80", "--variants", "2"),
        *("--lr", "2.5e-4", "--warmup", "20", "--decay-from", "1", "--identity-share", "0.25"),
        *("--adversarial-from", "0", "--adversarial-ramp", "0", "--weight", "code=0.5"),
        *("--loss-dtype", "float32", "--validate-every", "1000"),
    ]


def environment() -> dict[str, str]:
    foreign = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "NODE_RANK")
    return {k: v for k, v in os.environ.items() if k not in foreign} | {"OMP_NUM_THREADS": "1"}


Process = Forked | subprocess.Popen[str]
Started = Callable[..., AbstractContextManager[Process]]
Completed = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def started(forked_python: ForkedPython) -> Started:
    """`brushwork` in separate processes that end with the block. The others import PyTorch themselves."""

    @contextmanager
    def started(arguments: list[str], launcher: tuple[str, ...] = ()) -> Iterator[Process]:
        process = forked_python.start([*launcher, small_command.__file__, *arguments], environment())
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    return started


@pytest.fixture(scope="module")
def completed(started: Started) -> Completed:
    """Exit code, output and errors of `brushwork`."""

    def completed(arguments: list[str], launcher: tuple[str, ...] = ()) -> tuple[int, str, str]:
        with started(arguments, launcher) as process:
            said, errors = process.communicate(timeout=900)
            return process.returncode, said, errors

    return completed


# A line of the log every second step, so that a test knows when it is trained.
LONG = ("--steps", "250")
TWO = ("--devices", "2", "--accelerator", "cpu")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def log_of(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def losses(lines: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in line.items() if k not in ("step", "steps_per_second")} for line in lines]


class Runs:
    """The same eight steps: in one process; two, then one; and one, then two, which torchrun started."""

    def __init__(self, common: list[str], completed: Completed, folder: Path):
        self.whole, self.two, self.one = (folder / name for name in ("whole", "two", "one"))
        self.four = folder / "four"
        assert main([*common, "--out", str(self.one), "--steps", "4"]) == 0
        shutil.copytree(self.one, self.whole)
        assert main([*common, "--out", str(self.whole), "--steps", "8", "--resume"]) == 0

        code, self.said, errors = completed([*common, "--out", str(self.two), "--steps", "4", *TWO])
        assert code == 0, errors
        shutil.copytree(self.two, self.four)
        assert main([*common, "--out", str(self.two), "--steps", "8", "--resume"]) == 0

        self.one_state = read_state(self.one / "state.safetensors")
        resumed = [*common, "--out", str(self.one), "--steps", "8", "--resume", "--accelerator", "cpu"]
        code, self.torchrun_said, errors = completed(resumed, TORCHRUN)
        assert code == 0, errors


@pytest.fixture(scope="module")
def runs(common: list[str], completed: Completed, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(common, completed, tmp_path_factory.mktemp("runs"))


class TestTwoAreAsOne:
    def test_same_losses(self, runs: Runs) -> None:
        expected, found = losses(log_of(runs.whole)), losses(log_of(runs.four))
        assert {"adversarial", "d_real", "d_fake", "code", "identity"} <= expected[0].keys()
        assert min(line["total"] for line in expected) < 0.75 * expected[0]["total"], "nothing was learned"
        for one, two in zip(expected[:4], found, strict=True):
            assert two == pytest.approx(one, rel=TOLERANCE, abs=2e-5)

    def test_same_gradients(self, runs: Runs) -> None:
        """Adam's mean gradients after four steps, of the networks and of the discriminator."""
        expected, found = runs.one_state[0], read_state(runs.four / "state.safetensors")[0]
        assert expected.keys() == found.keys()
        compared = 0
        for name, one in expected.items():
            # Biases before a normalisation have no effect: their gradient is rounding alone.
            if name.endswith(".exp_avg") and one.norm() > 1e-6:
                assert (one - found[name]).norm() < 0.01 * one.norm(), name
                compared += 1
        assert compared > 60
        assert any(name.startswith("opt_d.") for name in expected)

    def test_same_validation_score(self, runs: Runs) -> None:
        expected = runs.one_state[1]["progress"]["scores"]
        found = read_state(runs.four / "state.safetensors")[1]["progress"]["scores"]
        assert [score["step"] for score in found] == [0, 4]
        for one, two in zip(expected, found, strict=True):
            assert two == pytest.approx(one, rel=1e-3)

    @pytest.mark.parametrize("name", ["two", "one"])
    def test_resumed_by_another_number_of_processes(self, name: str, runs: Runs) -> None:
        expected, found = log_of(runs.whole), log_of(getattr(runs, name))
        assert [line["step"] for line in found] == [1, 2, 3, 4, 5, 6, 7, 8]
        for whole, resumed in zip(losses(expected), losses(found), strict=True):
            assert resumed == pytest.approx(whole, rel=TOLERANCE, abs=2e-5)

    def test_only_the_first_writes(self, runs: Runs) -> None:
        names = {path.name for path in runs.four.iterdir()}
        expected = {path.name for path in runs.whole.iterdir()}
        assert names == {name.replace("000008", "000004") for name in expected}
        assert [line["step"] for line in log_of(runs.four)] == [1, 2, 3, 4]
        for said in (runs.said, runs.torchrun_said):
            lines = said.splitlines()
            assert len(set(lines)) == len(lines)
            assert sum(line.startswith("Trained ") for line in lines) == 1
        assert "from_scratch, 4 steps, on 2 processes, cpu" in runs.said
        assert "going on from step 4" in runs.torchrun_said


def second_of(process: Process) -> int:
    """The process that Fabric started beside this one, which is training."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    names = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
    (second,) = (child for child, name in names.items() if small_command.__file__ in name)
    return second


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(second: int) -> None:
    """The second process ends soon after the first: on a busy machine not in the same moment."""
    deadline = time.monotonic() + 120
    while is_running(second):
        assert time.monotonic() < deadline, "the second process waits for the first"
        time.sleep(0.1)


def wait_for_step(process: Process, number: int) -> None:
    for line in process.stdout:
        if line.startswith(f"step {number} of"):
            return
    raise AssertionError(process.stderr.read())


class TestEnds:
    def test_what_all_refuse_is_said_once(
        self, common: list[str], completed: Completed, tmp_path: Path
    ) -> None:
        code, _, errors = completed([*common, "--out", str(tmp_path / "run"), "--batch-size", "3", *TWO])
        assert code == 2
        sentence = "--batch-size is 3, which 2 processes cannot share evenly; give a multiple."
        assert errors == f"brushwork train: {sentence}\n"

    @pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the process")
    def test_sigterm_to_the_second_stops_both_after_the_same_step(
        self, common: list[str], started: Started, tmp_path: Path
    ) -> None:
        with started([*common, "--out", str(tmp_path / "run"), *LONG, *TWO]) as process:
            wait_for_step(process, 4)
            second = second_of(process)
            os.kill(second, signal.SIGTERM)
            said, errors = process.communicate(timeout=600)
            assert process.returncode == 130, errors
            assert "The same command with --resume goes on from there." in said
            wait_for_end(second)
        header = read_state(tmp_path / "run" / "state.safetensors")[1]
        assert 4 <= header["step"] < 250

    @pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the process")
    @pytest.mark.parametrize("killed", ["first", "second"])
    def test_where_one_dies_the_other_does_not_wait(
        self, killed: str, common: list[str], started: Started, tmp_path: Path
    ) -> None:
        run = tmp_path / "run"
        with started([*common, "--out", str(run), *LONG, "--save-minutes", "0", *TWO]) as process:
            wait_for_step(process, 4)
            second = second_of(process)
            os.kill(second if killed == "second" else process.pid, signal.SIGKILL)
            _, errors = process.communicate(timeout=600)
            if killed == "second":
                assert process.returncode != 0
                # Fabric's watch may kill the first before it has said so.
                assert "Another process of this run failed" in errors or process.returncode < 0
            wait_for_end(second)
        assert read_state(run / "state.safetensors")[1]["step"] >= 3
