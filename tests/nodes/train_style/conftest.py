"""What the tests of TrainStyle share: small paintings, and empty folders to write to."""

from __future__ import annotations

import pytest
from comfy_folders import use_folders
from PIL import Image
from small_pictures import small_copies

from brushwork.base.shipped import demo_photos
from brushwork.nodes.bridge import progress
from brushwork.nodes.train_style import inputs


@pytest.fixture(scope="module", autouse=True)
def runs_are_small(small_validation, few_crops, slim_loss_network):
    """Scores and targets are most of what a short run costs, and no test here is about them."""


@pytest.fixture(scope="module")
def small_demo_photos(tmp_path_factory):
    """The shipped photos, small: to read large ones is much of what a short run costs."""
    photos = small_copies(demo_photos(), tmp_path_factory.mktemp("photos"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "demo_photos", lambda: photos)
        yield


@pytest.fixture(scope="module")
def paintings_dir(tmp_path_factory, inputs_dir):
    """Four small paintings, the fourth in a subfolder."""
    folder = tmp_path_factory.mktemp("paintings")
    for i, path in enumerate(sorted(inputs_dir.glob("art-*.jpg"))[:4]):
        place = folder / "more" if i == 3 else folder
        place.mkdir(exist_ok=True)
        with Image.open(path) as picture:
            picture.thumbnail((160, 160))
            picture.save(place / path.name)
    return folder


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Empty folders for one test."""
    use_folders(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture(autouse=True)
def _no_progress_hook():
    yield
    progress.on_progress(None)


@pytest.fixture
def every_update(monkeypatch):
    """No update is left out for coming too soon after the last."""
    monkeypatch.setattr(progress, "_PREVIEW_INTERVAL", 0)
