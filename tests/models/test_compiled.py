"""`torch.compile` of the generator, as docs/python.md says: the same picture, and graphs that serve again."""

from __future__ import annotations

import torch
from tiny_network import TINY

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
