"""Refining by nearest places: what is matched with what, its gradient, and what a picture gets from it."""

from __future__ import annotations

import copy
import functools
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.models.perception.statistics import color_moments
from brushwork.models.perception.vgg import LossNetwork
from brushwork.painting import candidates
from brushwork.painting.nearest import NearestObjective
from brushwork.painting.objective import Mixture
from brushwork.painting.options import RefineOptions
from brushwork.painting.places import on_places
from brushwork.painting.pyramid_canvas import PyramidCanvas
from brushwork.painting.refine import refine
from brushwork.painting.sources import Region, Sources

QUICK = RefineOptions(steps=4, dtype="float32")
# Only what every place takes after.
ALONE = replace(QUICK, keep_calm=0, keep_light=0, keep_colors=0, smoothness=0, range_weight=0, photo_share=0)


def objective(network, picture, paintings, options=QUICK, weights=None, shares=None, side=512, photo=None):
    weights = weights or [1 / len(paintings)] * len(paintings)
    photo = picture if photo is None else photo
    mixtures = [Mixture(paintings, weights)]
    return NearestObjective(network, picture, picture, photo, mixtures, shares, options, side)


def places_of(network, picture, scaled_as=None) -> Tensor:
    """Features of all places, [N,C] of length 1, each layer by its energy, or by that of another picture."""
    with torch.no_grad():
        layers, scaling = (
            [values[0].flatten(1).T for values in on_places(network, each)]
            for each in (picture, picture if scaled_as is None else scaled_as)
        )
    energies = [layer.square().sum(1).mean() for layer in scaling]
    joined = [layer * energy.rsqrt() for layer, energy in zip(layers, energies, strict=True)]
    return F.normalize(torch.cat(joined, 1), dim=1)


def test_a_painting_is_nearest_to_itself(network, artwork):
    painting = artwork[..., :64, :88]
    found = objective(network, painting, [painting], ALONE)
    chosen = found.nearest[0][0][0]
    assert chosen.shape == (16, 22)
    assert torch.equal(chosen.flatten(), torch.arange(16 * 22))
    losses, gradient = found.gradient(painting)
    assert float(losses["nearest"]) < 1e-5
    assert float(gradient.abs().max()) < 1e-5


def test_each_place_takes_after_the_most_similar_one(network, photo, artwork):
    """By all products of two places, features read for this test."""
    picture, painting = photo[..., :64, :64], artwork[..., :72, :56]
    bank = places_of(network, painting)
    likeness = places_of(network, picture, painting) @ bank.T
    found = objective(network, picture, [painting], ALONE)
    chosen = likeness.gather(1, found.nearest[0][0][0].flatten()[:, None])[:, 0]
    assert float((likeness.amax(1) - chosen).abs().max()) < 1e-5
    assert float(found.gradient(picture)[0]["nearest"]) == pytest.approx(float(1 - chosen.mean()), abs=1e-5)


@pytest.mark.parametrize("turn", range(4))
def test_the_gradient_is_that_of_the_loss(exact_slim_network, photo, artwork, turn):
    """On each of the grids that take turns."""
    picture, painting = photo[..., :40, :48], artwork[..., :48, :48]
    options = replace(QUICK, keep_calm=0)
    found = objective(exact_slim_network, picture.double(), [painting.double()], options)
    torch.manual_seed(0)
    step = torch.randn_like(picture, dtype=torch.float64) * 1e-8

    def at(picture):
        found.turn = turn
        return found.gradient(picture)

    _, gradient = at(picture.double())
    ahead, behind = (float(at(picture.double() + s * step)[0]["total"]) for s in (1, -1))
    assert float((gradient * step).sum()) == pytest.approx((ahead - behind) / 2, rel=1e-3)


@pytest.mark.parametrize("size", [(75, 144), (133, 70), (72, 136)], ids=str)
def test_tiles_give_the_same_places_and_the_same_gradient(exact_slim_network, photo, artwork, size):
    """To rounding, at sizes that no cell divides."""
    picture = F.interpolate(photo, size, mode="bilinear").double()
    painting = artwork[..., :80, :80].double()
    whole, tiled = (
        objective(exact_slim_network, picture, [painting], ALONE, side=side) for side in (512, 64)
    )
    for turn in range(4):
        assert torch.equal(whole.nearest[turn][0][0], tiled.nearest[turn][0][0])
    for _ in range(4):
        gradients = [each.gradient(picture)[1] for each in (whole, tiled)]
        assert float((gradients[0] - gradients[1]).abs().max()) < 1e-9 * float(gradients[0].abs().max())


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_tiles_give_a_one_coloured_photo_the_same_picture(network, artwork, value):
    """As a picture: no place knows where its marks begin, so rounding moves some of them a little."""
    photo = torch.full((1, 3, 96, 144), value)
    options = RefineOptions(quality="draft", dtype="float32")
    whole, tiled = (
        refine(None, photo, artwork[..., :96, :96], None, replace(options, tile=tile), network=network)
        for tile in (0, 64)
    )
    assert float((whole - tiled).abs().mean()) < 1 / 255


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.3, 0.5)], ids=str)
def test_paintings_get_places_by_their_weights(network, photo, artwork, weights):
    paintings = [artwork[..., 60 * i : 60 * i + 48, :64] for i in range(len(weights))]
    found = objective(network, photo[..., :128, :128], paintings, weights=list(weights))
    counts = found.candidates[0][0].counts
    owners = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))[found.nearest[0][0][0]]
    for k, weight in enumerate(weights):
        assert float((owners == k).float().mean()) == pytest.approx(weight, abs=0.01)


