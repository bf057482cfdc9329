"""`brushwork dataset`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from brushwork.cli.main import main
from brushwork.dataset.report import LISTED, MIN_SIDE
from brushwork.dataset.splits import MANY


@pytest.fixture
def paintings(inputs_dir, tmp_path):
    """Six small paintings, a copy of one, one too small, and one that is damaged."""
    folder = tmp_path / "my [paintings]"
    folder.mkdir()
    for path in inputs_dir.glob("art-*.jpg"):
        with Image.open(path) as picture:
            picture.thumbnail((200, 200))
            picture.save(folder / path.name)
    with Image.open(folder / "art-hokusai-great-wave.jpg") as picture:
        picture.resize((60, 40)).save(folder / "tiny [1].png")
    shutil.copy(folder / "art-vangogh-starry-night.jpg", folder / "copy.jpg")
    (folder / "cut.jpg").write_bytes((folder / "copy.jpg").read_bytes()[:900])
    return folder


@pytest.fixture
def run(capsys, monkeypatch):
    """Exit code, output with its line breaks taken out, and error."""
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments):
        code = main(["dataset", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, " ".join(out.split()), err

    return call


def test_says_what_it_found(run, paintings):
    code, out, err = run(paintings)
    assert (code, err) == (0, "")
    assert "my [paintings]" in out
    assert "pictures 8 (JPEG 7, PNG 1)" in out
    assert "smallest 60x40 px, #8 tiny [1].png" in out
    assert "split train 7, val 1" in out
    assert "warning: 1 file cannot be read and will be left out. cut.jpg: it is damaged" in out
    assert "warning: 4 pictures in 2 groups of duplicates" in out
    assert "#6 art-vangogh-starry-night.jpg = #7 copy.jpg" in out
    assert "#2 art-hokusai-great-wave.jpg ~ #8 tiny [1].png" in out
    assert f"with a shorter side under {MIN_SIDE} px" in out
    assert "#8 tiny [1].png, 60x40 px" in out
    assert "note: 1 picture near-monochrome" in out


def test_writes_json_and_sheet(run, paintings, tmp_path):
    for ending, format_ in (("jpg", "JPEG"), ("PNG", "PNG")):
        report, sheet = tmp_path / "new" / f"{ending} [r].json", tmp_path / "new" / f"{ending}.{ending}"
        code, out, _ = run(paintings, "--json", report, "--sheet", sheet)
        assert code == 0
        assert f"wrote {report}" in out
        assert f"wrote {sheet}" in out
        data = json.loads(report.read_text(encoding="utf-8"))
        assert [file["name"] for file in data["unreadable"]] == ["cut.jpg"]
        assert data["split"] == {"train": 7, "val": 1, "test": 0}
        with Image.open(sheet) as picture:
            assert picture.format == format_
            assert min(picture.size) > 600
    assert len(list((tmp_path / "new").iterdir())) == 4  # nothing half written is left


def test_min_side(run, paintings):
    assert "under 40 px" not in run(paintings, "--min-side", 40)[1]
    assert "warning: 1 picture with a shorter side under 41 px" in run(paintings, "--min-side", 41)[1]


def test_a_split_file_decides_and_leaks_are_told(run, paintings, tmp_path):
    names = sorted(path.name for path in paintings.iterdir())
    table = {
        "train": [f"my [paintings]/{name}" for name in names if name != "copy.jpg"],
        "val": ["my [paintings]/copy.jpg"],
        "test": [],
    }
    split_file = tmp_path / "split.json"
    split_file.write_text(json.dumps({"my [paintings]": table}))
    out = run(paintings, "--split", split_file)[1]
    assert "split train 7, val 1" in out
    assert "Duplicates in train and also in val or test: 1 group" in out
    assert "#6 art-vangogh-starry-night.jpg (train) = #7 copy.jpg (val)" in out


def test_many_pictures_are_split_by_hash_as_in_training(run, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(MANY):
        Image.linear_gradient("L").resize((9, 8)).rotate(i).save(folder / f"{i}.png")
    out = run(folder, "--min-side", "200")[1]
    assert "test " in out.split("warning")[0]
    assert f"… and {MANY - LISTED} more; --json has them all" in out
    (folder / "0.png").unlink()
    assert "test " not in run(folder)[1].split("warning")[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{tmp}/nowhere"], "There is no folder {tmp}/nowhere; give the folder that holds the pictures."),
        (["{tmp}/empty"], "The folder {tmp}/empty holds no picture; give another one."),
        (["{tmp}/file.png"], "{tmp}/file.png is a file; give the folder that holds the pictures."),
        (
            ["{dir}", "--split", "{tmp}/none.json"],
            "--split {tmp}/none.json: there is no such file; name one that is there.",
        ),
        (["{dir}", "--split", "{tmp}/file.png"], "--split: {tmp}/file.png is not JSON: "),
        (["{dir}", "--min-side", "0"], "--min-side is 0; give a whole number of 1 or more."),
        (["{dir}", "--sheet", "{tmp}/sheet.gif"], "--sheet {tmp}/sheet.gif: end it in one of .jpg,"),
        (["{dir}", "--sheet", "{tmp}/empty.jpg"], "--sheet {tmp}/empty.jpg is a folder; name a file."),
        (
            ["{dir}", "--json", "{tmp}/file.png/a.json"],
            "--json {tmp}/file.png/a.json: {tmp}/file.png is a file; name another place.",
        ),
    ],
)
def test_refuses_in_one_sentence(run, paintings, tmp_path, arguments, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.jpg").mkdir()
    (tmp_path / "file.png").write_text("{")
    code, _, err = run(*(text.format(tmp=tmp_path, dir=paintings) for text in arguments))
    assert code == 2
    assert f"brushwork dataset: {sentence.format(tmp=tmp_path)}" in err
    assert err.count("\n") == 1


def test_without_rich_it_names_the_command_to_install_it(paintings):
    script = (
        "import sys; sys.modules['rich'] = None; from brushwork.cli.main import main; "
        f"sys.exit(main(['dataset', {str(paintings)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'in the folder of Brushwork install what this needs with: pip install ".[train]"' in done.stderr


def test_help_gives_the_default(capsys):
    with pytest.raises(SystemExit):
        main(["dataset", "--help"])
    assert f"(default: {MIN_SIDE})" in " ".join(capsys.readouterr().out.split())


def test_a_sheet_is_no_picture_of_the_next_run(run, paintings):
    before = sorted(path.name for path in paintings.iterdir())
    code, _, err = run(paintings, "--sheet", paintings / "below" / "sheet.jpg")
    assert code == 2
    assert "sheet.jpg is in " in err
    assert err.endswith(
        ", where the next command would take it for one of the pictures; name another place.\n"
    )
    assert sorted(path.name for path in paintings.iterdir()) == before
    # A report is no picture, and hidden pictures are left out.
    code, _, err = run(
        paintings, "--json", paintings / "all.json", "--sheet", paintings / ".sheets" / "a.jpg"
    )
    assert (code, err) == (0, "")
    code, out, _ = run(paintings)
    assert "pictures 8 (JPEG 7, PNG 1)" in out
