"""Names that look like the markup of rich, for every command and on a terminal: they stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small_pictures import small_copies
from tiny_network import TINY

from brushwork.cli.main import main
from brushwork.models.style_gan import StyleGAN

# With the folder before it, each name closes or opens a tag: "Save [/final]", "[bold]x[/bold].jpg".
PLACE, PHOTOS, ART = "Save [/final]", "[bold]x[", "[/nothing]"
NAMES = ["bold].jpg", "[red]a.jpg", "[]b.jpg"]


@pytest.fixture
def place(tmp_path: Path, inputs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: photos, paintings, the file of a network, all of them so named."""
    place = tmp_path / PLACE
    for kind, folder in (("photo", PHOTOS), ("art", ART)):
        copies = small_copies(sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:3], place / folder)
        for copy, name in zip(copies, NAMES, strict=True):
            copy.rename(copy.with_name(name))
    torch.manual_seed(0)
    StyleGAN(TINY).save(place / "[b]n[" / "b].safetensors")
    monkeypatch.chdir(place)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    return place


@pytest.fixture
def said(place: Path, capsys: pytest.CaptureFixture[str]):
    """Run a command; what it said, in one line."""

    def run(*arguments: object, code: int = 0) -> str:
        found = main([str(each) for each in arguments])
        text = "".join(capsys.readouterr())
        assert found == code, text
        return " ".join(text.split())

    return run


NETWORK = "[b]n[/b].safetensors"
SMALL = [
    *(
        "--steps",
        "1",
        "--batch-size",
        "1",
        "--resolution",
        "32",
        "--late-resolution",
        "32",
        "--variants",
        "1",
    ),
    *("--style-resolution", "32", "--loss-dtype", "float32", "--content-scale", "40", "64"),
]


def test_paint(said, place: Path) -> None:
    told = said(
        *("paint", f"{PHOTOS}/{NAMES[0]}", "--style", f"{ART}/{NAMES[0]}"),
        *("--checkpoint", NETWORK, "--out", "[i]out[/i]"),
    )
    results = [path.relative_to(place).as_posix() for path in (place / "[i]out[/i]").iterdir()]
    assert len(results) == 1
    assert results[0] in told
    sentence = f"The pattern {ART}x has no picture and no style file to paint like; give another --style."
    assert sentence in said("paint", PHOTOS, "--style", f"{ART}x", "--out", "o", code=2)
    assert "The pattern [/x] finds no picture; give another PHOTO." in said(
        "paint", "[/x]", "--style", ART, "--out", "o", code=2
    )


def test_encode(said, place: Path) -> None:
    told = said("encode", ART, "--checkpoint", NETWORK, "--out", "[i]out[/i]")
    names = sorted(path.stem for path in (place / "[i]out[/i]").iterdir())
    assert names == sorted(Path(name).stem for name in NAMES)
    assert "[i]out[/i]" in told


@pytest.mark.usefixtures("small_validation", "slim_loss_network")
def test_train(said, place: Path) -> None:
    (place / PHOTOS / "[/half].jpg").parent.mkdir()
    (place / PHOTOS / "[/half].jpg").write_bytes(b"")
    told = said(
        *("train", "--content", PHOTOS, "--style", ART, "--init", NETWORK, "--out", "[i]out[/i]"),
        *("--mode", "style_code", "--name", "[bold]x[/final]", *SMALL),
    )
    assert "(first: [/half].jpg: the file is empty" in told
    assert "wrote [i]out[/i]/style.safetensors, best at step" in told


def test_evaluate(said, place: Path) -> None:
    (place / "[/report]").mkdir(parents=True)
    said(
        *("evaluate", "--content", PHOTOS, "--style", ART, "--checkpoint", NETWORK, "--samples", "2"),
        *("--side", "48", "--json", "[/report]/[b].json", "--sheet", "[/report]/[b].jpg"),
    )
    assert (place / "[/report]" / "[b].jpg").stat().st_size > 1000
    assert json.loads((place / "[/report]" / "[b].json").read_text())["content"] == PHOTOS


def test_judge(said, place: Path) -> None:
    told = said("judge", "sheet", PHOTOS, ART, "--out", "[i]out[/i]", "--names", "[bold]", "[/final]")
    assert "3 rows. Hand out [i]out[/i]/" in told
    answers = next((place / "[i]out[/i]").rglob("*.csv"))
    answers.write_text(answers.read_text().replace(",\n", ",left\n"))
    key = "[i]out[/i]/key.json"
    told = said("judge", "tally", key, answers)
    assert "[bold]" in told
    assert "[/final]" in told


def test_dataset(said, place: Path) -> None:
    (place / ART / "[/half].png").parent.mkdir(exist_ok=True)
    (place / ART / "[/half].png").write_bytes(b"")
    told = said("dataset", ART, "--json", "[/r].json", "--sheet", "[b]s.jpg")
    assert "[/half].png: the file is empty" in told
    assert {name["name"] for name in json.loads((place / "[/r].json").read_text())["pictures"]} == set(NAMES)


def test_render(said, place: Path) -> None:
    assert "There is no workflow [/w].json; give" in said("render", "[/w].json", code=2)
