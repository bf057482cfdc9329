"""The bundle: sizes, batches, strength, and what it refuses."""

from __future__ import annotations

import math
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torchvision.transforms.functional import pil_to_tensor

from brushwork.base.shipped import DEFAULT_CHECKPOINT
from brushwork.models.passes import Frozen, Trained
from brushwork.models.style_gan import StyleGAN, StyleGANConfig
from brushwork.models.style_reading import style_reading_size

SIZES = [(1, 1), (1, 2), (2, 1), (3, 100), (7, 513), (15, 16), (16, 16), (17, 8), (64, 64), (129, 65)]


@pytest.mark.parametrize("size", SIZES)
def test_output_has_exactly_the_pictures_size(frozen_tiny, size):
    painted = frozen_tiny.stylize(torch.rand(1, 3, *size), torch.rand(1, 3, 20, 30))
    assert painted.shape == (1, 3, *size)
    assert painted.min() >= 0
    assert painted.max() <= 1
    assert torch.isfinite(painted).all()


def test_a_large_odd_picture_through_the_shipped_network(gan, artwork):
    painted = gan.stylize(torch.rand(1, 3, 1023, 769), artwork)
    assert painted.shape == (1, 3, 1023, 769)
    assert torch.isfinite(painted).all()


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (40, 3)])
def test_style_pictures_of_any_size(frozen_tiny, size):
    content = torch.rand(1, 3, 32, 32)
    assert frozen_tiny.stylize(content, torch.rand(1, 3, *size)).shape == content.shape


def test_stylize_is_its_two_steps(frozen_tiny):
    photo, art = torch.rand(1, 3, 24, 32), torch.rand(1, 3, 32, 24)
    by_hand = frozen_tiny.generate(frozen_tiny.encode_content(photo), frozen_tiny.encode_style(art), 0.7)
    torch.testing.assert_close(frozen_tiny.stylize(photo, art, 0.7), by_hand, atol=0, rtol=0)


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("photos", "arts", "pictures"), [(3, 1, 3), (1, 3, 3), (3, 3, 3), (1, 1, 1)])
def test_batches_pair_up(tiny, photos, arts, pictures, strength):
    # In float64: in float32 another order of summing shows in the fifth digit, and this is about pairing.
    gan = tiny.double().requires_grad_(False)
    photo, art = torch.rand(photos, 3, 24, 40).double(), torch.rand(arts, 3, 32, 32).double()
    painted = gan.stylize(photo, art, strength)
    assert painted.shape[0] == pictures
    for i in range(pictures):
        alone = gan.stylize(photo[[i % photos]], art[[i % arts]], strength)
        torch.testing.assert_close(painted[[i]], alone, atol=1e-9, rtol=1e-9)


def test_batches_that_do_not_pair_up_are_refused(frozen_tiny):
    content, code = (
        frozen_tiny.encode_content(torch.rand(2, 3, 16, 16)),
        frozen_tiny.encode_style(torch.rand(3, 3, 16, 16)),
    )
    message = "The content and the styles come in batches of 2 and 3; give each 1 or the same number."
    with pytest.raises(ValueError, match=message):
        frozen_tiny.generate(content, code)


def test_strength_0_is_the_photo(gan, photo, artwork):
    assert torch.equal(gan.stylize(photo, artwork, 0.0), photo)
    assert (gan.stylize(photo, artwork, 1e-4) - photo).abs().max() < 1e-3


def test_strength_1_is_the_generators_own_picture(gan, photo, artwork):
    content, code = gan.encode_content(photo), gan.encode_style(artwork)
    painted = content.cut(gan.generator(content, code, Frozen())).clamp(0, 1)
    assert torch.equal(gan.generate(content, code, 1.0), painted)
    torch.testing.assert_close(gan.generate(content, code, 0.99999), painted, atol=1e-3, rtol=0)


