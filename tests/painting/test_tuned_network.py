"""Refining that tunes the network: its picture, its batches, regions and sizes, and what stays untouched."""

from __future__ import annotations

import cmath
import copy
from functools import partial

import pytest
import torch
from gram_errors import gram_errors
from tiny_network import TINY

from brushwork.models.perception.statistics import SIZES, normalized, style_at_sizes
from brushwork.models.perception.vgg import LossNetwork
from brushwork.models.style_gan import StyleGAN
from brushwork.painting import options as refine_options
from brushwork.painting import tuned_network
from brushwork.painting.errors import RefineError
from brushwork.painting.objective import Mixture
from brushwork.painting.options import RefineOptions
from brushwork.painting.refine import refine
from brushwork.painting.sources import Region
from brushwork.painting.tuned_network import TunedCanvas, TunedNetwork

TUNED = partial(RefineOptions, optimize="network")
QUICK = TUNED(steps=3, dtype="float32")
STROKES = ("half", "quarter")


@pytest.fixture(scope="module")
def tiny():
    """Untrained and narrow, for what is not about looks."""
    torch.manual_seed(0)
    return StyleGAN(TINY).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def pair(photo, artwork):
    """A photo and a painting of 64 pixels."""
    return photo[..., 60:124, 60:124], artwork[..., :64, :64]


@pytest.fixture(scope="module")
def small_pair(pair):
    """The middle of both, 40 pixels."""
    return tuple(each[..., 12:52, 12:52] for each in pair)


def style_error(network, picture, painting, sizes=SIZES):
    with torch.no_grad():
        errors = gram_errors(style_at_sizes(network, picture), style_at_sizes(network, painting))
    return float(sum(errors[size] for size in sizes))


def test_the_painting_comes_nearer_and_the_photo_too(gan, network, pair):
    photo, painting = pair
    painted = gan.stylize(photo, painting)
    seen = []
    options = TUNED(steps=24)
    refined = refine(
        painted, photo, painting, None, options, lambda s: seen.append(s.picture()), network=network, gan=gan
    )
    assert refined.shape == photo.shape
    assert 0 <= float(refined.min()) <= float(refined.max()) <= 1
    assert style_error(network, seen[-1], painting) < 0.5 * style_error(network, painted, painting)
    # The finest grain of the network is averaged out of the result; strokes are larger.
    strokes = [style_error(network, each, painting, STROKES) for each in (refined, painted)]
    assert strokes[0] < 0.5 * strokes[1]
    assert style_error(network, refined, painting) < 0.6 * style_error(network, painted, painting)
    content = [normalized(network(each)["relu4_1"]) for each in (refined, painted, photo)]
    assert (content[0] - content[2]).square().mean() < (content[1] - content[2]).square().mean()


def test_it_has_less_grain_than_pixels_that_move_by_themselves(gan, network, pair):
    """The loss sees as much of the painting in both; the rest of the picture is what the eye minds."""
    photo, painting = pair
    photo = photo * 0 + 0.6

    def roughness(optimize):
        options = TUNED(steps=8, optimize=optimize, keep_calm=0, smoothness=0)
        picture = refine(None, photo, painting, None, options, network=network, gan=gan)
        around = torch.nn.functional.avg_pool2d(picture, 3, 1)
        return float((picture[..., 1:-1, 1:-1] - around).square().mean())

    assert roughness("network") < 0.9 * roughness("pixels")


def test_the_pattern_of_the_networks_grid_is_averaged_out(woven_gan, photo, pair):
    """What repeats in every cell of 4 x 4 pixels: much in one painting of a network, little in the result."""
    photo, painting = photo[..., :96, :96], pair[1]

    def pattern(picture):
        light = picture.mean(1)
        detail = light - torch.nn.functional.avg_pool2d(light, 5, 1, 2)
        return float(detail.unflatten(2, (-1, 4)).unflatten(1, (-1, 4)).mean((1, 3)).std())

    tuned = TunedNetwork(woven_gan, [Mixture([painting], [1.0])], 1)
    canvas = tuned.canvas(photo, None, 1, None)
    result = canvas.finished(canvas.picture)
    assert pattern(result) < 0.4 * pattern(canvas.picture)
    # A later size goes on from a picture, and keeps it where nothing has moved.
    later = tuned.canvas(photo, None, 1, photo)
    assert float((later.finished(later.picture) - photo).abs().max()) < 1e-5


