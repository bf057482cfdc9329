"""The generator's parts and how the style code drives them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.models import StyleGAN
from brushwork.models.dynamic_conv import Kernels
from brushwork.models.generator import ModulatedBlock, Modulation
from brushwork.models.normalization import adain
from brushwork.models.passes import Frozen, Trained
from brushwork.models.shares import Shares
from brushwork.models.style_gan import StyleGANConfig


def test_counts_its_layers(frozen_tiny):
    config, generator = frozen_tiny.config, frozen_tiny.generator
    assert config.layers == 10
    assert len(generator.normalized) == 11, "the last one is that of the colours"
    assert generator.normalized.index("generator.fine_entry") == sum(config.levels[:-1]) == 7
    assert StyleGANConfig().layers == 17


def test_modulation_starts_as_told():
    parts = Modulation(6, 4, (1.0, 0.0, 0.5))(torch.zeros(2, 6))
    assert [p.unique().tolist() for p in parts] == [[1.0], [0.0], [0.5]]


def test_identity_modulation_starts_as_the_codes_own_numbers():
    w = torch.randn(2, 11)
    scale, shift = Modulation(11, 4, (1.0, 0.0), identity=True)(w)
    torch.testing.assert_close(scale, w[:, :4])
    torch.testing.assert_close(shift, w[:, 4:8])


def test_a_block_is_its_formula():
    """AdaIN and noise; each convolution's kernels are a mixture, its output is multiplied by a factor."""
    torch.manual_seed(0)
    block = ModulatedBlock("any", 4, 6, 3).double()
    for conv in (block.conv1, block.conv2):
        torch.nn.init.normal_(conv.bias)
    torch.nn.init.normal_(block.noise.weight)
    x, w = torch.randn(2, 4, 8, 8, dtype=torch.float64), torch.randn(2, 6, dtype=torch.float64) * 10
    noise = torch.randn(2, 1, 8, 8, dtype=torch.float64)
    scale, shift, filter1, filter2 = (part[:, :, None, None] for part in block.modulation(w))

    def filtered(conv, factor, h):
        """All kernels' pictures first, mixed then."""
        parts = F.conv2d(F.pad(h, (1, 1, 1, 1), mode="reflect"), conv.weight).unflatten(1, (3, 4))
        shares = torch.cat([torch.ones(2, 1, dtype=torch.float64), conv.mix(w)], 1)
        return factor * ((parts * shares[:, :, None, None, None]).sum(1) + conv.bias[:, None, None])

    h = adain(x, scale[..., 0, 0], shift[..., 0, 0]) + noise * block.noise(w)[:, :, None, None]
    h = F.leaky_relu(filtered(block.conv1, filter1, F.leaky_relu(h, 0.2)), 0.2)
    expected = x + filtered(block.conv2, filter2, h)
    torch.testing.assert_close(block(x, w, Trained(), noise), expected)
    with torch.no_grad():
        torch.testing.assert_close(block(x, w, Frozen(), noise), expected)


def test_every_layer_of_the_code_matters(frozen_tiny):
    content = frozen_tiny.encode_content(torch.rand(1, 3, 32, 32))
    code = frozen_tiny.encode_style(torch.rand(1, 3, 32, 32))
    painted = frozen_tiny.generator(content, code, Frozen())
    for layer in range(code.shape[1]):
        changed = code.clone()
        changed[:, layer] += torch.linspace(-1, 1, code.shape[2])
        assert (frozen_tiny.generator(content, changed, Frozen()) - painted).abs().max() > 1e-4, (
            f"layer {layer}"
        )


def test_coarse_layers_reach_further_than_fine_ones(frozen_tiny):
    """Layer order is coarse to fine: the features behind the last coarse layer do not see the fine ones."""
    seen = []
    handle = frozen_tiny.generator.up4.register_forward_hook(lambda *call: seen.append(call[2]))
    content = frozen_tiny.encode_content(torch.rand(1, 3, 32, 32))
    code = frozen_tiny.encode_style(torch.rand(1, 3, 32, 32))
    other = code.clone()
    other[:, sum(frozen_tiny.config.levels[:-1]) :] += 1
    try:
        for w in (code, other, code + 1):
            frozen_tiny.generator(content, w, Frozen())
    finally:
        handle.remove()
    torch.testing.assert_close(seen[1], seen[0], atol=0, rtol=0)
    assert (seen[2] - seen[0]).abs().max() > 1e-3


