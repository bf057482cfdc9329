"""Surveys of folders: what is found, split, counted and reported."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import Tensor

from brushwork.dataset.folder import PictureFolder
from brushwork.dataset.report import LISTED, DatasetReport
from brushwork.dataset.splits import MANY, hash_split
from brushwork.dataset.survey import survey
from brushwork.pictures.reading import read_picture
from brushwork.pictures.tensors import as_picture


def small(path: Path) -> Image.Image:
    image = read_picture(path)
    image.thumbnail((240, 240))
    return image


@pytest.fixture(scope="module")
def folder(inputs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The six artworks, small, and one of everything that may be wrong."""
    root = tmp_path_factory.mktemp("folder") / "mess"
    (root / "sub").mkdir(parents=True)
    for path in inputs_dir.glob("art-*.jpg"):
        small(path).save(root / f"{path.stem.split('-')[1]}.png")
    night, wave = Image.open(root / "vangogh.png"), Image.open(root / "hokusai.png")
    shutil.copy(root / "vangogh.png", root / "sub" / "night copy.png")
    night.save(root / "night-q40.jpg", quality=40)
    ImageOps.mirror(night).save(root / "sub" / "night-mirrored.webp")
    wave.resize((90, 60)).save(root / "tiny.png")
    Image.new("RGB", (200, 150), "#336699").save(root / "blank.png")
    shutil.copy(root / "blank.png", root / "blank copy.png")
    Image.new("RGB", (200, 150), "#ffffff").save(root / "white.png")
    kandinsky = Image.open(root / "kandinsky.png")
    kandinsky.rotate(90).save(root / "anim.gif", save_all=True, append_images=[night, wave])
    clear = kandinsky.rotate(180).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(root / "alpha.png")
    (root / "cut.png").write_bytes((root / "monet.png").read_bytes()[:5000])
    (root / "empty.webp").write_bytes(b"")
    (root / "phone.HEIC").write_bytes(b"x")
    (root / "notes.txt").write_text("x")
    (root / ".hidden").write_text("x")
    return root


@pytest.fixture
def colored(tmp_path: Path) -> Callable[..., Path]:
    """A folder of pictures that differ from each other, by name."""

    def make(*names: str) -> Path:
        for seed, name in enumerate(names):
            rng = np.random.default_rng(seed)
            image = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize((160, 140))
            (tmp_path / "many" / name).parent.mkdir(parents=True, exist_ok=True)
            image.save(tmp_path / "many" / name)
        return tmp_path / "many"

    return make


def named(report: DatasetReport, flag: str) -> list[str]:
    return [report.pictures[i].name for i in report.flagged(flag)]


def test_finds_everything_that_is_wrong(folder: Path) -> None:
    report = survey(folder)
    assert report.name == "mess"
    assert [facts.name for facts in report.pictures] == [
        *("alpha.png", "anim.gif", "blank copy.png", "blank.png", "engraving.png", "hokusai.png", "ink.png"),
        *("kandinsky.png", "monet.png", "night-q40.jpg", "sub/night copy.png", "sub/night-mirrored.webp"),
        *("tiny.png", "vangogh.png", "white.png"),
    ]
    assert [(file.name, file.reason.split(" (")[0]) for file in report.unreadable] == [
        ("cut.png", "it is damaged"),
        ("empty.webp", "the file is empty"),
    ]
    groups = [[report.pictures[i].name for i in group] for group in report.duplicates]
    assert groups == [
        ["blank copy.png", "blank.png"],
        ["hokusai.png", "tiny.png"],
        ["night-q40.jpg", "sub/night copy.png", "sub/night-mirrored.webp", "vangogh.png"],
    ]
    assert named(report, "blank") == ["blank copy.png", "blank.png", "white.png"]
    assert named(report, "tiny") == ["tiny.png"]
    assert named(report, "monochrome") == ["engraving.png", "ink.png"]
    assert named(report, "animated") == ["anim.gif"]
    assert named(report, "transparent") == ["alpha.png"]
    assert sorted(report.other_files) == [".heic", ".txt"]


def test_reads_what_training_reads(folder: Path) -> None:
    pictures = PictureFolder.scan(folder)
    report = survey(folder)
    assert [facts.name for facts in report.pictures] == [
        p.relative_to(folder).as_posix() for p in pictures.paths
    ]
    assert [file.name for file in report.unreadable] == [p.name for p in pictures.skipped]