def test_likeness_is_that_of_the_most_similar_place(network, photo, artwork):
    picture, painting = photo[..., :64, :64], artwork[..., :72, :56]
    found = candidates.likeness_to(network, picture, [Mixture([painting], [1.0])], None, 512)
    products = places_of(network, picture, painting) @ places_of(network, painting).T
    assert found.shape == (1, 1, 16, 16)
    assert float((found.flatten() - products.amax(1)).abs().max()) < 1e-4


def test_the_picture_comes_nearer_to_the_painting(gan, network, photo, artwork):
    """Every place of the result has a more similar one in the painting than the network's picture has."""
    photo, painting = photo[..., 60:124, 60:124], artwork[..., :64, :64]
    painted = gan.stylize(photo, painting)
    refined = refine(painted, photo, painting, network=network)
    assert refined.shape == photo.shape
    assert 0 <= float(refined.min()) <= float(refined.max()) <= 1
    bank = places_of(network, painting)
    distance = [
        float(1 - (places_of(network, each) @ bank.T).amax(1).mean()) for each in (refined, painted, photo)
    ]
    assert distance[0] < 0.85 * distance[1] < 0.85 * distance[2]


def test_more_content_weight_matches_the_first_picture_alone(network, photo, artwork):
    start, picture, painting = photo[..., :64, :64], photo[..., 64:128, :64], artwork[..., :64, :64]

    def chosen(content_weight):
        options = replace(ALONE, content_weight=content_weight)
        mixtures = [Mixture([painting], [1.0])]
        return NearestObjective(network, picture, start, start, mixtures, None, options, 512).nearest[0][0][0]

    alone = [objective(network, each, [painting], ALONE).nearest[0][0][0] for each in (start, picture)]
    alike = [float((chosen(weight) == alone[0]).float().mean()) for weight in (0.1, 1, 10, 100)]
    assert alike == sorted(alike)
    # A hundredth of the other picture moves the places that are about as like two candidates.
    assert alike[0] < 0.3 < 0.9 < alike[-1]
    assert torch.equal(chosen(0), alone[1])


def test_regions_have_their_own_paintings(slim_network, photo_of):
    photo = photo_of(32, 64)
    red, blue = (torch.zeros(1, 3, 32, 32) for _ in range(2))
    red[:, 0], blue[:, 2] = photo_of(32, 32, seed=1)[:, 0], photo_of(32, 32, seed=2)[:, 0]
    right = torch.zeros(1, 32, 64)
    right[..., 32:] = 1
    refined = refine(None, photo, red, options=QUICK, regions=[Region(right, blue)], network=slim_network)
    colors = [refined[..., part].mean((0, 2, 3)) for part in (slice(0, 24), slice(40, 64))]
    assert colors[0][0] > colors[0][2] + 0.2
    assert colors[1][2] > colors[1][0] + 0.2


def test_the_picture_has_the_paintings_mean_color_and_spread(slim_network, photo_of):
    """A cosine does not see how strong colours are, and steps alone make pictures too bright."""
    photo, painting = photo_of(48, 64), 0.2 + 0.3 * photo_of(40, 40, seed=1)
    options = replace(QUICK, steps=24, keep_colors=0, content_weight=0.1)
    refined = refine(0.5 * photo + 0.4, photo, painting, options=options, network=slim_network)
    for found, wanted in zip(color_moments(refined), color_moments(painting), strict=True):
        assert float((found - wanted).abs().max()) < 0.02


def test_less_keep_colors_gives_the_painting_more(slim_network, photo_of):
    """0 holds no masses: they go further from the first picture's."""
    start, painting = photo_of(64, 64, seed=2), photo_of(64, 64, seed=1)
    smooth = functools.partial(F.avg_pool2d, kernel_size=16)
    moved = []
    for keep in (0, 30, 60):
        options = replace(QUICK, steps=24, keep_colors=keep)
        refined = refine(start, photo_of(64, 64), painting, options=options, network=slim_network)
        moved.append(float((smooth(refined) - smooth(start)).abs().mean()))
    assert moved[0] > moved[1] > moved[2]


