"""Every way through the nodes on a device that lacks what Apple's GPU lacks; the results are the CPU's."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from emulated_device import NO_FLOAT64, OnDevice, emulated_device
from torch import Tensor

from brushwork.models import grid
from brushwork.models.thumbnail import paint_thumbnail
from brushwork.nodes import (
    EncodeContent,
    EncodeStyle,
    EvaluateStyle,
    Generate,
    MaskStyle,
    MixStyles,
    PaintVideo,
    RefinePainting,
    SampleStyle,
)
from brushwork.nodes.bridge import api
from brushwork.nodes.shared.sockets import ManagedGAN
from brushwork.pictures.tensors import as_tensor

pytestmark = pytest.mark.usefixtures("slim_loss_network")

Way = Callable[[ManagedGAN], Tensor]


def pictures(*size: int, seed: int = 0) -> Tensor:
    """Blotches and grain, IMAGE."""
    made = np.random.default_rng(seed)
    count, height, width = size
    coarse = torch.from_numpy(made.random((count, 3, -(-height // 8), -(-width // 8)), np.float32))
    coarse = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    fine = torch.from_numpy(made.random((count, 3, height, width), np.float32))
    return (0.7 * coarse + 0.3 * fine).permute(0, 2, 3, 1)


def left(height: int, width: int) -> Tensor:
    """A mask of the left half, MASK."""
    return (torch.arange(width, device="cpu") < width // 2).float().expand(1, height, width)


def styles(gan: ManagedGAN, count: int = 2, **options: float) -> list:
    return [EncodeStyle.execute(gan, pictures(1, 40, 48, seed=7 + i), **options)[0] for i in range(count)]


@pytest.fixture
def elsewhere(monkeypatch, small_gan) -> ManagedGAN:
    """The small network, managed by a ComfyUI that runs models on the emulated device."""
    with emulated_device() as device:

        def load(patcher: object, memory: int) -> torch.device:
            patcher.model.to(device)
            return device

        monkeypatch.setattr(api, "load", load)
        monkeypatch.setattr(api, "device", lambda: device)
        monkeypatch.setattr(api, "unload_until_free", lambda memory: None)
        gan = ManagedGAN.manage(copy.deepcopy(small_gan.gan))
        gan.gan.to(device)
        yield gan


def painted(gan: ManagedGAN, **options: object) -> Tensor:
    content = EncodeContent.execute(gan, pictures(2, 45, 61))[0]
    return Generate.execute(gan, content, styles(gan, 1)[0], **options)[0]


def in_regions(gan: ManagedGAN) -> Tensor:
    masked = MaskStyle.execute(*styles(gan), left(20, 31), 6.0)[0]
    content = EncodeContent.execute(gan, pictures(1, 45, 61))[0]
    return Generate.execute(gan, content, masked, 0.7)[0]


def mixed(gan: ManagedGAN) -> Tensor:
    first, second = styles(gan)
    return MixStyles.execute(first, mode="slerp", split=True, style_2=second, weight_2=2.0)[0].code


def film(gan: ManagedGAN, **options: object) -> Tensor:
    scene = pictures(1, 34, 660)
    frames = torch.cat([scene[:, :, x : x + 651] for x in (0, 2, 4)])
    return PaintVideo.execute(gan, frames, styles(gan, 1)[0], **options)[0]


def refined(gan: ManagedGAN, **options: object) -> Tensor:
    options = {"quality": "draft", "steps": 2, "dtype": "float32", **options}
    art = torch.cat([pictures(1, 40, 44, seed=1), pictures(1, 40, 44, seed=2)])
    image, content = pictures(1, 40, 52, seed=3), pictures(1, 44, 57, seed=3)
    return RefinePainting.execute(image, content, art, left(20, 25), "1, 2", gan, **options)[0]


WAYS: dict[str, Way] = {
    "content": lambda gan: EncodeContent.execute(gan, pictures(2, 45, 61))[0].coarse,
    "style": lambda gan: styles(gan, 1)[0].code,
    "larger strokes": lambda gan: styles(gan, 1, stroke_size=1.7)[0].code,
    "smaller strokes": lambda gan: styles(gan, 1, stroke_size=0.6)[0].code,
    "mix": mixed,
    "random styles": lambda gan: SampleStyle.execute(gan, 3, 2)[0].code,
    "thumbnail": lambda gan: as_tensor(paint_thumbnail(gan.gan, styles(gan, 1)[0].code)),
    "photo": lambda gan: painted(gan, strength=0.6, seed=5),
    "luminance": lambda gan: painted(gan, preserve_color="luminance"),
    "histogram": lambda gan: painted(gan, preserve_color="histogram"),
    "regions": in_regions,
    "film": lambda gan: film(gan, strength=0.8, statistics="window", window=2),
    "film in its own colours": lambda gan: film(gan, preserve_color="histogram", follow=0.5),
    "refined": lambda gan: refined(gan, steps=1),
    "refined, network": lambda gan: refined(gan, steps=1, optimize="network"),
    "refined, pixels": lambda gan: refined(gan, optimize="pixels"),
    "refined in its own colours": lambda gan: refined(gan, preserve_color="histogram", optimize="pixels"),
    "refined in its own light": lambda gan: refined(
        gan, preserve_color="luminance", stroke_size=1.5, steps=1, optimize="network"
    ),
}


@pytest.fixture(scope="module")
def on_the_cpu(small_gan) -> Callable[[str], Tensor]:
    """The result of a way on the CPU, computed once for all tests."""

    @functools.cache
    def found(name: str) -> Tensor:
        with pytest.MonkeyPatch.context() as on_cpu:
            on_cpu.setattr(api, "load", lambda patcher, memory: torch.device("cpu"))
            on_cpu.setattr(api, "device", lambda: torch.device("cpu"))
            return WAYS[name](small_gan)

    return found


@pytest.mark.parametrize("name", WAYS)
def test_the_result_is_the_cpus(name, on_the_cpu, elsewhere):
    expected = on_the_cpu(name)
    found = WAYS[name](elsewhere)
    assert isinstance(next(elsewhere.gan.parameters()), OnDevice)
    apart = (found.cpu() - expected).abs()
    # Where colours are matched by rank, a rounding error may move a pixel by a rank.
    assert apart.max() < 2e-2
    assert apart.mean() < 1e-4


def test_scores_are_the_cpus(small_gan, elsewhere):
    pytest.importorskip("torchmetrics")
    given = {"style_images": pictures(2, 40, 40, seed=1), "content_images": pictures(2, 40, 40, seed=2)}
    found = json.loads(EvaluateStyle.execute(elsewhere, samples=3, side=32, features="vgg19", **given)[1])
    assert found["device"] == "mps"
    api_load = pytest.MonkeyPatch()
    api_load.setattr(api, "load", lambda patcher, memory: torch.device("cpu"))
    expected = json.loads(EvaluateStyle.execute(small_gan, samples=3, side=32, features="vgg19", **given)[1])
    api_load.undo()
    for name, score in expected["scores"].items():
        if score["value"] is not None:
            assert found["scores"][name]["value"] == pytest.approx(score["value"], rel=1e-2, abs=1e-3), name
    assert sum(score["value"] is not None for score in expected["scores"].values()) > 5


@pytest.fixture(params=[(torch.float64, "meta"), (torch.float16, "cpu")], ids=str)
def other_defaults(request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """A function after which PyTorch's defaults are those that another pack has left behind."""
    dtype, device = request.param

    def change() -> None:
        torch.set_default_dtype(dtype)
        torch.set_default_device(device)

    yield change
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "name",
    ["style", "random styles", "histogram", "luminance", "regions", "film", "refined", "refined, network"],
)
def test_another_packs_defaults_change_nothing(name, small_gan, on_the_cpu, other_defaults):
    expected = on_the_cpu(name)
    other_defaults()
    found = WAYS[name](small_gan)
    assert (found.dtype, found.device) == (expected.dtype, expected.device)
    assert torch.equal(found, expected)


def test_another_packs_defaults_change_no_scores(small_gan, other_defaults):
    pytest.importorskip("torchmetrics")
    given = {"style_images": pictures(2, 40, 40, seed=1), "content_images": pictures(2, 40, 40, seed=2)}
    options = {"samples": 2, "side": 32, "features": "vgg19"}
    expected = json.loads(EvaluateStyle.execute(small_gan, **options, **given)[1])
    other_defaults()
    assert json.loads(EvaluateStyle.execute(small_gan, **options, **given)[1])["scores"] == expected["scores"]


def test_a_double_that_comes_back_is_found(elsewhere, monkeypatch):
    hann = grid._hann
    monkeypatch.setattr(grid, "_hann", lambda length, device: hann(length, device).double())
    with pytest.raises(TypeError, match=NO_FLOAT64):
        painted(elsewhere)