def test_the_text_names_every_finding(folder: Path) -> None:
    text = survey(folder, share=0.2).as_text()
    for line in (
        "pictures    15 (PNG 12, GIF 1, JPEG 1, WEBP 1)",
        "smallest    90x60 px, #13 tiny.png",
        "split       train 12, val 3",
        "other files 1 .txt, 1 .heic",
        "WARNING: 2 files cannot be read and will be left out.",
        "  empty.webp: the file is empty",
        "WARNING: 1 file in formats that are not read; convert to PNG or JPEG.",
        "WARNING: 8 pictures in 3 groups of duplicates (=) or near-duplicates (~). They weigh more than the "
        "others in training; keep one of each.",
        "  #3 blank copy.png = #4 blank.png",
        "  #10 night-q40.jpg ~ #11 sub/night copy.png = #14 vangogh.png ~ #12 sub/night-mirrored.webp",
        "  #13 tiny.png, 90x60 px",
        "  #2 anim.gif, 3 frames",
        "NOTE: 1 picture with transparency; it is laid over white.",
    ):
        assert line in text.splitlines()


def test_json_holds_everything_and_no_path(folder: Path) -> None:
    data = json.loads(json.dumps(survey(folder).as_dict()))
    assert str(folder.parent) not in json.dumps(data)
    assert [f["level"] for f in data["findings"]] == sorted(
        (f["level"] for f in data["findings"]), reverse=True
    )
    assert data["duplicates"][0] == {"pictures": ["blank copy.png", "blank.png"], "identical": True}
    assert not data["duplicates"][2]["identical"]
    tiny = data["pictures"][12]
    assert (tiny["number"], tiny["name"], tiny["width"], tiny["height"]) == (13, "tiny.png", 90, 60)
    assert set(tiny["flags"]) & {"leak", "duplicate"}
    assert "tiny" in tiny["flags"]
    assert data["pictures"][3]["perceptual_hash"] is None
    assert len(data["pictures"][4]["perceptual_hash"]) == 16


def test_nothing_wrong_is_said_so(colored: Callable[..., Path]) -> None:
    report = survey(colored("a.png", "b.png", "c.png", "d.png"), share=0.25)
    assert report.as_text().endswith("\n\nNo problems found.")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids such names")