@pytest.mark.parametrize("strength", [0.25, 0.8])
def test_strength_between_follows_its_formula(gan, photo, artwork, strength):
    """(1 - s) photo + s G(content, lerp(own style, code, s)), in float64: roundings are magnified."""
    gan, photo, artwork = deepcopy(gan).double(), photo.double(), artwork.double()
    content, code = gan.encode_content(photo), gan.encode_style(artwork)
    between = (1 - strength) * gan.encode_style(photo) + strength * code
    expected = (1 - strength) * photo + strength * gan.generate(content, between)
    torch.testing.assert_close(gan.generate(content, code, strength), expected, atol=1e-8, rtol=0)


def test_more_strength_is_further_from_the_photo(gan, photo, artwork):
    content, code = gan.encode_content(photo), gan.encode_style(artwork)
    steps = [i / 8 for i in range(9)]
    distance = [(gan.generate(content, code, s) - photo).square().mean().item() for s in steps]
    assert distance[0] == 0
    assert distance == sorted(distance)
    assert len(set(distance)) == len(distance)
    assert distance[-1] > 1e-3


@pytest.mark.parametrize("strength", [-0.1, 1.01, math.nan, math.inf])
def test_strength_outside_its_range_is_refused(frozen_tiny, strength):
    with pytest.raises(ValueError, match=rf"strength is {strength}; choose a value from 0 to 1\."):
        frozen_tiny.stylize(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16), strength)


def test_a_code_of_another_network_is_refused(gan, frozen_tiny):
    code = frozen_tiny.encode_style(torch.rand(1, 3, 16, 16))
    message = r"The style code is \(10, 24\) and this network takes \(17, 192\); encode the style"
    with pytest.raises(ValueError, match=message):
        gan.generate(gan.encode_content(torch.rand(1, 3, 16, 16)), code)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 4, 8, 8), (1, 8, 8, 3), (0, 3, 8, 8), (1, 3, 0, 8)])
@pytest.mark.parametrize("kind", ["content", "style"])
def test_what_is_no_picture_is_refused(frozen_tiny, kind, shape):
    encode = frozen_tiny.encode_content if kind == "content" else frozen_tiny.encode_style
    with pytest.raises(ValueError, match=rf"The {kind} picture has shape .*; it must be \[batch, 3, height"):
        encode(torch.zeros(shape))