def test_the_pictures_before_the_last_leave_no_pattern_either(woven_gan, photo, pair):
    """Each direction of a pattern of 4 pixels for itself, checkerboards and diagonals too."""
    photo, painting = photo[..., :96, :96], pair[1]

    def patterns(picture):
        light = picture.mean(1)
        detail = light - torch.nn.functional.avg_pool2d(light, 5, 1, 2)
        cell = detail.unflatten(2, (-1, 4)).unflatten(1, (-1, 4)).mean((1, 3))
        return torch.fft.fft2(cell).abs().flatten()[1:]

    tuned = TunedNetwork(woven_gan, [Mixture([painting], [1.0])], 1)
    canvas = tuned.canvas(photo, None, 4, None)
    average = canvas.picture
    for _ in range(3):
        canvas.move(torch.zeros_like(photo))
        average = average.lerp(canvas.picture, 0.5)
    once = patterns(woven_gan.stylize(photo, painting))
    assert (patterns(canvas.finished(average)) < 0.1 * once.max()).all()


def test_no_pattern_is_in_the_mean_of_two_in_all_steps():
    """By Fourier: the power of each pattern of 4 x 4 pixels in the mean of two grids, over nine steps."""
    for pattern in range(1, 16):
        wave = torch.tensor(divmod(pattern, 4)) * torch.pi / 2
        phases = [[float(place.float() @ wave) for place in tuned_network._places(step)] for step in range(9)]
        powers = [abs(cmath.exp(1j * a) + cmath.exp(1j * b)) ** 2 / 4 for a, b in phases]
        assert sum(powers) / 9 < 0.6


def test_the_network_that_was_given_stays_as_it_is(tiny, slim_network, small_pair):
    before = {name: tensor.clone() for name, tensor in tiny.state_dict().items()}
    refine(None, *small_pair, None, QUICK, network=slim_network, gan=tiny)
    assert all(torch.equal(before[name], tensor) for name, tensor in tiny.state_dict().items())
    assert not any(weight.requires_grad for weight in tiny.parameters())


def test_the_network_that_ships_is_tuned_where_none_is_given(gan, slim_network, small_pair):
    options = TUNED(steps=1, dtype="float32")
    assert torch.equal(
        refine(None, *small_pair, None, options, network=slim_network),
        refine(None, *small_pair, None, options, network=slim_network, gan=gan),
    )


def test_pictures_of_a_batch_are_tuned_as_if_alone(tiny, slim_network, small_pair):
    photos = torch.cat([small_pair[0], small_pair[0].flip(3)])
    paintings = torch.cat([small_pair[1], small_pair[1].flip(1)])
    both = refine(None, photos, paintings, None, QUICK, network=slim_network, gan=tiny)
    second = refine(None, photos[1:], paintings[1:], None, QUICK, network=slim_network, gan=tiny)
    assert float((both[1:] - second).abs().max()) < 1e-3
    assert float((both[:1] - second).abs().mean()) > 0.02


def test_regions_and_weights_choose_the_paintings(gan, slim_network, small_pair):
    photo, painting = small_pair
    dark, light = 0.3 * painting, 0.7 + 0.3 * painting
    options = TUNED(steps=2)

    def refined(paintings, weights=None, regions=()):
        return refine(
            None, photo, paintings, weights, options, regions=regions, network=slim_network, gan=gan
        )

    right = torch.zeros(1, 8, 8)
    right[..., 4:] = 1
    divided = refined(dark, regions=[Region(right, light)])
    assert float(divided[..., 25:].mean()) > float(divided[..., :15].mean()) + 0.3
    means = [float(refined([dark, light], weights).mean()) for weights in ([1, 0], [3, 1], [0, 5])]
    assert means[0] + 0.1 < means[1] < means[2] - 0.1


def test_larger_sizes_go_on_from_the_smaller(gan, network, pair, monkeypatch):
    """A small size, a larger one that is tuned as well, and one whose pixels move."""
    monkeypatch.setattr(refine_options, "_LARGEST_FIRST_TUNED", 18)
    monkeypatch.setattr(refine_options, "_LARGEST_TUNED", 40)
    photo, painting = pair
    options = TUNED("draft", steps=12)
    assert [each.tuned for each in options.passes(64, 64)] == [True, True, False]
    seen, ends = [], []
    finished = TunedCanvas.finished

    def finish(canvas, average):
        ends.append(finished(canvas, average))
        return ends[-1]

    def on_step(step):
        seen.append((step.size, step.losses()["total"], step.picture()))

    monkeypatch.setattr(TunedCanvas, "finished", finish)
    painted = gan.stylize(photo, painting)
    refined = refine(painted, photo, painting, None, options, on_step, network=network, gan=gan)
    assert [size for size, *_ in seen] == sorted(size for size, *_ in seen)
    assert {size for size, *_ in seen} == {(16, 16), (32, 32), (64, 64)}
    # Each size shows what the one before had, and begins no worse than the network alone.
    last_small = ends[-1]
    assert last_small.shape[-2:] == (32, 32)
    first_large = next(each for each in seen if each[0] == (64, 64))
    reduced = torch.nn.functional.avg_pool2d(first_large[2], 2)
    assert float(torch.corrcoef(torch.stack([reduced.flatten(), last_small.flatten()]))[0, 1]) > 0.9
    assert style_error(network, refined, painting) < style_error(network, painted, painting)