def test_a_name_does_not_add_a_line(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a\nWARNING: b\u202e.png")
    (tmp_path / "c\nd.jpg").write_text("no picture")
    (tmp_path / "e.f\ng").write_text("no picture")
    lines = survey(tmp_path, share=0.2).as_text().splitlines()
    assert [line for line in lines if "WARNING: b" in line]
    assert not [line for line in lines if line.startswith(("WARNING: b", "d.jpg", "g"))]
    assert "\u202e" not in "".join(lines)


def test_min_side_decides_what_is_tiny(colored: Callable[..., Path]) -> None:
    root = colored("a.png")
    assert named(survey(root, min_side=140), "tiny") == []
    assert named(survey(root, min_side=141), "tiny") == ["a.png"]


def test_long_lists_are_cut_in_the_text_alone(colored: Callable[..., Path]) -> None:
    report = survey(colored(*(f"{i}.png" for i in range(LISTED + 5))), min_side=200)
    assert "  … and 5 more" in report.as_text().splitlines()
    assert len(report.as_dict()["findings"][0]["items"]) == LISTED + 5


@pytest.mark.parametrize(("count", "splits"), [(30, ("train", "val")), (MANY, ("train", "val", "test"))])
def test_the_split_is_that_of_the_folder(
    colored: Callable[..., Path], count: int, splits: tuple[str, ...]
) -> None:
    root = colored(*(f"{i}.png" for i in range(count)))
    report = survey(root)
    scanned = PictureFolder.scan(root)
    for split in splits:
        names = {p.name for p in scanned.split(split)}
        assert names
        assert {f.name for f, s in zip(report.pictures, report.split_of, strict=True) if s == split} == names
        if count == MANY:
            assert names == {f"{i}.png" for i in range(count) if hash_split(f"{i}.png") == split}
    assert report.split_counts() == {s: report.split_of.count(s) for s in ("train", "val", "test")}
    assert sum(report.split_counts()[split] for split in splits) == count


def test_copies_on_both_sides_of_a_split_are_a_leak(
    colored: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = colored("a.png", "b.png", "c.png", "d.png", "e.png")
    for name in "abc":
        shutil.copy(root / f"{name}.png", root / f"{name}2.png")
    table = {
        "train": ["many/a.png", "many/b.png", "many/b2.png", "many/d.png"],
        "val": ["many/a2.png", "many/c.png"],
        "test": ["many/c2.png"],
    }
    split_file = tmp_path / "split.json"
    split_file.write_text(json.dumps({"many": table}))
    monkeypatch.chdir(root)  # "." has no name to look up
    report = survey(Path("."), split_file=split_file)

    assert [[report.pictures[i].name for i in group] for group in report.leaks] == [["a.png", "a2.png"]]
    assert named(report, "leak") == ["a.png", "a2.png"]
    assert named(report, "duplicate") == ["b.png", "b2.png", "c.png", "c2.png"]
    text = report.as_text()
    assert "  #1 a.png (train) = #2 a2.png (val)" in text.splitlines()
    assert "NOTE: 1 picture not named by the split file; not used.\n  #8 e.png" in text
    assert report.as_dict()["pictures"][7]["split"] is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON"),
        ('{"other": {}}', "has no entry 'many' with a 'train' list"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_split_files_that_do_not_fit(colored, tmp_path: Path, content, sentence) -> None:
    split_file = tmp_path / "split.json"
    if content is not None:
        split_file.write_text(content)
    with pytest.raises(ValueError, match=sentence):
        survey(colored("a.png"), split_file=split_file)


def test_the_share_keeps_copies_together_and_is_said_to_be_missing(folder: Path) -> None:
    report = survey(folder, share=0.3)
    assert not report.leaks
    assert 0 < report.split_counts()["val"] <= 0.5 * len(report.pictures)
    for group in report.duplicates:
        assert len({report.split_of[i] for i in group}) == 1
    without = survey(folder, share=0.0)
    assert "No picture is kept for validation" in without.as_text()
    assert "No picture is kept for validation" not in report.as_text()


@pytest.fixture
def batch(photo: Tensor) -> list[Image.Image]:
    """A photo, the same brighter, and another picture."""
    return [as_picture(p) for p in torch.cat([photo, (photo * 1.2).clamp(0, 1), photo.roll(60, 3).flip(2)])]


def test_pictures_in_memory(batch: list[Image.Image], colored: Callable[..., Path]) -> None:
    report = survey(None, batch)
    assert report.name == "images"
    assert [facts.name for facts in report.pictures] == ["image 1", "image 2", "image 3"]
    assert report.group_of == (0, 0, 2)
    assert (report.pictures[0].width, report.pictures[0].height) == batch[0].size
    assert [facts.source for facts in report.pictures] == batch
    assert dict(report.rows()).keys() == {"pictures", "smallest", "median", "largest", "split"}

    both = survey(colored("a.png"), batch)
    assert [facts.name for facts in both.pictures] == ["a.png", "image 1", "image 2", "image 3"]
    # They take part in the split, near-copies together.
    halves = survey(colored("a.png"), batch, share=0.5).split_of
    assert sorted(halves) == ["train", "train", "val", "val"]
    assert halves[1] == halves[2]


def test_progress_counts_every_file_and_what_it_raises_ends_the_survey(
    folder: Path, batch: list[Image.Image]
) -> None:
    seen: list[tuple[int, int]] = []
    survey(folder, batch, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(n, 20) for n in range(1, 21)]

    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 3:
            raise Cancelled

    seen.clear()
    with pytest.raises(Cancelled):
        survey(folder, on_progress=cancel)
    assert len(seen) == 3


def test_a_folder_where_nothing_can_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    report = survey(tmp_path)
    assert report.pictures == ()
    assert "pictures    none" in report.as_text()
    assert "WARNING: 1 file cannot be read" in report.as_text()


def test_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no folder .*nowhere"):
        survey(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"The folder .* holds no picture; give another one\."):
        survey(tmp_path)
    with pytest.raises(ValueError, match="There are no pictures"):
        survey(None)
