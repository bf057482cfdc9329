"""The generator's parts and how the style code drives them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.models import StyleGAN
from brushwork.models.generator import ModulatedBlock, Modulation
from brushwork.models.normalization import adain
from brushwork.models.passes import Frozen, Trained


def test_counts_its_layers(frozen_tiny):
    config, generator = frozen_tiny.config, frozen_tiny.generator
    assert len(generator.normalized) == config.layers == 6
    assert len(generator.coarse_blocks) + 1 == config.coarse_layers == 3


def test_modulation_starts_as_told():
    parts = Modulation(6, 4, (1.0, 0.0, 0.5))(torch.zeros(2, 6))
    assert [p.unique().tolist() for p in parts] == [[1.0], [0.0], [0.5]]


def test_identity_modulation_starts_as_the_codes_own_numbers():
    w = torch.randn(2, 11)
    scale, shift = Modulation(11, 4, (1.0, 0.0), identity=True)(w)
    torch.testing.assert_close(scale, w[:, :4])
    torch.testing.assert_close(shift, w[:, 4:8])


def test_block_multiplies_the_filters_themselves():
    """A factor on a convolution's output is a factor on its filters (its bias included)."""
    torch.manual_seed(0)
    block = ModulatedBlock("any", 4, 6).double()
    torch.nn.init.normal_(block.conv1.bias)
    x, w = torch.randn(1, 4, 8, 8, dtype=torch.float64), torch.randn(1, 6, dtype=torch.float64) * 10
    scale, shift, filter1, filter2 = block.modulation(w)

    def filtered(layer, factor, h):
        weight, bias = layer.weight * factor[0, :, None, None, None], layer.bias * factor[0]
        return F.conv2d(F.pad(h, (1, 1, 1, 1), mode="reflect"), weight, bias)

    h = F.leaky_relu(adain(x, scale, shift), 0.2)
    h = F.leaky_relu(filtered(block.conv1, filter1, h), 0.2)
    torch.testing.assert_close(block(x, w, Trained()), x + filtered(block.conv2, filter2, h))


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
    handle = frozen_tiny.generator.up.register_forward_hook(lambda *call: seen.append(call[2]))
    content = frozen_tiny.encode_content(torch.rand(1, 3, 32, 32))
    code = frozen_tiny.encode_style(torch.rand(1, 3, 32, 32))
    other = code.clone()
    other[:, frozen_tiny.config.coarse_layers :] += 1
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
