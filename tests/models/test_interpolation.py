"""Series of style codes: where they begin and end, how large their steps are, and how loops close."""

from __future__ import annotations

import itertools

import pytest
import torch
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor

from brushwork.models import interpolate_styles
from brushwork.models.codes import EASES, MIX_MODES, lerp, slerp

LAYERS, DIM = 5, 4


@pytest.fixture
def codes():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, LAYERS, DIM, generator=generator) for _ in range(4)]


@pytest.fixture(scope="module")
def painted(gan, inputs_dir):
    """The codes of the six paintings that ship with the workflows, [1,L,D] each."""
    codes = []
    for path in sorted(inputs_dir.glob("art-*.jpg")):
        with Image.open(path) as file:
            picture = pil_to_tensor(file.convert("RGB"))
        codes.append(gan.encode_style(picture[None].float() / 255, size=192))
    assert len(codes) == 6
    return codes


def steps(series, loop=False):
    """Lengths of the steps from code to code; in a loop also of the one that closes it."""
    following = torch.cat([series[1:], series[:1]]) if loop else series[1:]
    return (following - series[: len(following)]).flatten(1).norm(dim=1)


@pytest.mark.parametrize("ease", EASES)
@pytest.mark.parametrize("mode", MIX_MODES)
@pytest.mark.parametrize("count", [2, 3, 7, 100])
def test_a_series_begins_and_ends_exactly_with_its_styles(codes, mode, ease, count):
    series = interpolate_styles(codes, count, mode, ease)
    assert series.shape == (count, LAYERS, DIM)
    assert torch.equal(series[:1], codes[0])
    assert torch.equal(series[-1:], codes[-1])


@pytest.mark.parametrize("ease", EASES)
@pytest.mark.parametrize("mode", MIX_MODES)
def test_styles_on_the_way_are_hit_exactly_where_the_count_allows(codes, mode, ease):
    series = interpolate_styles(codes, 3 * 5 + 1, mode, ease)
    assert torch.equal(series[::5], torch.cat(codes))
    around = interpolate_styles(codes, 4 * 5, mode, ease, loop=True)
    assert torch.equal(around[::5], torch.cat(codes))


def test_linear_lerp_takes_equal_steps(codes):
    lengths = steps(interpolate_styles(codes[:2], 11))
    torch.testing.assert_close(lengths, lengths.mean().expand(10))


def test_linear_slerp_turns_by_equal_angles(codes):
    series = interpolate_styles(codes[:2], 11, "slerp").double()
    angles = torch.cosine_similarity(series[1:], series[:-1], dim=-1).acos()
    torch.testing.assert_close(angles, angles.mean(0).expand(10, -1), rtol=1e-3, atol=0)


@pytest.mark.parametrize(("mode", "interpolate"), [("lerp", lerp), ("slerp", slerp)])
def test_each_leg_lies_between_its_two_styles(codes, mode, interpolate):
    series = interpolate_styles(codes[:3], 9, mode)
    for k in range(2):
        for i in range(4):
            torch.testing.assert_close(series[[4 * k + i]], interpolate(codes[k], codes[k + 1], i / 4))


@pytest.mark.parametrize("ease", EASES)
def test_a_loop_goes_back_without_repeating_its_first_style(codes, ease):
    """Twice around and a loop that begins elsewhere are the same frames, so there is no seam."""
    series = interpolate_styles(codes[:3], 12, ease=ease, loop=True)
    assert not torch.equal(series[-1:], codes[0])
    torch.testing.assert_close(
        interpolate_styles([*codes[1:3], codes[0]], 12, ease=ease, loop=True), series.roll(-4, 0)
    )


def test_the_step_that_closes_a_loop_is_like_the_others(codes):
    lengths = steps(interpolate_styles(codes[:2], 10, loop=True), loop=True)
    torch.testing.assert_close(lengths, lengths.mean().expand(10))


@pytest.mark.parametrize("name", EASES)
def test_eases_lead_from_0_to_1_without_turning_back(name):
    shares = [EASES[name](i / 100) for i in range(101)]
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert shares == sorted(shares)
    assert EASES[name](0.25) == pytest.approx(1 - EASES[name](0.75))


@pytest.mark.parametrize(("name", "fastest"), [("linear", 1.0), ("smooth", 1.5), ("smoother", 1.875)])
def test_eases_are_as_fast_as_their_docstring_says(name, fastest):
    speeds = [1000 * (EASES[name]((i + 1) / 1000) - EASES[name](i / 1000)) for i in range(1000)]
    assert max(speeds) == pytest.approx(fastest, rel=1e-3)
    assert speeds[0] == pytest.approx(1.0 if name == "linear" else 0.0, abs=0.01)


@pytest.mark.parametrize("ease", EASES)
@pytest.mark.parametrize("mode", MIX_MODES)
def test_no_step_between_real_styles_is_a_jump(painted, mode, ease):
    for pair in itertools.combinations(painted, 2):
        lengths = steps(interpolate_styles(pair, 24, mode, ease))
        assert lengths.max() < 3 * lengths.mean()
    lengths = steps(interpolate_styles(painted, 48, mode, ease, loop=True), loop=True)
    assert lengths.max() < 3 * lengths.mean()


def test_a_batch_is_that_many_stops(codes):
    apart = interpolate_styles(codes, 10)
    assert torch.equal(interpolate_styles([torch.cat(codes)], 10), apart)
    assert torch.equal(interpolate_styles([torch.cat(codes[:3]), codes[3]], 10), apart)


def test_codes_are_left_alone_and_not_shared(codes):
    before = [code.clone() for code in codes]
    interpolate_styles(codes, 2, loop=True).zero_()
    assert all(torch.equal(a, b) for a, b in zip(codes, before, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 1}, r"count is 1; ask for 2 styles or more\."),
        ({"mode": "cubic"}, r"mode is 'cubic'; choose one of lerp, slerp\."),
        ({"ease": "bounce"}, r"ease is 'bounce'; choose one of linear, smooth, smoother\."),
        ({"codes": [torch.zeros(1, 2, 3)]}, r"2 styles or more to go between, not 1; connect another\."),
        ({"codes": []}, r"2 styles or more to go between, not 0; connect another\."),
        (
            {"codes": [torch.zeros(1, 2, 3), torch.zeros(1, 2, 4)]},
            r"different networks: .*\(2, 3\), \(2, 4\)",
        ),
    ],
)
def test_what_cannot_be_interpolated_is_refused(codes, arguments, message):
    with pytest.raises(ValueError, match=message):
        interpolate_styles(**{"codes": codes, "count": 8, **arguments})
