"""StyleDataset without ComfyUI: report, sheet, progress, cancel, and what is refused."""

from __future__ import annotations

import os

import pytest
import torch
from PIL import Image

from brushwork.nodes import StyleDataset
from brushwork.nodes.bridge import api
from brushwork.nodes.bridge.progress import on_progress
from brushwork.nodes.train_style.inputs import pictures_from


@pytest.fixture
def input_folder(tmp_path, monkeypatch, inputs_dir):
    """ComfyUI's input folder, with six small paintings in a folder `art`, one in a subfolder."""
    monkeypatch.setattr(api.folder_paths, "get_input_directory", lambda: str(tmp_path))
    for i, path in enumerate(sorted(inputs_dir.glob("art-*.jpg"))):
        place = tmp_path / "art" / "more" if i == 5 else tmp_path / "art"
        place.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as picture:
            picture.thumbnail((160, 160))
            picture.save(place / path.name)
    return tmp_path


@pytest.fixture
def updates():
    """What the progress bar was told."""
    seen = []
    on_progress(lambda done, total, preview, **_: seen.append((done, total)))
    yield seen
    on_progress(None)


def run(**inputs):
    report, sheet = StyleDataset.execute(**inputs).result
    assert sheet.shape[0] == 1
    assert sheet.shape[3] == 3
    assert sheet.dtype == torch.float32
    assert 0 <= sheet.min() < sheet.max() <= 1
    return report, sheet


@pytest.mark.parametrize("full_path", [False, True])
def test_a_folder(input_folder, full_path):
    report, sheet = run(folder=f' "{input_folder / "art"}" ' if full_path else "art")
    assert report.startswith("art\n\npictures    6 (JPEG 6)\n")
    assert "NOTE: 1 picture near-monochrome" in report
    assert sheet.std() > 0.1


def test_a_batch_alone_and_beside_a_folder(input_folder, photo_image):
    before = photo_image.clone()
    batch = torch.cat([photo_image, photo_image * 0.8])
    assert run(images=batch)[0].startswith("images\n\npictures    2 (memory 2)\n")
    report, _ = run(folder="art", images=batch)
    assert "pictures    8 (JPEG 6, memory 2)" in report
    assert "  #7 image 1 ~ #8 image 2" in report.splitlines()
    assert torch.equal(photo_image, before)
    assert "pictures    1" in run(images=torch.cat([photo_image, photo_image[..., :1]], 3))[0]  # RGBA


def test_min_side(input_folder):
    assert "WARNING: 6 pictures with a shorter side under 161 px" in run(folder="art", min_side=161)[0]
    assert "shorter side" not in run(folder="art", min_side=1)[0]


@pytest.mark.parametrize("share", [0.0, 0.15, 0.4])
def test_validation_pictures_are_those_of_train_style(input_folder, share):
    chosen = pictures_from("paintings", "art", None, share)
    report, sheet = run(folder="art", validation_share=share)
    assert f"split       train {len(chosen.train)}, val {len(chosen.val)}" in report
    blue = torch.tensor([0x1D, 0x4E, 0xD8]) / 255
    assert (sheet - blue).abs().amax(3).lt(1e-3).any() == bool(chosen.val)


def test_progress_ends_at_the_last_picture_at_most_once_each(input_folder, updates):
    run(folder="art")
    assert updates
    assert all(total == 6 for _, total in updates)
    done = [number for number, _ in updates]
    assert done == sorted(set(done))


def test_cancel_ends_it(input_folder):
    model_management = api.model_management
    model_management.interrupt_current_processing(True)
    with pytest.raises(model_management.InterruptProcessingException):
        StyleDataset.execute(folder="art")
    assert not api.is_interrupted()
    run(folder="art")


def test_runs_again_when_the_folder_changes(input_folder):
    def fingerprint():
        return StyleDataset.fingerprint_inputs(folder="art", min_side=128, validation_share=0.15)

    seen = [fingerprint()]
    assert fingerprint() == seen[0]
    picture = input_folder / "art" / "new.png"
    for change in (
        lambda: Image.new("RGB", (20, 20)).save(picture),
        lambda: os.utime(picture, (1, 1)),
        lambda: picture.rename(input_folder / "art" / "more" / "new.png"),
    ):
        change()
        seen.append(fingerprint())
        assert seen[-1] != seen[-2]
    assert StyleDataset.fingerprint_inputs(folder="") == StyleDataset.fingerprint_inputs()


def test_what_is_refused(input_folder, photo_image):
    with pytest.raises(ValueError, match="There is nothing to look at; name a folder, or connect images"):
        StyleDataset.execute(folder="  ")
    with pytest.raises(ValueError, match=r"There is no folder 'monet': looked for .*monet"):
        StyleDataset.execute(folder="monet", images=photo_image)
    with pytest.raises(ValueError, match="The batch of images has shape"):
        StyleDataset.execute(images=photo_image[0])
    (input_folder / "empty").mkdir()
    with pytest.raises(ValueError, match=r"The folder .*empty holds no picture"):
        StyleDataset.execute(folder="empty")
    assert StyleDataset.validate_inputs(folder="art") is True
    assert StyleDataset.validate_inputs(folder="") is True
    assert StyleDataset.validate_inputs() is True  # linked
    assert "There is no folder 'monet'" in StyleDataset.validate_inputs(folder="monet")
