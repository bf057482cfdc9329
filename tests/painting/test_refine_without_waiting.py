"""A step of refining reads no number back from the device, which would make a GPU wait."""

from __future__ import annotations

import emulated_device
import pytest
import torch
from slim_loss_network import slim_loss_networks
from tiny_network import TINY

from brushwork.models.perception.vgg import LossNetwork
from brushwork.models.style_gan import StyleGAN
from brushwork.painting.options import RefineOptions
from brushwork.painting.refine import refine


@pytest.fixture
def read_back(monkeypatch):
    """The numbers that were read from tensors on the emulated device, one entry each."""
    found = []
    run = emulated_device._run

    def watched(func, args, kwargs):
        if func is torch.ops.aten._local_scalar_dense.default:
            found.append(args)
        return run(func, args, kwargs)

    monkeypatch.setattr(emulated_device, "_run", watched)
    return found


@pytest.mark.parametrize("optimize", ["nearest", "pixels", "network"])
def test_more_steps_read_no_more_numbers(read_back, photo_of, optimize):
    torch.manual_seed(0)
    gan = StyleGAN(TINY).eval().requires_grad_(False)
    counts = []
    with emulated_device.emulated_device() as device:
        with slim_loss_networks():
            network = LossNetwork().to(device)
        photo, painting = (photo_of(seed=seed).to(device) for seed in (0, 1))
        for steps in (1, 4):
            read_back.clear()
            options = RefineOptions(optimize=optimize, steps=steps, dtype="float32")
            picture = refine(None, photo, [painting], options=options, network=network, gan=gan)
            assert picture.device == device
            counts.append(len(read_back))
    assert 0 < counts[0] == counts[1]
