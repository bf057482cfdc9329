"""Refining as a user sees it: the result, and what is said on the way."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from gram_errors import gram_errors
from plain_grounds import ground_loss

from brushwork.models.perception.statistics import color_moments, normalized, style_at_sizes
from brushwork.painting import options as refine_options
from brushwork.painting.cell_losses import cell_colors, light_loss, patch_loss, photo_light
from brushwork.painting.colors import match_moments
from brushwork.painting.options import RefineOptions
from brushwork.painting.refine import refine
from brushwork.painting.sources import Region, Sources

# What both ways have in common, tried with the quicker one; `test_tuned_network.py` has the other.
PIXELS = partial(RefineOptions, optimize="pixels")
QUICK = PIXELS(quality="draft", steps=4, dtype="float32")


def style_error(network, picture, painting):
    with torch.no_grad():
        errors = gram_errors(style_at_sizes(network, picture), style_at_sizes(network, painting))
    return float(sum(errors.values()))


def is_picture(picture, height, width, batch=1):
    assert picture.shape == (batch, 3, height, width)
    assert torch.isfinite(picture).all()
    return float(picture.min()) >= 0 and float(picture.max()) <= 1


def test_the_picture_gets_the_paintings_statistics(network, photo, artwork):
    photo, artwork = photo[..., 60:124, 60:124], artwork[..., :64, :64]
    refined = refine(None, photo, artwork, options=PIXELS(quality="draft", steps=12), network=network)
    assert is_picture(refined, 64, 64)
    assert style_error(network, refined, artwork) < 0.4 * style_error(network, photo, artwork)


def test_content_weight_keeps_the_photo(network, photo, artwork):
    photo, artwork = photo[..., 60:124, 60:124], artwork[..., :64, :64]
    faithful, free = (
        refine(
            None,
            photo,
            artwork,
            options=PIXELS(steps=8, content_weight=weight, color_weight=0),
            network=network,
        )
        for weight in (100, 0)
    )
    content = [normalized(network(each)["relu4_1"]) for each in (faithful, free, photo)]
    assert (content[0] - content[2]).square().mean() < 0.3 * (content[1] - content[2]).square().mean()


def test_it_starts_from_the_given_picture_in_the_paintings_colors(slim_network, photo_of):
    options = PIXELS(steps=1, style_weight=0, content_weight=0, color_weight=0, smoothness=0)
    photo, start, painting = photo_of(), photo_of(seed=3), 0.5 + 0.5 * photo_of(seed=1)
    begun = refine(start, photo, painting, None, options)
    from_photo = refine(None, photo, painting, None, options, network=slim_network)
    for found, wanted, other in ((begun, start, photo), (from_photo, photo, start)):
        assert float(torch.corrcoef(torch.stack([found.flatten(), wanted.flatten()]))[0, 1]) > 0.95
        assert float(torch.corrcoef(torch.stack([found.flatten(), other.flatten()]))[0, 1]) < 0.5
        assert torch.allclose(found.mean((2, 3)), painting.mean((2, 3)), atol=0.02)
        assert torch.allclose(found.std((2, 3)), painting.std((2, 3)), atol=0.02)


def test_same_inputs_give_the_same_picture(slim_network, photo_of):
    first, second = (
        refine(None, photo_of(), photo_of(seed=1), None, QUICK, network=slim_network) for _ in "ab"
    )
    assert torch.equal(first, second)


def test_tiles_give_the_same_picture(slim_network, photo_of):
    """Adam divides by the size of a gradient, so that rounding shows in pixels that hardly have one."""
    photo, painting = photo_of(75, 83), photo_of(80, 72, seed=1)
    whole, tiled = (
        refine(None, photo, painting, None, PIXELS(steps=2, dtype="float32", tile=tile), network=slim_network)
        for tile in (0, 64)
    )
    assert float((whole - tiled).abs().mean()) < 1e-4


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 40), (17, 9), (30, 300), (33, 47)], ids=lambda side: str(side)
)
def test_any_size_comes_back(slim_network, photo_of, height, width):
    sizes = []
    refined = refine(
        None,
        photo_of(height, width),
        photo_of(24, 31, seed=1),
        None,
        QUICK,
        lambda step: sizes.append(tuple(step.picture().shape)) and None,
        network=slim_network,
    )
    assert is_picture(refined, height, width)
    assert sizes[-1] == (1, 3, height, width), "previews have no border either"


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_single_coloured_paintings_give_a_picture(slim_network, photo_of, value):
    painting, options = torch.full((1, 3, 32, 32), value), PIXELS(steps=12)
    refined = refine(None, photo_of(), painting, None, options, network=slim_network)
    assert is_picture(refined, 32, 40)
    assert (refined - value).square().mean() < 0.7 * (photo_of() - value).square().mean()


def test_single_coloured_photos_give_a_picture(slim_network, photo_of):
    refined = refine(
        None, torch.full((1, 3, 32, 32), 0.3), photo_of(seed=1), None, QUICK, network=slim_network
    )
    assert is_picture(refined, 32, 32)


def test_gray_pictures_get_three_channels(slim_network, photo_of):
    refined = refine(None, photo_of()[:, :1], photo_of(seed=1)[:, :1], None, QUICK, network=slim_network)
    assert is_picture(refined, 32, 40)


def test_batches_by_the_packs_rule(slim_network, photo_of):
    """One painting for all photos or one for each, one photo in several starts; each as if alone."""
    photos, paintings = photo_of(batch=2), photo_of(batch=2, seed=1)
    both = refine(None, photos, paintings, None, QUICK, network=slim_network)
    assert is_picture(both, 32, 40, 2)
    second = refine(None, photos[1:], paintings[1:], None, QUICK, network=slim_network)
    assert float((both[1:] - second).abs().mean()) < 1e-3
    one = refine(photos, photos[:1], paintings[:1], None, QUICK, network=slim_network)
    assert is_picture(one, 32, 40, 2)


def test_weights_mix_paintings(network, photo_of):
    dark, light = 0.3 * photo_of(seed=1), 0.7 + 0.3 * photo_of(seed=2)
    options = PIXELS(steps=6)

    def brightness(weights):
        return float(refine(None, photo_of(), [dark, light], weights, options, network=network).mean())

    assert brightness([1, 0]) < brightness([3, 1]) < brightness(None) < brightness([0, 5])


def test_regions_have_their_own_paintings(slim_network, photo_of):
    dark, light = 0.3 * photo_of(seed=1), 0.7 + 0.3 * photo_of(seed=2)
    mask = torch.zeros(1, 32, 64)
    mask[..., 32:] = 1
    options = PIXELS(steps=12)
    photo = photo_of(32, 64)
    refined = refine(None, photo, dark, None, options, regions=[Region(mask, light)], network=slim_network)
    assert float(refined[..., 40:].mean()) > float(refined[..., :24].mean()) + 0.3
    options = PIXELS(steps=2)
    covered = refine(
        None, photo, dark, None, options, regions=[Region(torch.ones(1, 2, 2), light)], network=slim_network
    )
    assert torch.equal(covered, refine(None, photo, light, None, options, network=slim_network))
    hidden = refine(
        None, photo, dark, None, options, regions=[Region(torch.zeros(1, 2, 2), light)], network=slim_network
    )
    assert torch.equal(hidden, refine(None, photo, dark, None, options, network=slim_network))


def test_calm_grounds_stay_calm(slim_network, photo_of):
    photo, painting = photo_of(48, 48), photo_of(48, 48, seed=1)
    photo[..., :30], painting[..., :30] = 0.5, 0.5
    wild, calm = (
        refine(
            None,
            photo,
            painting,
            options=PIXELS(steps=10, keep_calm=weight),
            network=slim_network,
        )
        for weight in (0, 2.5)
    )
    assert ground_loss(calm, photo, painting) < 0.7 * ground_loss(wild, photo, painting)


def test_stains_of_the_first_picture_leave_plain_grounds(slim_network, photo_of):
    photo, painting = photo_of(64, 96), photo_of(64, 96, seed=1)
    photo[..., :60], painting[..., :60] = 0.5, 0.5
    stained = photo.clone()
    stained[..., 16:28, 12:24] = 0.6
    left, gone = (
        refine(stained, photo, painting, options=PIXELS(steps=1, keep_calm=weight), network=slim_network)[
            ..., 4:40, 4:40
        ].std()
        for weight in (0, 1)
    )
    assert float(gone) < 0.5 * float(left)


def test_light_stays_where_the_photo_has_it(slim_network, photo_of):
    photo, painting = photo_of(48, 48), photo_of(48, 48, seed=1)
    without, kept = (
        refine(1 - photo, photo, painting, options=PIXELS(steps=12, keep_light=weight), network=slim_network)
        for weight in (0, 10)
    )
    lost, left = (
        float(light_loss(each, torch.zeros_like(each), photo_light(photo), 1.0)) for each in (without, kept)
    )
    assert left < 0.5 * lost


def test_colors_stay_where_the_first_picture_has_them(slim_network, photo_of):
    photo, painting = photo_of(48, 48), photo_of(48, 48, seed=1)
    start = match_moments(photo_of(48, 48, seed=2), *color_moments(painting))
    free, kept = (
        refine(start, photo, painting, options=PIXELS(steps=12, keep_colors=weight), network=slim_network)
        for weight in (0, 1000)
    )
    lost, left = (
        float(patch_loss(each, torch.zeros_like(each), cell_colors(start), 1.0)) for each in (free, kept)
    )
    assert left < 0.5 * lost


@pytest.mark.parametrize("stroke_size", [0.25, 1.0, 3.0])
def test_stroke_size_is_how_large_paintings_are_read(photo_of, stroke_size):
    """Equal areas at 1, whatever the shape of photo and painting, at every size of the photo."""
    options = RefineOptions(stroke_size=stroke_size)
    sources = Sources(None, photo_of(60, 240), [photo_of(90, 40), photo_of(20, 20)], None, (), options)
    for size in ((60, 240), (30, 120)):
        for painting, shape in zip(sources.mixtures_at(size)[0].paintings, (90 / 40, 1), strict=True):
            height, width = painting.shape[-2:]
            assert height * width == pytest.approx(size[0] * size[1] * stroke_size**2, rel=0.05)
            assert height / width == pytest.approx(shape, rel=0.05)


@pytest.mark.parametrize("choice", ["luminance", "histogram"])
def test_colors_of_the_photo_stay(slim_network, photo_of, choice):
    photo = photo_of() * torch.tensor([1.0, 0.6, 0.3])[:, None, None]
    painting = photo_of(seed=1) * torch.tensor([0.2, 0.5, 1.0])[:, None, None]
    options = PIXELS(steps=4, preserve_color=choice)
    kept = refine(None, photo, painting, None, options, network=slim_network)
    lost = refine(None, photo, painting, None, QUICK, network=slim_network)
    warm = [float((each[:, 0] - each[:, 2]).mean()) for each in (kept, lost, photo)]
    assert is_picture(kept, 32, 40)
    assert abs(warm[0] - warm[2]) < 0.5 * abs(warm[1] - warm[2])


def test_bfloat16_sees_the_same(photo_of):
    options = PIXELS(steps=4, dtype="bfloat16")
    coarse = refine(None, photo_of(), photo_of(seed=1), None, options)
    fine = refine(None, photo_of(), photo_of(seed=1), None, QUICK)
    assert float((coarse - fine).abs().mean()) < 0.03


class TestOnTheWay:
    def test_every_step_is_told(self, slim_network, photo_of, monkeypatch):
        monkeypatch.setattr(refine_options, "SMALLEST_SIZE", 32)
        seen = []

        def on_step(step):
            seen.append((step.step, step.steps, step.size, step.losses(), step.seconds_left))

        refine(
            None,
            photo_of(68, 64),
            photo_of(seed=1),
            None,
            PIXELS("draft", steps=3),
            on_step,
            network=slim_network,
        )
        assert [each[:3] for each in seen] == [(1, 3, (34, 32)), (2, 3, (34, 32)), (3, 3, (68, 64))]
        for *_, losses, seconds in seen:
            assert {"total", "content", "colour", "gram_whole", "gram_half", "gram_quarter"} <= set(losses)
            assert seconds >= 0
        assert seen[-1][-1] == 0
        assert seen[1][3]["total"] < seen[0][3]["total"]

    def test_true_ends_with_the_picture_so_far(self, slim_network, photo_of):
        calls = []
        refined = refine(
            None,
            photo_of(),
            photo_of(seed=1),
            None,
            QUICK,
            lambda step: calls.append(step) or True,
            network=slim_network,
        )
        assert len(calls) == 1
        assert is_picture(refined, 32, 40)

    @pytest.mark.parametrize("hook", ["on_step", "on_tile"])
    def test_an_error_ends_it_at_once(self, slim_network, photo_of, hook):
        class Cancelled(Exception):
            pass

        calls = []

        def cancel(*step):
            calls.append(step)
            if len(calls) == 2:
                raise Cancelled

        with pytest.raises(Cancelled):
            refine(None, photo_of(), photo_of(seed=1), None, QUICK, network=slim_network, **{hook: cancel})
        assert len(calls) == 2

    def test_it_works_in_inference_mode(self, slim_network, photo_of):
        with torch.inference_mode():
            photo, painting = photo_of() * 1, photo_of(seed=1) * 1
            network = copy.deepcopy(slim_network)
            refined = refine(photo, photo, [painting], None, QUICK, network=network)
        assert torch.equal(
            refined, refine(photo_of(), photo_of(), photo_of(seed=1), None, QUICK, network=slim_network)
        )

    def test_paintings_that_are_too_small_are_told(self, slim_network, photo_of):
        notes = []
        refine(
            None,
            photo_of(),
            photo_of(16, 20, seed=1),
            None,
            QUICK,
            network=slim_network,
            on_note=notes.append,
        )
        assert notes == [
            "A painting is read at 2.0 times its own size; a larger file of it or a smaller stroke_size "
            "gives sharper strokes."
        ]
        refine(None, photo_of(), photo_of(seed=1), None, QUICK, network=slim_network, on_note=notes.append)
        assert len(notes) == 1