def test_a_new_head_paints_no_grid():
    """All 16 pixels of a cell start alike, so an untrained network shows 4x4 blocks and no pattern."""
    gan = StyleGAN()
    painted = gan.generator(
        gan.encode_content(torch.rand(1, 3, 32, 32)), gan.encode_style(torch.rand(1, 3, 32, 32)), Trained()
    )
    cells = F.pixel_unshuffle(painted, 4).unflatten(1, (3, 16))
    assert (cells - cells[:, :, :1]).abs().max() < 1e-5


@pytest.mark.parametrize("seed", [0, 1])
def test_output_does_not_depend_on_memory_layout(frozen_tiny, seed):
    torch.manual_seed(seed)
    image, style = torch.rand(2, 3, 24, 40), torch.rand(2, 3, 24, 24)
    painted = frozen_tiny.stylize(image, style)
    strided = image.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    torch.testing.assert_close(frozen_tiny.stylize(strided, style), painted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(40, 40), (41, 72), (48, 88), (56, 57), (250, 25), (64, 64)])
def test_both_passes_paint_the_same_at_any_size(frozen_tiny, size):
    """Also where the maps at 1/16 and 1/32 hang over."""
    torch.manual_seed(0)
    image, code = torch.rand(2, 3, *size), frozen_tiny.sample_style(1, count=2)
    painted = [
        frozen_tiny.generate(frozen_tiny.encode_content(image, how), code, how=how)
        for how in (Trained(), Frozen())
    ]
    assert painted[0].shape == image.shape
    torch.testing.assert_close(painted[0], painted[1], atol=1e-4, rtol=0)


def test_one_style_for_many_pictures_is_that_style_for_each(frozen_tiny):
    torch.manual_seed(0)
    content, code = frozen_tiny.encode_content(torch.rand(3, 3, 48, 40)), frozen_tiny.sample_style(1)
    for how in (Trained(), Frozen()):
        together = frozen_tiny.generator(content, code, how)
        repeated = frozen_tiny.generator(content, code.expand(3, -1, -1), how)
        torch.testing.assert_close(together, repeated, atol=1e-5, rtol=1e-4)


def test_the_wide_levels_see_further(frozen_tiny):
    """What changes in a corner reaches the whole picture through statistics only, but the levels add up."""
    content = frozen_tiny.encode_content(torch.rand(1, 3, 64, 96))
    assert [tuple(each.shape[1:]) for each in content.maps.values()] == [
        (8, 18, 26),
        (12, 9, 13),
        (10, 5, 7),
        (10, 3, 4),
    ]


@torch.no_grad()
def test_two_styles_at_a_flat_share_are_one_style_with_their_mean(frozen_tiny):
    """Everything that a block takes from its style is blended, and blending is linear."""
    torch.manual_seed(0)
    block = frozen_tiny.generator.coarse_blocks[0]
    x, noise, w = torch.randn(1, 12, 9, 11), torch.randn(1, 1, 9, 11), torch.randn(2, 24)
    share = torch.tensor([0.3, 0.7])
    found = block(x, w, Frozen(), noise, Shares(share.expand(9, 11, 2)))

    def mean(each):
        return torch.einsum("s,s...->...", share, each)[None]

    scale, shift, filter1, filter2 = block.modulation(w)
    first, second = block.conv1.merged(w, filter1), block.conv2.merged(w, filter2)
    h = adain(x, mean(scale), mean(shift)) + noise * mean(block.noise(w))[:, :, None, None]
    for kernels in (first, second):
        blended = Kernels(mean(kernels.weight), mean(kernels.bias))
        h = blended.convolve(F.pad(F.leaky_relu(h, 0.2), (1, 1, 1, 1), mode="reflect"))
    torch.testing.assert_close(found, x + h, atol=1e-4, rtol=1e-4)


def test_it_trains_under_autocast(tiny):
    photo, art = torch.rand(2, 3, 48, 40), torch.rand(2, 3, 32, 32)
    expected = tiny.generator(tiny.encode_content(photo), tiny.encode_style(art), Trained())
    with torch.autocast("cpu", torch.bfloat16):
        painted = tiny.generator(tiny.encode_content(photo), tiny.encode_style(art), Trained())
    assert (painted.float() - expected).abs().mean() < 0.05
    painted.float().square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in tiny.parameters())
    assert all(p.grad.abs().max() > 0 for p in tiny.generator.parameters())
