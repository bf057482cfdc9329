"""EvaluateStyle: report, JSON and sheet from batches and folders; cancel; what is refused."""

from __future__ import annotations

import json
import sys

import pytest
import torch
from PIL import Image
from small_pictures import small_copies

from brushwork.base.extras import installing
from brushwork.evaluation.set_distances import MissingPackageError
from brushwork.nodes import NODES
from brushwork.nodes.bridge import api
from brushwork.nodes.bridge.progress import on_progress
from brushwork.nodes.shared.images import from_pil

pytestmark = pytest.mark.usefixtures("slim_loss_network")

EvaluateStyle = NODES["EvaluateStyle"]
SMALL = {"samples": 4, "side": 48, "features": "auto", "seed": 1, "psi": 0.8}


@pytest.fixture(autouse=True)
def _no_fetched_weights(tmp_path, monkeypatch):
    """An empty cache of weights, whatever this machine has in its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folders(inputs_dir, tmp_path, monkeypatch):
    """`photos` and `art` with two pictures each, in ComfyUI's input folder."""
    monkeypatch.setattr(api, "input_folder", lambda: tmp_path)
    for kind, folder in (("photo", "photos"), ("art", "art")):
        small_copies(sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:2], tmp_path / folder)
    return tmp_path


@pytest.fixture
def updates():
    """What the progress bar was told: (done, total, whether there was a picture)."""
    seen = []
    on_progress(lambda done, total, preview, **_: seen.append((done, total, preview is not None)))
    yield seen
    on_progress(None)


def test_folders_and_batches_join(small_gan, folders, art_image, photo_image):
    report, record, sheet = EvaluateStyle.execute(
        small_gan,
        style_folder="art",
        content_folder=str(folders / "photos"),
        style_images=art_image,
        content_images=photo_image,
        **SMALL | {"samples": 100},
    ).result
    found = json.loads(record)
    assert (found["pairs"], found["photos"], found["paintings"]) == (9, 3, 3)
    assert found["options"]["seed"] == 1
    assert found["features"].startswith("VGG-19")
    for part in ("FID to the paintings", "KID to the paintings", "VGG-19", "psi 0.8", "Warning: "):
        assert part in report
    assert sheet.shape[0] == 1
    assert sheet.shape[-1] == 3
    assert 0 <= sheet.min() < sheet.max() <= 1


def test_photos_that_ship_stand_in_for_none(small_gan, folders):
    record = EvaluateStyle.execute(small_gan, style_folder="art", **SMALL)[1]
    assert json.loads(record)["photos"] == 4  # as many as pairs


def test_the_inputs_are_left_alone_and_the_same_again(small_gan, art_image, photo_image):
    before = art_image.clone(), photo_image.clone()
    weights = {name: tensor.clone() for name, tensor in small_gan.gan.state_dict().items()}
    styles = torch.cat([art_image, 1 - art_image])
    first, second = (
        EvaluateStyle.execute(small_gan, style_images=styles, content_images=photo_image, **SMALL)
        for _ in range(2)
    )
    assert first[1] == second[1]
    assert torch.equal(art_image, before[0])
    assert torch.equal(photo_image, before[1])
    for name, tensor in small_gan.gan.state_dict().items():
        assert torch.equal(tensor, weights[name])


def test_progress_shows_pictures(small_gan, art_image, photo_image, updates):
    EvaluateStyle.execute(small_gan, style_images=art_image, content_images=photo_image, **SMALL)
    assert updates
    assert all(total == 1 + 12 and picture for _, total, picture in updates)


def test_the_last_preview_is_the_sheet(small_gan, art_image, photo_image):
    """The page shows a node's last preview, not what it returns."""
    shown = []
    on_progress(lambda done, total, preview, **_: shown.append((done, total, preview)))
    try:
        result = EvaluateStyle.execute(small_gan, style_images=art_image, content_images=photo_image, **SMALL)
    finally:
        on_progress(None)
    done, total, (_, picture, _) = shown[-1]
    assert (done, total) == (13, 13)
    assert torch.equal(from_pil([picture]), result[2])


def test_cancel_stops_at_the_next_picture(small_gan, folders, updates):
    def cancel(done, *_, **__):
        updates.append(done)
        api.model_management.interrupt_current_processing(True)

    on_progress(cancel)
    with pytest.raises(api.model_management.InterruptProcessingException):
        EvaluateStyle.execute(small_gan, style_folder="art", content_folder="photos", **SMALL)
    assert updates == [1]
    assert not api.model_management.processing_interrupted()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"style_folder": ""}, "There are no paintings; connect style_images, or name a style_folder"),
        ({"style_folder": "nowhere"}, "There is no folder 'nowhere'"),
        ({"features": "inception"}, "get them with: brushwork evaluate --download inception"),
        ({"samples": 0}, "samples is 0; give a value from 1"),
    ],
)
def test_bad_input_is_one_sentence(small_gan, folders, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        EvaluateStyle.execute(small_gan, **SMALL | {"style_folder": "art"} | changes)


def test_missing_torchmetrics_says_how_to_install_it(small_gan, art_image, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(MissingPackageError, match="pip install torchmetrics; or in the folder") as error:
        EvaluateStyle.execute(small_gan, style_images=art_image, **SMALL)
    assert str(error.value).endswith(installing("train", "all that training and scores need"))


def test_what_the_server_refuses(folders):
    assert EvaluateStyle.validate_inputs(style_folder="art") is True
    assert "There is no folder 'lost'" in EvaluateStyle.validate_inputs(style_folder="lost")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"features": "clip"}, "choose one of auto, vgg19, inception"),
        ({"content_folder": "lost"}, "There is no folder 'lost'"),
        ({"content_folder": "lost", "style_folder": ""}, "There is no folder 'lost'"),  # before any picture
    ],
)
def test_what_the_node_refuses(folders, small_gan, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        EvaluateStyle.execute(small_gan, **{"style_folder": "art"} | wrong)


def test_a_new_picture_means_a_new_evaluation(folders):
    before = EvaluateStyle.fingerprint_inputs(style_folder="art", samples=3)
    assert EvaluateStyle.fingerprint_inputs(style_folder="art", samples=3) == before
    Image.new("RGB", (20, 20), "teal").save(folders / "art" / "new.png")
    assert EvaluateStyle.fingerprint_inputs(style_folder="art", samples=3) != before
