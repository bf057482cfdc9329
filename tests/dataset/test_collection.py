"""From folders and pixels to the pictures of a run: what is found, who validates, what is read how often."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageFile

from brushwork.base.shipped import demo_photos
from brushwork.dataset.collection import collect, photos_and_paintings
from brushwork.dataset.splits import MANY, hash_split
from brushwork.training.options import TrainOptions
from brushwork.training.runs.recipe import recipe
from brushwork.training.runs.record import picture_records


@pytest.fixture
def folder(tmp_path, inputs_dir):
    """The six paintings, one of them twice, and a file that is no picture."""
    for path in sorted(inputs_dir.glob("art-*.jpg")):
        with Image.open(path) as picture:
            picture.thumbnail((200, 200))
            picture.save(tmp_path / path.name)
            if "monet" in path.name:
                picture.save(tmp_path / "monet again.png")
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    return tmp_path


def test_a_folder_is_split_with_copies_on_one_side(folder):
    found = collect("paintings", folder, share=0.4)
    assert len(found.train) + len(found.val) == 7
    assert found.val
    for side in (found.train, found.val):
        assert len([path for path in side if "monet" in path.name]) in (0, 2)
    assert found.describe("painting").startswith(
        f"7 paintings, {len(found.val)} of them for validation; 1 un"
    )
    assert "broken.jpg" in str(found.report.unreadable[0])


def test_the_split_does_not_depend_on_what_else_is_there(folder):
    before = collect("paintings", folder, share=0.3)
    images = [Image.new("RGB", (32, 32), color) for color in ("red", "green")]
    more = collect("paintings", folder, images, share=0.3)
    assert len(set(before.val) - set(more.val)) <= 1
    assert set(before.digests) < set(more.digests)


def test_images_and_paths_may_be_given_without_a_folder(photo):
    image = Image.new("RGB", (32, 32), "red")
    found = collect("photos", pictures=[*demo_photos(), image], share=0.0)
    assert found.train == [*demo_photos(), image]
    assert found.describe("photo") == "7 photos"


def test_nothing_to_train_on_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"^There are no photos; give a folder of pictures, or a batch"):
        collect("photos")
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    why = r"\(1 unreadable file, first broken\.jpg: it is not in a format that Pillow reads\)"
    with pytest.raises(ValueError, match=rf"^The folder .* holds no photos that can be read {why}; give"):
        collect("photos", tmp_path)
    with pytest.raises(ValueError, match=r"^There is no folder"):
        collect("photos", tmp_path / "lost")


def test_few_are_split_by_share(inputs_dir: Path, tmp_path: Path) -> None:
    for path in inputs_dir.glob("art-*.jpg"):
        shutil.copy(path, tmp_path)
    photos, paintings = photos_and_paintings(None, tmp_path, None, 0.3)
    assert (len(photos.train), len(photos.val)) == (4, 2)
    assert (len(paintings.train), len(paintings.val)) == (4, 2)
    assert not set(paintings.train) & set(paintings.val)


def test_many_are_split_by_hash_and_some_kept_back(inputs_dir: Path, tmp_path: Path) -> None:
    source = inputs_dir / "art-engraving-dore.jpg"
    for number in range(MANY):
        shutil.copy(source, tmp_path / f"{number}.jpg")
    _, paintings = photos_and_paintings(None, tmp_path, None, 0.3)
    for name, found in (("train", paintings.train), ("val", paintings.val)):
        assert [p.name for p in found] == sorted(
            f"{n}.jpg" for n in range(MANY) if hash_split(f"{n}.jpg") == name
        )
    assert len(paintings.train) + len(paintings.val) < MANY


def test_every_picture_is_decoded_once_and_never_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reading gives hashes, sizes, thumbnails, the report, the run's recipe and the header's records."""
    decoded: Counter[tuple[int, int]] = Counter()
    load = ImageFile.ImageFile.load

    def counted(image: ImageFile.ImageFile) -> object:
        decoded[image.size] += bool(image.tile)  # what is loaded has no tiles left
        return load(image)

    sizes = Counter(Image.open(path).size for path in folder.iterdir() if path.name != "broken.jpg")
    monkeypatch.setattr(ImageFile.ImageFile, "load", counted)
    paintings = collect("paintings", folder)
    assert decoded == sizes
    assert sum(decoded.values()) == 7

    paintings.describe("painting")
    paintings.report.as_text()
    paintings.report.as_dict()
    recipe(TrainOptions(), paintings, paintings, None)
    records = picture_records(paintings.part("train") + paintings.part("val"))
    assert len(records) == 7
    assert decoded == sizes


def test_what_is_known_of_a_picture_stays_with_it(folder: Path) -> None:
    found = collect("paintings", folder, [Image.new("RGB", (32, 48), "red")], share=0.3)
    for split, pictures in (("train", found.train), ("val", found.val)):
        assert [facts.source for facts in found.part(split)] == pictures
    known = {facts.name: facts for facts in found.report.pictures}
    assert known["monet again.png"].source == folder / "monet again.png"
    assert known["image 1"].height == 48
    assert all(facts.thumbnail for facts in found.report.pictures)
