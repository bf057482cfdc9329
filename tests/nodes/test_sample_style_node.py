"""SampleStyle: seeds, counts, psi."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import StyleGAN
from brushwork.nodes import SampleStyle
from brushwork.nodes.shared.sockets import ManagedGAN


def test_it_is_the_networks_own(small_gan):
    style = SampleStyle.execute(small_gan, seed=11, count=3, psi=0.6)[0]
    assert torch.equal(style.code, small_gan.gan.sample_style(11, 3, 0.6))
    assert style.structure_layers == small_gan.gan.config.structure_layers


def test_seeds_differ_and_repeat(small_gan):
    codes = [SampleStyle.execute(small_gan, seed=seed)[0].code for seed in (1, 2, 1)]
    assert torch.equal(codes[0], codes[2])
    assert not torch.allclose(codes[0], codes[1])


def test_every_seed_of_the_widget_works(small_gan):
    widget = SampleStyle.INPUT_TYPES()["required"]["seed"][1]
    assert widget["control_after_generate"]
    for seed in (widget["min"], widget["max"]):
        assert torch.isfinite(SampleStyle.execute(small_gan, seed=seed)[0].code).all()


def test_a_network_without_a_style_space_is_refused(small_gan):
    bare = ManagedGAN.manage(StyleGAN(small_gan.gan.config))
    with pytest.raises(ValueError, match="stores no style distribution"):
        SampleStyle.execute(bare, seed=0)