def test_pictures_of_a_batch_are_refined_as_if_alone(slim_network, photo_of):
    photos = torch.cat([photo_of(), photo_of(seed=1)])
    paintings = torch.cat([photo_of(seed=2), photo_of(seed=3)])
    both = refine(None, photos, paintings, options=QUICK, network=slim_network)
    for i in range(2):
        alone = refine(None, photos[i : i + 1], paintings[i : i + 1], options=QUICK, network=slim_network)
        assert float((both[i : i + 1] - alone).abs().mean()) < 2e-3


def test_the_start_may_lie_in_memory_as_the_networks_pictures_do(slim_network, photo_of):
    """Fused Adam goes through memory: with strides of its own a gradient would belong to other pixels."""
    start, photo, painting = photo_of(64, 64, seed=2), photo_of(64, 64), photo_of(64, 64, seed=1)
    options = replace(QUICK, steps=12)
    alike = [
        refine(each, photo, painting, options=options, network=slim_network)
        for each in (start, start.contiguous(memory_format=torch.channels_last))
    ]
    assert float((alike[0] - alike[1]).abs().mean()) < 1e-3
    canvases = [PyramidCanvas(start, 4) for _ in range(2)]
    gradient = photo_of(64, 64, seed=3) - 0.5
    canvases[0].move(gradient)
    canvases[1].move(gradient.contiguous(memory_format=torch.channels_last))
    assert torch.equal(canvases[0].picture, canvases[1].picture)


def test_a_start_that_is_the_photo_is_one_beside_others_too(slim_network, photo_of):
    """By picture, and whatever its type."""
    photo, painted, painting = photo_of(), photo_of(seed=2), photo_of(seed=1)
    alone = refine(None, photo, painting, options=QUICK, network=slim_network)
    for start, photos in (
        (torch.cat([photo, painted]), photo),
        (photo, torch.cat([photo, photo])),
        (photo.half(), photo),
    ):
        refined = refine(start, photos, painting, options=QUICK, network=slim_network)
        assert float((refined[:1] - alone).abs().mean()) < 1e-3


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (17, 9), (33, 47), (20, 200)], ids=str)
def test_any_size_comes_back(slim_network, photo_of, size):
    refined = refine(None, photo_of(*size), photo_of(31, 24, seed=1), options=QUICK, network=slim_network)
    assert refined.shape == (1, 3, *size)
    assert torch.isfinite(refined).all()


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_single_coloured_pictures_give_a_picture(slim_network, photo_of, value):
    plain = torch.full((1, 3, 40, 40), value)
    for photo, painting in ((photo_of(40, 40), plain), (plain, photo_of(40, 40)), (plain, plain)):
        refined = refine(None, photo, painting, options=QUICK, network=slim_network)
        assert torch.isfinite(refined).all()
        assert 0 <= float(refined.min()) <= float(refined.max()) <= 1


def test_colors_stay_where_the_first_picture_has_them(slim_network, photo_of):
    photo, painting = photo_of(64, 64), photo_of(64, 64, seed=1)

    def cells(picture):
        return F.avg_pool2d(picture, 8)

    start, options = nearest_start(photo, painting), replace(ALONE, steps=12)
    kept, free = (
        refine(start, photo, painting, options=replace(options, keep_colors=weight), network=slim_network)
        for weight in (300, 0)
    )
    errors = [float((cells(each) - cells(start)).square().mean()) for each in (kept, free)]
    assert errors[0] < 0.5 * errors[1]


def test_light_stays_where_the_photo_has_it(slim_network, photo_of):
    photo = F.avg_pool2d(photo_of(64, 64), 9, 1, 4)
    start, painting = nearest_start(1 - photo, photo_of(64, 64, seed=1)), photo_of(64, 64, seed=1)
    kept, free = (
        refine(
            start, photo, painting, network=slim_network, options=replace(ALONE, steps=20, keep_light=weight)
        )
        for weight in (100, 0)
    )

    def likeness(picture):
        cells = [F.avg_pool2d(each.mean(1, keepdim=True), 8).flatten() for each in (picture, photo)]
        return float(torch.corrcoef(torch.stack(cells))[0, 1])

    assert likeness(kept) > likeness(free) + 0.3


def nearest_start(photo, painting):
    """The photo in the painting's colours, with which refining begins."""
    return Sources(None, photo, painting, None, [], QUICK).start


