"""The example pictures and the film in ComfyUI's input folder: all there, nothing of the user's lost."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
import pytest
from comfy_folders import use_folders
from PIL import Image

import brushwork
from brushwork.base.shipped import example_files, example_pictures
from brushwork.nodes.shared.examples import provide_examples


@pytest.fixture
def input_folder(tmp_path, monkeypatch):
    use_folders(tmp_path, monkeypatch)
    return tmp_path / "input"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_they_come_with_the_nodes(input_folder):
    async def load():
        await (await brushwork.comfy_entrypoint()).get_node_list()

    asyncio.run(load())
    assert contents(input_folder) == {n: path.read_bytes() for n, path in example_files().items()}
    assert {"brushwork-photo-city-singapore.jpg", "brushwork-film-city-singapore.mp4"} <= contents(
        input_folder
    ).keys()


def test_nothing_of_the_user_is_replaced(input_folder):
    (mine, linked), others = list(example_files())[:2], list(example_files())[2:]
    (input_folder / mine).write_bytes(b"mine")
    (input_folder / linked).symlink_to(input_folder / "on a drive that is not there")
    (input_folder / "own.png").write_bytes(b"own")
    provide_examples()
    assert (input_folder / mine).read_bytes() == b"mine"
    assert not (input_folder / linked).exists()
    assert (input_folder / "own.png").read_bytes() == b"own"
    assert all((input_folder / name).is_file() for name in others)


def test_a_second_start_writes_nothing(input_folder):
    provide_examples()
    times = {path.name: path.stat().st_mtime_ns for path in input_folder.iterdir()}
    provide_examples()
    assert {path.name: path.stat().st_mtime_ns for path in input_folder.iterdir()} == times


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_folder_that_cannot_be_written_costs_one_line(input_folder, caplog):
    import resource

    # Like a full disk, and unlike a read-only folder also for root.
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limit[1]))
    try:
        provide_examples()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert not list(input_folder.iterdir())
    (record,) = caplog.records
    assert "cannot put its example pictures and film into" in record.getMessage()
    assert "choose pictures and films of your own" in record.getMessage()


@pytest.mark.parametrize(("region", "top", "bottom"), [("sky", 1, 0), ("water", 0, 1)])
def test_a_region_is_the_lake_with_a_hole_as_the_mask_editor_makes_it(region, top, bottom):
    """Load Image's mask is 1 where a picture is transparent."""
    with Image.open(example_pictures()[f"brushwork-region-lake-{region}.webp"]) as file:
        picture = np.asarray(file.convert("RGBA")).astype(float)
    with Image.open(example_pictures()["brushwork-photo-landscape-lake-sherburne.jpg"]) as file:
        lake = np.asarray(file.convert("RGB")).astype(float)
    assert np.abs(picture[..., :3] - lake).mean() < 5
    mask = 1 - picture[..., 3] / 255
    assert np.allclose(mask[:20], top, atol=0.02)
    assert np.allclose(mask[-20:], bottom, atol=0.02)
    assert 0.2 < mask.mean() < 0.6
