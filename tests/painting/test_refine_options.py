"""The options of refining: every field explained and checked, and the plan of sizes and steps."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import partial

import pytest

from brushwork.painting.options import OPTIMIZED, QUALITIES, RefineOptions

PIXELS = partial(RefineOptions, optimize="pixels")


def test_every_option_says_what_it_does():
    for each in fields(RefineOptions):
        assert each.metadata["text"].endswith(".")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"quality": "best"}, "quality is 'best'; choose one of draft, normal, fine."),
        ({"preserve_color": "all"}, "preserve_color is 'all'"),
        ({"optimize": "strokes"}, "optimize is 'strokes'; choose one of nearest, network, pixels."),
        ({"dtype": "float16"}, "dtype is 'float16'"),
        ({"stroke_size": 5}, "stroke_size is 5; give a value from 0.25 to 4."),
        ({"content_weight": -1}, "content_weight is -1"),
        ({"style_weight": float("nan")}, "style_weight is nan"),
        ({"steps": -1}, "steps is -1"),
        ({"average": 1}, "average is 1"),
        ({"tile": 100}, "tile is 100; give a multiple of 8"),
        ({"tile": 8}, "tile is 8; give a multiple of 8 pixels of at least 64"),
    ],
)
def test_values_out_of_range_are_one_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        RefineOptions(**change)


def test_options_survive_json():
    options = RefineOptions(quality="fine", stroke_size=2.0, steps=40)
    assert RefineOptions.from_dict(json.loads(json.dumps(options.as_dict()))) == options
    with pytest.raises(ValueError, match="no option 'strokes'"):
        RefineOptions.from_dict({"strokes": 2})


@pytest.mark.parametrize("optimize", OPTIMIZED)
def test_sizes_double_and_end_with_the_pictures_own(optimize):
    for quality in QUALITIES:
        for height, width in ((512, 768), (1024, 1024), (333, 517), (4096, 4096)):
            passes = RefineOptions(quality, optimize=optimize).passes(height, width)
            assert passes[-1].size == (height, width)
            for coarse, fine in zip(passes[:-1], passes[1:], strict=True):
                assert coarse.steps >= fine.steps
                for small, large in zip(coarse.size, fine.size, strict=True):
                    assert abs(2 * small - large) <= 2


def test_the_first_size_of_pixels_is_a_quarter_where_that_is_not_too_small():
    first = {side: PIXELS().passes(side, side)[0].size[0] for side in (64, 128, 256, 512, 1024, 2048, 4096)}
    assert first == {64: 64, 128: 128, 256: 128, 512: 128, 1024: 256, 2048: 512, 4096: 512}


def test_the_network_is_tuned_where_its_strokes_are_large_and_its_memory_bounded():
    found = {
        side: [(each.size[0], each.tuned) for each in RefineOptions(optimize="network").passes(side, side)]
        for side in (32, 512, 1024, 2048, 4096)
    }
    assert found == {
        32: [(32, True)],
        512: [(512, True)],
        1024: [(512, True), (1024, True)],
        2048: [(512, True), (1024, True), (2048, False)],
        4096: [(512, True), (1024, True), (2048, False), (4096, False)],
    }


def test_nearest_places_begin_where_a_place_is_a_large_stroke():
    found = {
        side: [(each.size[0], each.steps) for each in RefineOptions().passes(side, side)]
        for side in (32, 100, 512, 4096)
    }
    assert found == {
        32: [(32, 25)],
        100: [(100, 25)],
        512: [(64, 60), (128, 60), (256, 40), (512, 25)],
        4096: [(64, 60), (128, 60), (256, 60), (512, 60), (1024, 60), (2048, 40), (4096, 25)],
    }


def test_panoramas_keep_rows_enough_to_see():
    assert PIXELS().passes(40, 4000)[0].size == (40, 4000)
    assert PIXELS().passes(400, 4000)[0].size == (100, 1000)


@pytest.mark.parametrize("optimize", OPTIMIZED)
def test_steps_are_shared_as_the_quality_does(optimize):
    options = partial(RefineOptions, optimize=optimize)
    own = [each.steps for each in options().passes(1024, 1024)]
    half = [each.steps for each in options(steps=sum(own) // 2).passes(1024, 1024)]
    assert half == [round(count / 2) for count in own]
    assert {each.steps for each in options(steps=1).passes(1024, 1024)} == {1}


@pytest.mark.parametrize("optimize", OPTIMIZED)
def test_a_strip_is_never_narrower_than_the_loss_network_sees(optimize):
    for height, width in ((17, 600_000), (600_000, 17), (32, 100_000), (16, 16)):
        sizes = [each.size for each in RefineOptions(optimize=optimize).passes(height, width)]
        assert min(map(min, sizes)) >= 16
        assert sizes[-1] == (height, width)