def test_integer_pictures_are_refused(frozen_tiny):
    with pytest.raises(ValueError, match=r"The content picture is torch.uint8; convert it to floating point"):
        frozen_tiny.encode_content(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


def test_sampling_a_style_needs_no_picture(gan, photo):
    codes = gan.sample_style(seed=7, count=2)
    assert codes.shape == (2, gan.config.layers, gan.config.code_dim)
    painted = gan.generate(gan.encode_content(photo), codes)
    assert painted.shape == (2, *photo.shape[1:])
    assert (painted[0] - painted[1]).abs().mean() > 1e-3


def test_sampling_refuses_what_makes_no_sense(frozen_tiny):
    with pytest.raises(ValueError, match=r"count is 0; ask for 1 style or more\."):
        frozen_tiny.sample_style(seed=1, count=0)
    with pytest.raises(ValueError, match=r"psi is 2.5; choose a value from 0 to 2\."):
        frozen_tiny.sample_style(seed=1, psi=2.5)
    with pytest.raises(ValueError, match=r"stores no style distribution; encode a picture instead\."):
        StyleGAN(StyleGANConfig(8, 12, 24, 1, 1, 16, 8, 1, 2, 2, 4, 8)).sample_style(seed=1)


def test_painting_leaves_its_inputs_alone(frozen_tiny):
    photo, art = torch.rand(1, 3, 20, 20), torch.rand(1, 3, 16, 16)
    before = photo.clone(), art.clone()
    content, code = frozen_tiny.encode_content(photo), frozen_tiny.encode_style(art)
    kept = content.fine.clone(), content.coarse.clone(), code.clone()
    first = frozen_tiny.generate(content, code, 0.5)
    torch.testing.assert_close((photo, art), before, atol=0, rtol=0)
    torch.testing.assert_close((content.fine, content.coarse, code), kept, atol=0, rtol=0)
    assert torch.equal(frozen_tiny.generate(content, code, 0.5), first)


def test_no_convolution_runs_above_a_quarter_of_the_resolution(gan):
    seen = []
    handles = [
        module.register_forward_hook(
            lambda layer, args, out: seen.append((*args[0].shape[-2:], *out.shape[-2:]))
        )
        for module in gan.modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        gan.stylize(torch.rand(1, 3, 64, 96), torch.rand(1, 3, 64, 96), 0.5)
    finally:
        for handle in handles:
            handle.remove()
    assert len(handles) <= len(seen)
    # The photo and up to 8 pixels of border.
    assert all(h <= 18 and w <= 26 for h, w in (pair for s in seen for pair in (s[:2], s[2:])))


def test_the_shipped_network_keeps_to_its_budget(gan):
    assert sum(p.numel() for p in gan.parameters()) <= 16_000_000
    assert DEFAULT_CHECKPOINT.stat().st_size <= 32_000_000
    assert not gan.training
    assert not any(p.requires_grad for p in gan.parameters())


def test_gradients_reach_every_parameter(tiny):
    photo, art = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    content = tiny.encode_content(photo)
    painted = content.cut(tiny.generator(content, tiny.encode_style(art), Trained()))
    (painted - art).square().mean().backward()
    silent = [name for name, p in tiny.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    assert silent == []


def test_gradients_flow_back_to_the_style_picture_only_through_its_code(tiny):
    art = torch.rand(1, 3, 32, 32, requires_grad=True)
    photo = torch.rand(1, 3, 32, 32)
    tiny.generate(tiny.encode_content(photo), tiny.encode_style(art).detach()).sum().backward()
    assert art.grad is None
    tiny.generate(tiny.encode_content(photo), tiny.encode_style(art)).sum().backward()
    assert art.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("picture", "size", "stroke_size", "expected"),
    [
        ((300, 400), 512, 1.0, (300, 400)),
        ((1024, 2048), 512, 1.0, (512, 1024)),
        ((1024, 2048), 512, 4.0, (2048, 4096)),
        ((1024, 2048), None, 0.5, (512, 1024)),
        ((300, 400), 512, 0.25, (75, 100)),
        ((1, 3), 512, 0.25, (1, 1)),
        ((5000, 2), 512, 2.0, (10000, 4)),
    ],
)
def test_the_size_at_which_a_style_is_read(picture, size, stroke_size, expected):
    assert style_reading_size(*picture, size, stroke_size) == expected


def test_stroke_size_reads_the_picture_itself_at_that_scale(gan, artwork):
    height, width = artwork.shape[-2:]
    small = F.interpolate(artwork, (height // 2, width // 2), mode="bilinear", antialias=True)
    assert torch.equal(gan.encode_style(artwork, stroke_size=0.5), gan.encode_style(small))
    # Through `size` and `stroke_size` together: not reduced to 48 first and enlarged again.
    assert torch.equal(
        gan.encode_style(artwork, size=height // 2, stroke_size=2.0), gan.encode_style(artwork)
    )


@pytest.mark.parametrize(
    "name", ["hokusai-great-wave", "kandinsky-composition-viii", "monet-woman-with-a-parasol"]
)
def test_larger_strokes_have_fewer_edges(gan, photo, inputs_dir, name):
    """Edges for their contrast, root mean square: every doubling above 1 takes some away."""
    with Image.open(inputs_dir / f"art-{name}.jpg") as file:
        art = pil_to_tensor(file.convert("RGB"))[None].float() / 255
    content = gan.encode_content(photo)
    edges = []
    for stroke_size in (1.0, 2.0, 4.0):
        light = gan.generate(content, gan.encode_style(art, size=256, stroke_size=stroke_size)).mean(1)
        slopes = light.diff(dim=-1).square().mean() + light.diff(dim=-2).square().mean()
        edges.append((slopes.sqrt() / light.std()).item())
    assert edges[0] > edges[1] > edges[2]
    assert edges[2] < 0.8 * edges[0]


@pytest.mark.parametrize("stroke_size", [0.0, 0.2, 4.1, -1.0, math.nan, math.inf])
def test_stroke_size_outside_its_range_is_refused(frozen_tiny, stroke_size):
    with pytest.raises(ValueError, match=rf"stroke_size is {stroke_size}; choose a value from 0.25 to 4\."):
        frozen_tiny.encode_style(torch.rand(1, 3, 16, 16), stroke_size=stroke_size)