def test_large_pictures_are_painted_once_more_for_their_gradients(
    tiny, slim_network, small_pair, monkeypatch
):
    """With the same result: only the memory is another."""
    kept = refine(None, *small_pair, None, QUICK, network=slim_network, gan=tiny)
    monkeypatch.setattr(tuned_network, "_KEPT_PIXELS", 0)
    again = refine(None, *small_pair, None, QUICK, network=slim_network, gan=tiny)
    assert float((kept - again).abs().max()) < 1e-3


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (17, 9), (33, 47)], ids=str)
def test_any_size_comes_back(tiny, slim_network, texture, height, width):
    photo, painting = texture(1, 3, height, width).float(), texture(1, 3, 24, 31, seed=1).float()
    refined = refine(None, photo, painting, None, QUICK, network=slim_network, gan=tiny)
    assert refined.shape == (1, 3, height, width)
    assert torch.isfinite(refined).all()


def test_tiles_of_the_loss_network_give_the_same_picture(tiny, slim_network, texture):
    photo, painting = texture(1, 3, 75, 83).float(), texture(1, 3, 80, 72, seed=1).float()
    whole, tiled = (
        refine(
            None, photo, painting, None, TUNED(steps=2, dtype="float32", tile=tile),
            network=slim_network, gan=tiny,
        )
        for tile in (0, 64)
    )  # fmt: skip
    assert float((whole - tiled).abs().mean()) < 1e-3


def test_it_works_in_inference_mode(tiny, slim_network, small_pair, tmp_path):
    """As in ComfyUI, where the networks have been loaded in that mode, too."""
    tiny.save(tmp_path / "tiny.safetensors")
    with torch.inference_mode():
        gan = StyleGAN.load(tmp_path / "tiny.safetensors")
        network = copy.deepcopy(slim_network)
        refined = refine(None, *(each * 1 for each in small_pair), None, QUICK, network=network, gan=gan)
    gan = StyleGAN.load(tmp_path / "tiny.safetensors")
    alone = refine(None, *small_pair, None, QUICK, network=slim_network, gan=gan)
    assert torch.allclose(refined, alone, atol=1e-3), "up to rounding: the pictures lie elsewhere in memory"


@pytest.mark.parametrize("failing", ["canvas", "move"])
def test_memory_that_runs_out_leaves_the_rest_to_the_pixels(
    gan, slim_network, small_pair, monkeypatch, failing
):
    def fail(*args):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(TunedNetwork, failing, fail) if failing == "canvas" else monkeypatch.setattr(
        TunedCanvas, failing, fail
    )
    notes = []
    painted = gan.stylize(*small_pair)
    refined = refine(painted, *small_pair, None, QUICK, network=slim_network, gan=gan, on_note=notes.append)
    assert notes == ["Memory ran out while the network was tuned: from here on, each pixel moves by itself."]
    assert float((refined - painted).abs().mean()) < 0.1


def test_losses_that_are_never_finite_are_one_sentence(tiny, small_pair):
    class Overflowing(LossNetwork):
        def forward(self, image):
            return {name: maps * torch.inf for name, maps in super().forward(image).items()}

    with pytest.raises(RefineError, match="not finite"):
        refine(None, *small_pair, None, QUICK, network=Overflowing(), gan=tiny)


def test_a_gradient_that_is_not_finite_breaks_nothing(tiny, small_pair):
    photo, painting = small_pair
    canvas = TunedNetwork(tiny, [Mixture([painting], [1.0])], 1).canvas(photo, None, 3, None)
    canvas.move(torch.full_like(photo, torch.nan))
    assert torch.isfinite(canvas.picture).all()
    before = canvas.picture
    canvas.move(torch.ones_like(photo))
    assert float(canvas.picture.mean()) < float(before.mean())
