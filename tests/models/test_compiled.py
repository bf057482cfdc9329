"""`torch.compile` of the generator, as docs/python.md says: the same picture, and graphs that serve again."""

from __future__ import annotations

import pytest
import torch
from tiny_network import TINY
from torch._subclasses.fake_tensor import FakeTensorMode

from brushwork.models.compiling import Compilable
from brushwork.models.padding import pad_by_one
from brushwork.models.style_gan import StyleGAN


@torch.inference_mode()
def test_a_compiled_generator_paints_the_same(photo, artwork):
    torch.manual_seed(0)
    gan = StyleGAN(TINY).eval().requires_grad_(False)
    content, style = gan.encode_content(photo[..., :96, :72]), gan.encode_style(artwork[..., :64, :64])
    seeds = (3, 4, 2**64 - 1)
    plain = [gan.generate(content, style, seed=seed) for seed in seeds]
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    # In place of the code that a compiler would write, PyTorch runs the operations that it would have got.
    gan.generator.compile(backend=backend)
    for seed, picture in zip(seeds, plain, strict=True):
        assert torch.equal(gan.generate(content, style, seed=seed), picture)
    assert not torch.equal(plain[0], plain[1])
    # What comes before the noise and what comes after it, once for all seeds.
    assert 1 <= len(graphs) <= 2


def test_borders_on_cuda_are_in_the_graph():
    """With a tensor that says that it is on CUDA and has no values: that needs no GPU."""
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(
        lambda x: pad_by_one(x, True, True, True, False), backend=backend, fullgraph=True
    )
    with FakeTensorMode():
        x = torch.empty(2, 16, 9, 7, device="cuda").contiguous(memory_format=torch.channels_last)
        assert compiled(x).shape == (2, 16, 10, 9)
    assert len(graphs) == 1


def test_the_mode_reaches_the_compiler():
    class Doubling(Compilable):
        def forward(self, x):
            return 2 * x

    modes, network = [], Doubling()

    def backend(graph, inputs, mode=None):
        modes.append(mode)
        return graph.forward

    network.compile(backend=backend, mode="reduce-overhead")
    assert float(network(torch.ones(1))) == 2
    assert modes == ["reduce-overhead"]


@pytest.mark.parametrize("name", ["content_encoder", "style_encoder", "generator"])
def test_a_mode_that_pytorch_does_not_have_is_refused(name):
    network = getattr(StyleGAN(TINY), name)
    with pytest.raises(ValueError, match=r"^mode is 'fast'; choose one of default, .*reduce-overhead.*\.$"):
        network.compile(mode="fast")
    # Nothing is compiled by then.
    assert network._compiled_call_impl is None
    network.compile(mode="reduce-overhead")
    assert network._compiled_call_impl is not None
