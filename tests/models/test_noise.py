"""Noise: normal, a function of place and seed, and strokes that follow from it."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import strips
from brushwork.models.noise import PlacedNoise
from brushwork.models.passes import Frozen, Trained
from brushwork.models.video.norm_statistics import Recorder, Replay

CPU = torch.device("cpu")
NO_BORDER = torch.zeros(1, 2, dtype=torch.long)


def maps(seed=0, stride=4, count=1, size=(64, 64), corner=NO_BORDER, origin=(0, 0)):
    seeds = (seed,) if isinstance(seed, int) else seed
    return PlacedNoise(seeds, origin).maps(stride, count, size, corner, CPU)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
@pytest.mark.parametrize("stride", [4, 32])
def test_it_is_standard_normal_and_white(seed, stride):
    noise = maps(seed, stride, count=3, size=(400, 500))
    assert noise.shape == (1, 3, 400, 500)
    assert noise.dtype == torch.float32
    count = noise[0, 0].numel()
    for own in noise[0]:
        assert own.mean().abs() < 4 / count**0.5
        assert (own.var() - 1).abs() < 6 / count**0.5
        assert (own.pow(4).mean() - 3).abs() < 40 / count**0.5
        # The share within one and two deviations.
        assert (own.abs() < 1).float().mean().item() == pytest.approx(0.6827, abs=5e-3)
        assert (own.abs() < 2).float().mean().item() == pytest.approx(0.9545, abs=3e-3)
        for down, right in ((0, 1), (1, 0), (1, 1), (0, 2), (8, 0), (1, -1), (64, 64)):
            assert (own * own.roll((down, right), (0, 1))).mean().abs() < 5 / count**0.5
        # Its spectrum is flat: no rows, columns or waves.
        power = torch.fft.rfft2(own)[1:, 1:-1].abs().square() / count
        assert power.mean().item() == pytest.approx(1, abs=0.02)
        assert power.max() < 20
    pairs = (noise[0, 0] * noise[0, 1], noise[0, 1] * noise[0, 2], noise[0, 0] * noise[0, 2])
    assert max(pair.mean().abs() for pair in pairs) < 5 / count**0.5


def test_seeds_and_levels_have_noise_of_their_own():
    all_maps = [maps(0), maps(1), maps(2**32), maps(2**63), maps(0, stride=8), maps(0, stride=16)]
    for i, one in enumerate(all_maps):
        assert torch.equal(one, [maps(0), maps(1), maps(2**32), maps(2**63), maps(0, 8), maps(0, 16)][i])
        for other in all_maps[:i]:
            assert (one * other).mean().abs() < 5 / 64


def test_known_numbers():
    """They decide the strokes of every picture that was ever painted with a seed: they must not change."""
    found = maps(7, stride=4, count=2, size=(2, 2))[0].flatten()
    expected = [1.772093, -0.389724, 0.487221, 0.018023, 0.435479, 0.994116, -1.483102, -0.153899]
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("stride", "origin"), [(4, (12, 40)), (8, (8, 16)), (32, (64, 32)), (4, (-8, -4))])
def test_a_crop_that_knows_its_place_has_the_noise_of_the_whole(stride, origin):
    whole = maps(3, stride, 2, (64, 64), origin=(-64, -64))
    top, left = ((place + 64) // stride for place in origin)
    crop = maps(3, stride, 2, (10, 9), origin=origin)
    assert torch.equal(crop, whole[:, :, top : top + 10, left : left + 9])


@pytest.mark.parametrize("corner", [(0, 0), (1, 3), (3, 2)])
def test_it_lies_on_the_picture_and_not_on_its_border(corner):
    """A cell of 1/4 has the noise of its place in the picture, whatever the border is."""
    bordered = maps(5, size=(20, 20), corner=torch.tensor([corner]))
    plain = maps(5, size=(20, 20))
    shift = [0 if pixels <= 2 else 1 for pixels in corner]
    there = bordered[:, :, shift[0] :, shift[1] :]
    assert torch.equal(there, plain[:, :, : there.shape[2], : there.shape[3]])


def test_every_picture_of_a_batch_may_have_a_seed_and_a_corner():
    corners = torch.tensor([[0, 0], [3, 1], [2, 2]])
    noise = PlacedNoise((4, 5, 6))
    together = noise.maps(8, 2, (12, 9), corners, CPU)
    for i in range(3):
        alone = noise.picture(i).maps(8, 2, (12, 9), corners[i : i + 1], CPU)
        assert torch.equal(together[i : i + 1], alone)
        assert torch.equal(alone, maps(4 + i, 8, 2, (12, 9), corners[i : i + 1]))
    assert maps(4, 8, 2, (12, 9), corners).shape == (3, 2, 12, 9)
    assert maps(4, 8, 2, (12, 9), corners[:1].expand(3, -1)).shape == (1, 2, 12, 9), "the same for all"


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "3", None, True])
def test_what_is_no_seed_is_refused(frozen_tiny, seed):
    content, code = frozen_tiny.encode_content(torch.rand(1, 3, 16, 16)), frozen_tiny.sample_style(1)
    message = rf"seed is {seed}; give a whole number from 0 to 18446744073709551615\."
    with pytest.raises(ValueError, match=message):
        frozen_tiny.generate(content, code, seed=seed)


def test_the_same_seed_paints_the_same_picture(gan, photo, artwork):
    painted = gan.stylize(photo, artwork, seed=9)
    assert torch.equal(gan.stylize(photo, artwork, seed=9), painted)
    assert torch.equal(gan.stylize(photo, artwork), gan.stylize(photo, artwork, seed=0))


def test_another_seed_has_other_strokes_and_the_same_motif(gan, scene, artwork):
    one, other, flat = (
        gan.stylize(scene, artwork, seed=1),
        gan.stylize(scene, artwork, seed=2),
        gan.stylize(scene.flip(-1), artwork, seed=1),
    )
    changed = (one - other).abs().mean()
    assert changed > 2 / 255
    assert changed < 0.5 * (one - flat).abs().mean()


def test_a_picture_has_the_same_strokes_in_any_batch(frozen_tiny):
    torch.manual_seed(0)
    photos, code = torch.rand(3, 3, 40, 56), frozen_tiny.sample_style(2)
    together = frozen_tiny.generate(frozen_tiny.encode_content(photos), code, seed=5)
    for i in range(3):
        alone = frozen_tiny.generate(frozen_tiny.encode_content(photos[[i]]), code, seed=5)
        torch.testing.assert_close(together[[i]], alone, atol=5e-3, rtol=0)


@torch.no_grad()
def test_a_crop_that_knows_its_place_keeps_its_strokes(gan, scene, artwork):
    """Where the photo itself says nothing, the strokes come from the noise alone."""
    code, corner = gan.encode_style(artwork), torch.tensor([[0, 0]])
    plain, recorder = scene * 0.1 + 0.5, Recorder()

    def painted(picture, origin, how):
        content = gan.encode_content(picture, how, corner)
        return gan.generate(content, code, how=how, noise=PlacedNoise((3,), origin))

    whole = painted(plain, (0, 0), Frozen(recorder))[..., 32:, 64:]
    crop, how = plain[..., 32:, 64:], Frozen(Replay(recorder.kept, gan.normalized))
    here, elsewhere = (painted(crop, origin, how) for origin in ((32, 64), (0, 0)))
    kept, lost = ((each - whole)[..., 64:, 64:].abs().mean() for each in (here, elsewhere))
    assert kept < 0.5 * lost


def test_strips_have_the_noise_of_the_whole(monkeypatch, frozen_tiny):
    torch.manual_seed(0)
    picture, code = torch.rand(1, 3, 130, 60), frozen_tiny.sample_style(1)
    whole = frozen_tiny.generate(frozen_tiny.encode_content(picture), code, seed=4)
    monkeypatch.setattr(strips, "STRIP_BYTES", 2_000)
    in_strips = frozen_tiny.generate(frozen_tiny.encode_content(picture), code, seed=4)
    torch.testing.assert_close(in_strips, whole, atol=2e-4, rtol=0)


def test_gradients_reach_the_strength_of_the_noise(tiny):
    content = tiny.encode_content(torch.rand(2, 3, 40, 40))
    painted = tiny.generator(content, tiny.sample_style(1, 2), Trained(), PlacedNoise((1, 2)))
    painted.square().mean().backward()
    blocks = [block for level in tiny.generator.levels for block in level.blocks]
    assert all(block.noise.weight.grad.abs().max() > 0 for block in blocks)
