"""Arguments that are wrong: one sentence that names the option as it is typed, and says what to do."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest
from PIL import Image

from brushwork.base.shipped import STYLES_DIR, library_styles
from brushwork.cli.main import COMMANDS, main

PAINT = ("paint", "a.png", "--style", "klimt-kiss")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """The current folder, with a photo."""
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)


def said(capsys, *arguments):
    """What a command says that cannot go on."""
    assert main([*map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err[:-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        # Misspelt.
        ((*PAINT, "--stength", "0.4"), "there is no option --stength; did you mean --strength?"),
        ((*PAINT, "--stength=0.4"), "there is no option --stength; did you mean --strength?"),
        (("paint", "--sttyle", "klimt-kiss", "a.png"), "there is no option --sttyle; did you mean --style?"),
        ((*PAINT, "-strength", "0.4"), "there is no option -strength; did you mean --strength?"),
        ((*PAINT, "--xyzzy"), "there is no option --xyzzy; brushwork paint --help lists all."),
        ((*PAINT, "--st", "1"), "--st may be --style, --strength, --stroke-size, --strokes, --statistics, "),
        (("train", "--stile", "a", "--out", "b"), "there is no option --stile; did you mean --style?"),
        (("encode", "a.png", "--ouut", "b"), "there is no option --ouut; did you mean --out?"),
        (("evaluate", "--sampels", "3"), "there is no option --sampels; did you mean --samples?"),
        (("dataset", ".", "--jsn", "b"), "there is no option --jsn; did you mean --json?"),
        (("judge", "sheet", "--outt", "b"), "there is no option --outt; did you mean --out?"),
        (("judge", "shet"), "there is no step shet; did you mean sheet?"),
        (("render", "w", "--output", "b"), "There is no workflow w; give a file"),
        (("styles", "--all"), "there is no option --all; brushwork styles --help lists all."),
        (("styles", "klimt"), "klimt is one argument too many; brushwork styles --help lists what there is."),
        # Of the wrong type, or out of range.
        ((*PAINT, "--strength", "abc"), "--strength is abc; give a number from 0 to 1."),
        ((*PAINT, "--strength", "1.4"), "--strength is 1.4; give a number from 0 to 1."),
        ((*PAINT, "--strength", "nan"), "--strength is nan; give a number from 0 to 1."),
        ((*PAINT, "--strength", ""), "--strength is empty; give a number from 0 to 1."),
        ((*PAINT, "--seed", "1.5"), "--seed is 1.5; give a whole number from 0 to 18446744073709551615."),
        ((*PAINT, "--stroke-size", "9"), "--stroke-size is 9; give a number from 0.25 to 4."),
        ((*PAINT, "--follow", "3.0"), "--follow is 3.0; give a number from 0 to 1."),
        ((*PAINT, "--tile", "5"), "--tile is 5; give 64 pixels or more, or 0."),
        ((*PAINT, "--tile", "-5"), "--tile is -5; give a whole number of 0 or more."),
        ((*PAINT, "--mix", "0"), "--mix is 0; give weights of 0 or more, at least one above 0."),
        ((*PAINT, "--mix", "a"), "--mix is a; give a number of 0 or more."),
        (("paint", "a.png", "--random", "0"), "--random is 0; give a whole number from 1 to 1000."),
        (("paint", "a.png", "--random", "1e8"), "--random is 1e8; give a whole number from 1 to 1000."),
        (
            ("paint", "a.png", "--random", "100000000"),
            "--random is 100000000; give a whole number from 1 to 1000.",
        ),
        (("paint", "a.png", "--random", "1", "--psi", "x"), "--psi is x; give a number from 0 to 2."),
        ((*PAINT, "--refine", "best"), "--refine is best; choose one of draft, normal, fine."),
        ((*PAINT, "--refine", "--match", "all"), "--match is all; choose one of whole, parts."),
        ((*PAINT, "--refine", "--keep-light", "101"), "--keep-light is 101; give a number from 0 to 100."),
        ((*PAINT, "--max-megapixels", "many"), "--max-megapixels is many; give a number."),
        (("train", "--style", "a", "--out", "b", "--lr", "x"), "--lr is x; give a number from 1e-08 to 10."),
        (
            ("train", "--style", "a", "--out", "b", "--resolution", "100"),
            "--resolution is 100; give a multiple of 8 pixels.",
        ),
        (
            ("train", "--style", "a", "--out", "b", "--weight", "stile=1"),
            "--weight stile=1: there is no loss 'stile'; did you mean style?",
        ),
        (("evaluate", "--seed", "x"), "--seed is x; give a whole number from 0 to 9223372036854775807."),
        (("judge", "sheet", "--out", "b", "--pairs", "x"), "--pairs is x; give a whole number of 1 or more."),
        # A folder by its end, where a file is to be written.
        (("dataset", ".", "--json", "b.json/"), "--json is b.json/, which means a folder; name a file."),
        (("dataset", ".", "--sheet", "b.png/."), "--sheet is b.png/., which means a folder; name a file."),
        (("evaluate", "--json", "new/"), "--json is new/, which means a folder; name a file."),
        (("evaluate", "--sheet", "b/.."), "--sheet is b/.., which means a folder; name a file."),
        # Without a value, or with one too many.
        ((*PAINT, "--out"), "--out has no value; give one after it."),
        ((*PAINT, "--overwrite=1"), "--overwrite takes no value; leave '1' out."),
        (("paint", "a.png", "--style"), "--style has no value; give one or more after it."),
        (("judge", "sheet", "--names", "a"), "--names needs 2 values; give them after it."),
        (("train",), "--style and --out are missing; brushwork train --help says what to give."),
        # Names of what is not there.
        (
            ("paint", "missing.jpg", "--style", "klimt-kiss"),
            "There is no file or folder missing.jpg; check the name, or give another PHOTO.",
        ),
        (
            ("paint", ".", "--style", "missing.jpg"),
            "--style missing.jpg is no file or folder and no style of ",
        ),
        (
            ("paint", "*.gif", "--style", "klimt-kiss"),
            "The pattern *.gif finds no picture; give another PHOTO.",
        ),
        (
            (*PAINT, "--checkpoint", "none.safetensors"),
            "--checkpoint: There is no checkpoint at none.safetensors; check the path.",
        ),
        (
            ("encode", "nope.jpg", "--out", "b"),
            "There is no file or folder nope.jpg; check the name, or give another PICTURE.",
        ),
    ],
)
def test_one_sentence(arguments, sentence, capsys):
    found = said(capsys, *arguments)
    assert found.startswith(f"brushwork {arguments[0]}: {sentence}")
    if sentence.endswith((".", "?")):
        assert found == f"brushwork {arguments[0]}: {sentence}"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("paint", "{}", "--style", "klimt-kiss"), "PHOTO"),
        (("paint", "a.png", "--style", "{}"), "--style"),
        (("encode", "{}", "--out", "b"), "PICTURE"),
    ],
)
def test_what_is_there_and_is_neither_file_nor_folder(arguments, option, tmp_path, capsys):
    """Who sees it in the folder would not believe that there is no such file."""
    os.symlink("nowhere.png", tmp_path / "dead.png")
    os.symlink("round.png", tmp_path / "round.png")
    os.mkfifo(tmp_path / "pipe.png")
    for name, what in (
        ("dead.png", "a link to what is not there; mend the link, or"),
        ("round.png", "a link to what is not there; mend the link, or"),
        ("pipe.png", "neither a file nor a folder;"),
    ):
        sentence = said(capsys, *(each.format(name) for each in arguments))
        assert sentence == f"brushwork {arguments[0]}: {name} is {what} give another {option}."


def test_an_address_is_called_so_and_its_password_is_not_repeated(capsys):
    for arguments, option in (
        (("paint", "{}", "--style", "klimt-kiss"), "PHOTO"),
        (("paint", "a.png", "--style", "{}"), "--style"),
        (("encode", "{}", "--out", "b"), "PICTURE"),
    ):
        for address, shown in (
            ("https://example.org/a.png", "https://example.org/a.png"),
            ("https://me:secret@example.org/a.png", "…"),
        ):
            sentence = said(capsys, *(each.format(address) for each in arguments))
            wanted = f"{shown} is an address; save what is there, and give the file as {option}."
            assert sentence == f"brushwork {arguments[0]}: {wanted}"


def test_a_photo_behind_an_option_with_choices(tmp_path, capsys):
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    sentence = said(capsys, "paint", "--style", "klimt-kiss", "--refine", "a.png")
    wanted = "--refine is a.png, which is a file or folder; name it first, or choose one of draft, "
    assert sentence == f"brushwork paint: {wanted}normal, fine."


def test_a_file_whose_name_begins_like_an_option(tmp_path, capsys):
    for name in ("-a.png", "--a.png"):
        Image.new("RGB", (32, 32)).save(tmp_path / name)
        sentence = said(capsys, "paint", name, "--style", "klimt-kiss")
        wanted = f"{name} begins like an option; write ./{name} for the file of this name."
        assert sentence == f"brushwork paint: {wanted}"
    assert main(["paint", "./-a.png", "--style", "klimt-kiss"]) == 0
    assert (tmp_path / "painted" / "-a__klimt-kiss.png").is_file()


@pytest.mark.parametrize(("word", "meant"), [("pant", "paint"), ("quee", "queue"), ("style", "styles")])
def test_a_misspelt_command(word, meant, capsys):
    assert said(capsys, word, "a.png") == f"brushwork: there is no command {word}; did you mean {meant}?"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_its_option_that_is_misspelt(command, capsys):
    more = ["sheet"] if command == "judge" else []
    sentence = f"brushwork {command}: there is no option --hepl; did you mean --help?"
    assert said(capsys, command, *more, "--hepl") == sentence


def test_an_empty_folder(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    sentence = "The folder empty holds no picture; give another PHOTO."
    assert said(capsys, "paint", "empty", "--style", "klimt-kiss") == f"brushwork paint: {sentence}"
    sentence = "The folder empty has no picture and no style file to paint like; give another --style."
    assert said(capsys, "paint", "a.png", "--style", "empty") == f"brushwork paint: {sentence}"


@pytest.mark.parametrize(
    "arguments",
    [
        (*PAINT, "--strength", "1.4"),
        (*PAINT, "--seed", "x"),
        (*PAINT, "--refine", "--tile", "66"),
        (*PAINT, "--mix", "0"),
        (*PAINT, "--checkpoint", "none.safetensors"),
        ("paint", "missing.jpg", "--style", "klimt-kiss"),
        ("paint", "a.png", "--style", "missing.jpg"),
        ("paint", "a.png", "--random", "100000000"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_told_before_pytorch_is_loaded(arguments):
    code = (
        "import sys\n"
        "from brushwork.cli.main import main\n"
        "assert main(sys.argv[1:]) == 2\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_list_of_styles(capsys):
    assert main(["styles"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    with (STYLES_DIR / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert [f"library/{name}" for name in lines] == list(library_styles())
    assert lines["klimt-kiss"] == "Gustav Klimt, The Kiss, 1907-1908"
    for name, line in lines.items():
        assert all(rows[name][column] in line for column in ("artist", "name", "year"))
