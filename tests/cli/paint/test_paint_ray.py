"""`brushwork paint --engine ray`: what it refuses, and a run in which a worker is killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from importlib.util import find_spec

import pytest
from PIL import Image
from ray_machines import make_photos, workers_below
from tiny_network import TINY

from brushwork.base.files import sha256_of
from brushwork.cli.main import main
from brushwork.models.style_gan import StyleGAN

PHOTOS = 24
# Two workers, however many cores there are.
CPUS = str(max(1, (os.cpu_count() or 1) // 2))


@pytest.fixture
def paint(tmp_path, pictures, monkeypatch, capsys):
    """`brushwork paint photo.png --style painting.png …`: exit code, output, error."""
    monkeypatch.chdir(pictures)

    def run(*arguments):
        code = main(["paint", "photo.png", "--style", "painting.png", *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--address", "auto"), "--address is an option of the engine ray; add --engine ray"),
        (("--cpus", "2"), "--cpus is an option of the engine ray; add --engine ray"),
        (("--engine", "ray", "--cpus", "0"), "--cpus is 0; give a whole number of 1 or more."),
        (("--engine", "ray", "--device", "cuda:1"), "with --engine ray give auto, cpu or cuda"),
        (("--engine", "ray", "--address", "ray://host:10001"), "give HOST:PORT, or auto"),
    ],
)
def test_refusals(paint, pictures, arguments, message):
    code, out, err = paint(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("brushwork paint: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in pictures.iterdir()) == ["painting.png", "photo.png"]


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A folder with 24 photos, a broken and a large one, a tiny network, and the local engine's results."""
    # Found and not imported: the command sets Ray's environment before that.
    if not all(find_spec(package) for package in ("ray", "pyarrow", "pandas")):
        pytest.skip("needs the extra ray")
    monkeypatch.chdir(tmp_path)
    # Ray gives what it starts a low priority, and the machine may be busy.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    make_photos(tmp_path / "photos", PHOTOS)
    (tmp_path / "photos/broken.png").write_text("no picture")
    Image.new("RGB", (200, 100)).save(tmp_path / "photos/large.png")
    with Image.open(tmp_path / "photos/0000.png") as image:
        image.rotate(30).save(tmp_path / "art.png")
    StyleGAN(TINY).save(tmp_path / "tiny.safetensors")
    return tmp_path


def digests(folder):
    return {path.name: sha256_of(path) for path in folder.iterdir()}


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_a_killed_worker_costs_nothing(many, capsys):
    command = ["paint", "photos", "--style", "art.png", "--checkpoint", "tiny.safetensors", "--device", "cpu"]
    command += ["--max-megapixels", "0.01"]
    assert main([*command, "--out", "local"]) == 1
    out, err = capsys.readouterr()
    local = [line.split(" (")[0].replace("local", "rays") for line in out.splitlines()]
    # Two results are there already, and one of another kind.
    on_ray = [*command, "--out", "rays", "--engine", "ray", "--cpus", CPUS]
    assert main([*command[:1], "photos/0000.png", "photos/0001.png", *command[2:], "--out", "rays"]) == 0
    (many / "rays/0002__art.png").write_bytes(b"mine")
    capsys.readouterr()
    killed: list[int] = []
    answers: list = []
    before = signal.getsignal(signal.SIGTERM)

    def kill_one() -> None:
        while sum(path.suffix == ".png" for path in (many / "rays").iterdir()) < 8:
            time.sleep(0.01)
        answers.extend(map(signal.getsignal, (signal.SIGTERM, signal.SIGINT)))
        killed.extend(workers_below(os.getpid())[:1])
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    assert main(on_ray) == 1
    killer.join(timeout=60)
    assert len(killed) == 1
    # Ray sets an answer of its own. SIGTERM is the command's while it paints, and the program's afterwards.
    assert answers[0] is answers[1]
    assert answers[0].__module__ == "brushwork.cli.paint.command"
    assert signal.getsignal(signal.SIGTERM) is before
    out, told = capsys.readouterr()
    assert sorted(line.split(" (")[0] for line in out.splitlines()) == sorted(
        path for path in local if not path.startswith(tuple(f"rays{os.sep}000{i}__" for i in range(3)))
    )
    # Bit for bit, and nothing else is left.
    wanted = digests(many / "local")
    found = digests(many / "rays")
    assert found.pop("0002__art.png") != wanted.pop("0002__art.png")
    assert found == wanted
    broken, large = err.splitlines()[:2]
    assert (
        broken
        == "brushwork paint: photos/broken.png is not a picture that can be read; choose a whole picture."
    )
    assert large == (
        "brushwork paint: photos/large.png cannot be read: it has 0.02 million pixels, and at most 0.01 "
        "million are read; scale it down, or raise the limit with --max-megapixels."
    )
    lines = told.splitlines()
    assert sorted(lines[:3]) == sorted(
        [
            broken,
            large,
            f"brushwork paint: {os.path.join('rays', '0002__art.png')} is there already and was not painted "
            "from these files with these settings; overwrite it, or choose another place.",
        ]
    )
    assert lines[3:] == [
        "Of 26 pictures: 21 painted, 2 skipped, already there, 1 left, something else is there (--overwrite "
        "replaces it), 2 failed."
    ]
    deadline = time.monotonic() + 60
    while workers_below(os.getpid()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert workers_below(os.getpid()) == []