def test_a_start_gets_the_paintings_colors_whatever_it_is(slim_network, photo_of):
    """The photo itself, and a copy that was rounded on the way, come out alike."""
    photo, painting = photo_of(64, 64), 0.3 * photo_of(64, 64, seed=1)
    itself, rounded = (
        refine(start, photo, painting, options=QUICK, network=slim_network)
        for start in (None, (photo * 255).round() / 255)
    )
    assert float((itself.mean((2, 3)) - painting.mean((2, 3))).abs().max()) < 0.03
    assert float((itself - rounded).abs().mean()) < 0.02


def test_small_things_come_back_by_the_content_weight(slim_network, photo_of):
    """What the paintings have nothing of: lines as thin as a pixel, in a painting of large blotches."""
    photo, painting = photo_of(64, 64), F.avg_pool2d(photo_of(64, 64, seed=1), 15, 1, 7)
    start = photo * 0.8

    def fine(picture):
        return (picture - F.avg_pool2d(picture, 5, 1, 2, count_include_pad=False))[..., 4:-4, 4:-4].flatten()

    likeness = []
    for weight in (0.01, 1.0, 2.0):
        options = replace(QUICK, steps=12, content_weight=weight)
        refined = refine(start, photo, painting, options=options, network=slim_network)
        likeness.append(float(F.cosine_similarity(fine(refined), fine(start), dim=0)))
    assert likeness[0] + 0.05 < likeness[1] < likeness[2]


class SmallNetwork(LossNetwork):
    """As on a device whose memory holds 120 x 120 pixels."""

    def layers(self, image):
        if image.shape[-2] * image.shape[-1] > 120 * 120:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return super().layers(image)


@pytest.mark.usefixtures("slim_loss_network")
def test_tiles_shrink_when_memory_runs_out(slim_network, photo_of):
    notes = []
    photo, painting = photo_of(75, 250), photo_of(120, 120, seed=1)
    small = refine(None, photo, painting, options=QUICK, network=SmallNetwork(), on_note=notes.append)
    said = "Memory ran out: the picture is now refined in tiles of "
    assert notes
    assert all(note.startswith(said) for note in notes)
    whole = refine(None, photo, painting, options=QUICK, network=slim_network)
    assert float((small - whole).abs().mean()) < 2e-3


def test_memory_that_runs_out_in_a_step_leaves_the_rest_to_single_pixels(slim_network, photo_of, monkeypatch):
    def fail(*args: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("brushwork.painting.pyramid_canvas.PyramidCanvas.move", fail)
    notes = []
    refined = refine(
        None, photo_of(), photo_of(seed=1), options=QUICK, network=slim_network, on_note=notes.append
    )
    assert notes == ["Memory ran out: from here on, each pixel moves by itself."]
    assert torch.isfinite(refined).all()


def test_it_works_in_inference_mode(slim_network, photo_of):
    """As in ComfyUI: a start that is not the photo, and pictures and networks made in that mode."""
    inputs = photo_of(64, 64, seed=2), photo_of(64, 64), photo_of(64, 64, seed=1)
    alone = refine(*inputs, options=QUICK, network=slim_network)
    with torch.inference_mode():
        network = copy.deepcopy(slim_network)
        assert next(network.parameters()).is_inference()
        refined = refine(*(each * 1 for each in inputs), options=QUICK, network=network)
    assert torch.allclose(refined, alone, atol=1e-4)


def test_bfloat16_sees_the_same(photo_of):
    refined = [
        refine(None, photo_of(64, 64), photo_of(64, 64, seed=1), options=replace(QUICK, dtype=dtype))
        for dtype in ("float32", "bfloat16")
    ]
    assert float((refined[0] - refined[1]).abs().mean()) < 0.02


def test_a_calm_wall_is_calmer_than_that_of_the_first_picture(slim_network, photo_of):
    """At a `keep_calm` of 3, also where the first picture comes back."""
    photo = photo_of(96, 128)
    photo[..., 64:] = 0.6
    start = photo.clone()
    start[..., 64:] += 0.2 * (F.interpolate(photo_of(12, 8, seed=2), scale_factor=8, mode="bilinear") - 0.5)
    painting = F.avg_pool2d(photo_of(80, 80, seed=1), 33, 1, 16)

    def marks(picture):
        fine, wide = (F.avg_pool2d(picture, side, 1, side // 2) for side in (5, 25))
        return float((fine - wide)[..., 16:-16, 80:-16].std())

    def refined(keep_calm):
        options = replace(QUICK, keep_calm=keep_calm)
        return refine(start, photo, painting, options=options, network=slim_network)

    assert marks(refined(3)) < 0.7 * marks(start)
    assert marks(refined(3)) < marks(refined(1)) < marks(refined(0))
