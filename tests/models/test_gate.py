"""What comes into the network: types, ranges and values of pictures, masks and frames; PyTorch's defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from brushwork.models.regions import StyleRegion
from brushwork.models.style_gan import StyleGAN
from brushwork.models.video.steady import SteadyVideo


@pytest.fixture
def image() -> Tensor:
    return torch.rand(3, 3, 24, 32, generator=torch.Generator().manual_seed(1))


def with_nan(image: Tensor, i: int) -> Tensor:
    image = image.clone()
    image[i, 0, 3, 3] = math.nan
    return image


def test_one_picture_that_is_not_finite_is_named(frozen_tiny, image):
    for encode, kind in ((frozen_tiny.encode_content, "content"), (frozen_tiny.encode_style, "style")):
        with pytest.raises(ValueError, match=rf"^The {kind} picture 2 of 3 has values that are not finite"):
            encode(with_nan(image, 1))
    with pytest.raises(ValueError, match=r"^The style picture has values that are not finite"):
        frozen_tiny.stylize(image, with_nan(image[:1], 0))


def test_a_mask_that_is_not_finite_is_named(frozen_tiny, image):
    content, code = frozen_tiny.encode_content(image[:1]), frozen_tiny.encode_style(image[:1])
    masks = torch.ones(2, 6, 6)
    masks[1, 2, 2] = math.inf
    with pytest.raises(ValueError, match=r"^The mask 2 of 2 has values that are not finite; give masks"):
        frozen_tiny.generate(content, code, regions=[StyleRegion(code, masks)])


@pytest.mark.parametrize("call", ["read", "paint"])
def test_a_frame_that_is_not_finite_is_named(frozen_tiny, image, call):
    code = frozen_tiny.encode_style(image[:1])
    video = SteadyVideo(frozen_tiny, 3)
    for i in range(3):
        frame = with_nan(image, 1)[i : i + 1] if call == "read" else image[i : i + 1]
        if i == 1 and call == "read":
            with pytest.raises(ValueError, match=r"^Frame 2 of 3 has values that are not finite"):
                video.read(frame, code)
            return
        video.read(frame, code)
    with pytest.raises(ValueError, match=r"^Frame 3 of 3 has values that are not finite"):
        video.paint(2, with_nan(image, 2)[2:3], code)


def test_values_outside_paint_like_clamped_ones(frozen_tiny, image):
    """16 pixels of an EXR file that are brighter than white."""
    bright = image.clone()
    bright[:, :, :4, :4] = 100
    bright[:, :, 8, :] = -3
    expected = frozen_tiny.stylize(bright.clamp(0, 1), image, 0.6)
    assert torch.equal(frozen_tiny.stylize(bright, image, 0.6), expected)
    assert torch.equal(frozen_tiny.encode_style(bright), frozen_tiny.encode_style(bright.clamp(0, 1)))
    code, other = frozen_tiny.encode_style(image).split([1, 2])
    content = frozen_tiny.encode_content(image[:1])
    left = (torch.arange(32) < 16).float().expand(1, 24, 32)
    regions = [[StyleRegion(other[:1], mask)] for mask in (left, left * 7 - 3, left.bool(), left.double())]
    results = [frozen_tiny.generate(content, code, regions=each) for each in regions]
    assert all(torch.equal(each, results[0]) for each in results[1:])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_pictures_of_any_floating_point(frozen_tiny, image, dtype):
    found = frozen_tiny.stylize(image.to(dtype), image.to(dtype), 0.5)
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found, frozen_tiny.stylize(image.to(dtype).float(), image.to(dtype).float(), 0.5)
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.contiguous(memory_format=torch.channels_last),
        lambda x: x.flip(3).flip(3),
        lambda x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
        lambda x: torch.stack([x, x], -1)[..., 0],
        lambda x: x[:1].expand(3, -1, -1, -1),
    ],
)
def test_any_layout(frozen_tiny, image, change):
    given = change(image)
    torch.testing.assert_close(frozen_tiny.stylize(given, image), frozen_tiny.stylize(given.clone(), image))


def test_a_picture_may_ask_for_gradients(frozen_tiny, image):
    image.requires_grad_(True)
    frozen_tiny.stylize(image, image).sum().backward()
    assert image.grad.isfinite().all()
    assert image.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.zeros(0, 3, 8, 8), r"has shape \(0, 3, 8, 8\); it must be \[batch, 3, height, width\]"),
        (torch.zeros(1, 1, 8, 8), r"has shape \(1, 1, 8, 8\)"),
        (torch.zeros(1, 4, 8, 8), r"has shape \(1, 4, 8, 8\)"),
        (torch.zeros(3, 8, 8), r"has shape \(3, 8, 8\)"),
        (torch.zeros(1, 8, 8, 3), r"has shape \(1, 8, 8, 3\)"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "is torch.uint8; convert it to floating point in 0..1"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.bool), "is torch.bool; convert"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.complex64), "is torch.complex64; convert"),
        (None, "is of the type NoneType; give a tensor"),
        ([torch.zeros(3, 8, 8)], "is of the type list; give a tensor"),
    ],
)
def test_what_is_refused(frozen_tiny, bad, message):
    for encode, kind in ((frozen_tiny.encode_content, "content"), (frozen_tiny.encode_style, "style")):
        with pytest.raises(ValueError, match=rf"^The {kind} picture {message}"):
            encode(bad)


def test_a_network_in_float64_paints_pictures_of_float32(tiny, image):
    gan = tiny.eval().requires_grad_(False)
    expected = gan.stylize(image, image, 0.5)
    found = gan.double().stylize(image, image, 0.5)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.float(), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_in_16_bits_is_refused(tiny, image, dtype):
    gan = tiny.to(dtype)
    for call in (gan.encode_content, gan.encode_style):
        with pytest.raises(
            ValueError, match=rf"^The network's weights are {dtype}; paint with gan.float\(\)"
        ):
            call(image)


@pytest.fixture(params=[(torch.float64, "cpu"), (torch.float16, "cpu"), (torch.bfloat16, "meta")], ids=str)
def other_defaults(request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """A function that leaves behind what another pack of ComfyUI may have left."""
    dtype, device = request.param

    def change() -> None:
        torch.set_default_dtype(dtype)
        torch.set_default_device(device)

    yield change
    assert torch.get_default_dtype() == dtype
    assert torch.get_default_device().type == device
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


def test_other_defaults_change_nothing(frozen_tiny, image, tmp_path, other_defaults):
    code = frozen_tiny.encode_style(image[:1])
    region = StyleRegion(frozen_tiny.encode_style(image[1:2]), (image[:1, 0] > 0.5).float())
    frozen_tiny.save(tmp_path / "tiny.safetensors", dtype=torch.float32)

    def all_of_it(gan: StyleGAN) -> list[Tensor]:
        content = gan.encode_content(image)
        video = SteadyVideo(gan, 3, strength=0.7, statistics="window", window=2)
        for i in range(3):
            video.read(image[i : i + 1], code)
        frames = [video.paint(i, image[i : i + 1], code) for i in range(3)]
        return [
            gan.encode_style(image, stroke_size=1.5),
            gan.sample_style(3, 2),
            gan.generate(content, code, 0.6, seed=3),
            gan.generate(content[:1], code, regions=[region]),
            *frames,
        ]

    expected = all_of_it(StyleGAN.load(tmp_path / "tiny.safetensors"))
    other_defaults()
    found = all_of_it(StyleGAN.load(tmp_path / "tiny.safetensors"))
    for each, wanted in zip(found, expected, strict=True):
        assert (each.dtype, each.device) == (wanted.dtype, wanted.device)
        assert torch.equal(each, wanted)


@pytest.mark.parametrize("value", ["0.5", None, [0.5], math.nan, 7, torch.zeros(2)])
def test_what_is_no_number_is_one_sentence(frozen_tiny, image, value):
    for name, call in (
        ("strength", lambda: frozen_tiny.stylize(image, image, value)),
        ("strength", lambda: SteadyVideo(frozen_tiny, 2, strength=value)),
        ("follow", lambda: SteadyVideo(frozen_tiny, 2, follow=value)),
    ):
        with pytest.raises(ValueError, match=rf"^{name} is .+; choose a value from 0 to 1\.$"):
            call()
    with pytest.raises(ValueError, match=r"^stroke_size is .+; choose a value from 0\.25 to 4\.$"):
        frozen_tiny.encode_style(image, stroke_size=value)


def test_numbers_of_numpy_are_numbers(frozen_tiny, image):
    expected = frozen_tiny.stylize(image, image, 0.5, seed=3)
    assert torch.equal(frozen_tiny.stylize(image, image, np.float32(0.5), seed=np.int64(3)), expected)
    for seed in ("3", True, 3.0, np.int64(-1)):
        with pytest.raises(ValueError, match=r"^seed is .+; give a whole number from 0 to"):
            frozen_tiny.stylize(image, image, seed=seed)


def test_no_styles_are_refused(frozen_tiny, image):
    code = frozen_tiny.encode_style(image)
    with pytest.raises(ValueError, match="hold an empty batch; give 1 or more of each"):
        frozen_tiny.generate(frozen_tiny.encode_content(image), code[:0])
