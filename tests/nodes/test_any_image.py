"""Every node that takes an IMAGE takes any: RGBA, grey, several, a single pixel, 8K."""

from __future__ import annotations

import copy
import json

import pytest
import torch

from brushwork.nodes import (
    NODES,
    EncodeContent,
    EncodeStyle,
    EvaluateStyle,
    Generate,
    PaintPhoto,
    PaintVideo,
    RefinePainting,
    SaveStyle,
    StyleDataset,
)
from brushwork.nodes.bridge import api
from brushwork.nodes.shared.sockets import ManagedGAN
from brushwork.nodes.train_style.inputs import photos_from, pictures_from

pytestmark = pytest.mark.usefixtures("slim_loss_network")

# TrainStyle reads its two batches with `pictures_from` and `photos_from`.
COVERED = {
    "EncodeContent",
    "EncodeStyle",
    "EvaluateStyle",
    "Generate",
    "PaintPhoto",
    "PaintVideo",
    "RefinePainting",
    "SaveStyle",
    "StyleDataset",
    "TrainStyle",
}
any_size = pytest.mark.parametrize("size", [(1, 1), (1, 300), (20, 33)])
any_channels = pytest.mark.parametrize("channels", [1, 3, 4])
any_count = pytest.mark.parametrize("count", [1, 3])


@pytest.fixture
def images(count, size, channels):
    torch.manual_seed(1)
    return torch.rand(count, *size, channels)


@pytest.fixture
def style(small_gan):
    return EncodeStyle.execute(small_gan, torch.rand(1, 20, 20, 3))[0]


def test_no_node_is_forgotten():
    takers = {
        name
        for name, node in NODES.items()
        if any("IMAGE" in entry.get_io_type().split(",") for entry in node.GET_SCHEMA().inputs)
    }
    assert takers == COVERED


@any_size
@any_channels
@any_count
def test_painting(small_gan, style, images, count, size):
    painted = Generate.execute(small_gan, EncodeContent.execute(small_gan, images)[0], style)[0]
    at_once = Generate.execute(small_gan, style=style, photo=images)[0]
    by_one_node = PaintPhoto.execute(images, style=style, style_gan=small_gan)[0]
    like_itself = PaintPhoto.execute(images, painting=images, style_gan=small_gan)[0]
    video = PaintVideo.execute(small_gan, images, style)[0]
    for result in (painted, at_once, by_one_node, like_itself, video):
        assert result.shape == (count, *size, 3)
        assert ((result >= 0) & (result <= 1)).all()


@any_size
@any_channels
@any_count
def test_refining(small_gan, images, count, size):
    options = {"quality": "draft", "steps": 1, "style_gan": small_gan}
    refined = RefinePainting.execute(images, images[:1], images, **options)[0]
    assert refined.shape == (count, *size, 3)
    assert ((refined >= 0) & (refined <= 1)).all()


def test_painting_8k(small_gan, style):
    quiet = copy.deepcopy(small_gan.gan)
    for name, parameter in quiet.named_parameters():
        if ".noise." in name:
            parameter.zero_()
    quiet = ManagedGAN.manage(quiet)
    content = EncodeContent.execute(quiet, torch.rand(1, 1, 1, 3).expand(1, 4320, 7680, 3))[0]
    painted = Generate.execute(quiet, content, style)[0]
    assert painted.shape == (1, 4320, 7680, 3)
    # Without noise a picture of one colour is painted evenly: no strip's edge shows.
    assert (painted - painted[:, :1, :1]).abs().max() < 1e-3


@any_size
@any_channels
@any_count
def test_styles(small_gan, images, count):
    code = EncodeStyle.execute(small_gan, images)[0].code
    assert len(code) == count
    assert code.isfinite().all()


@any_size
@any_channels
def test_thumbnails(tmp_path, monkeypatch, style, size, channels):
    folders = api.folder_paths.folder_names_and_paths
    monkeypatch.setitem(folders, "brushwork_styles", ([str(tmp_path)], {".safetensors"}))
    SaveStyle.execute(style, "any", thumbnail=torch.rand(1, *size, channels))
    assert (tmp_path / "any.safetensors").is_file()


@any_size
@any_channels
@any_count
def test_pictures_to_learn_from(images, count):
    assert len(pictures_from("paintings", "", images, 0.0).train) == count
    assert len(photos_from("", images, 0.0).train) == count
    assert f"pictures    {count}" in StyleDataset.execute(images=images)[0]


@any_channels
def test_evaluation(small_gan, channels):
    pytest.importorskip("torchmetrics")
    images = torch.rand(2, 40, 33, channels)
    given = {"style_images": images, "content_images": images}
    record = EvaluateStyle.execute(small_gan, samples=2, side=32, **given)[1]
    assert json.loads(record)["paintings"] == 2
