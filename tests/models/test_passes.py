"""Trained and frozen passes: the same numbers, and an error where two things exclude each other."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import strips
from brushwork.models.normalization import adain, channel_mean_std, instance_norm
from brushwork.models.passes import Frozen, Trained, fitting_pass
from brushwork.models.regions import StyleRegion
from brushwork.models.shares import Shares
from brushwork.models.strips import Strip

PASSES = [Trained(), Frozen()]


@pytest.fixture
def features():
    torch.manual_seed(2)
    return torch.randn(2, 3, 40, 9, dtype=torch.float64) * 2 + 1


@pytest.fixture
def affine():
    torch.manual_seed(3)
    return torch.randn(2, 2, 3, dtype=torch.float64).unbind()


@pytest.mark.parametrize("strip_bytes", [300, 10**9])
def test_both_passes_compute_the_same(monkeypatch, features, affine, strip_bytes):
    before = features.clone()
    expected = channel_mean_std(features), adain(features, *affine), instance_norm(features)
    monkeypatch.setattr(strips, "STRIP_BYTES", strip_bytes)
    whole = Strip.whole(features.shape[2])
    for how in PASSES:
        for found, value in zip(how.mean_std(features), expected[0], strict=True):
            assert torch.allclose(found, value, rtol=1e-12)
        modulated = how.modulate("any", features, *affine)
        assert torch.allclose(modulated(whole), expected[1], rtol=1e-10)
        by_rows = how.by_rows(modulated, features.shape, like=features)
        assert torch.allclose(by_rows, expected[1], rtol=1e-10)
        added = how.add_modulated("any", torch.ones_like(features), features, *affine)
        assert torch.allclose(added, 1 + expected[1], rtol=1e-10)
        assert torch.equal(features, before)
        assert torch.allclose(how.normalize("any", features.clone()), expected[2], rtol=1e-10)


@pytest.mark.parametrize(("how", "in_place"), [(Trained(), False), (Frozen(), True)])
def test_only_a_frozen_pass_works_in_place(features, how, in_place):
    work = [
        how.activate,
        lambda x: how.add(x, torch.tensor(2.0)),
        lambda x: how.normalize("any", x),
        lambda x: how.add_modulated("any", x, features, torch.ones(2, 3), torch.zeros(2, 3)),
    ]
    for change in work:
        x = features.clone()
        changed = change(x)
        assert torch.equal(x, changed) == in_place
        assert torch.equal(x, features) != in_place


def test_leaky_relu_has_its_slope_and_its_gradient():
    x = torch.tensor([-1.0, 2.0])
    expected = torch.tensor([-0.2, 2.0])
    for how in PASSES:
        assert torch.allclose(how.activate(x.clone()), expected)
    trained = x.clone().requires_grad_(True)
    Trained().activate(trained).sum().backward()
    assert torch.allclose(trained.grad, torch.tensor([0.2, 1.0]))


def test_maps_that_grow_are_put_together_from_strips(monkeypatch, features):
    def enlarged(strip):
        return strip.rows(features).repeat_interleave(4, 2).repeat_interleave(4, 3)[:, :2]

    expected = enlarged(Strip.whole(40))
    for strip_bytes in (10, 1000, 10**9):
        monkeypatch.setattr(strips, "STRIP_BYTES", strip_bytes)
        assert torch.equal(Frozen().by_rows(enlarged, features.shape, like=features), expected)


def test_without_a_choice_it_is_trained_only_where_a_gradient_can_be_wanted(tiny, frozen_tiny):
    picture, wanted = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16, requires_grad=True)
    assert fitting_pass(tiny, picture) == Trained()
    assert fitting_pass(frozen_tiny, wanted) == Trained()
    assert fitting_pass(frozen_tiny, picture) == Frozen()
    with torch.no_grad():
        assert fitting_pass(tiny, wanted) == Frozen()


def test_a_pass_does_what_it_says_whether_autograd_is_on_or_not(frozen_tiny, photo, artwork):
    painted = []
    for on in (False, True):
        with torch.set_grad_enabled(on):
            for how in PASSES:
                code = frozen_tiny.encode_style(artwork, how=how)
                painted.append(frozen_tiny.generate(frozen_tiny.encode_content(photo, how), code, how=how))
    assert torch.equal(painted[0], painted[2])
    assert torch.equal(painted[1], painted[3])


def test_a_frozen_pass_refuses_to_drop_gradients(tiny, frozen_tiny):
    picture, wanted = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16, requires_grad=True)
    message = "A Frozen pass gives no gradients, and {} or its input needs them; give Trained"
    with pytest.raises(ValueError, match=message.format("ContentEncoder")):
        tiny.encode_content(picture, Frozen())
    with pytest.raises(ValueError, match=message.format("StyleEncoder")):
        frozen_tiny.encode_style(wanted, how=Frozen())
    content, code = frozen_tiny.encode_content(picture), frozen_tiny.sample_style(1).requires_grad_()
    with pytest.raises(ValueError, match=message.format("Generator")):
        frozen_tiny.generate(content, code, how=Frozen())
    mask = torch.rand(1, 16, 16, requires_grad=True)
    with pytest.raises(ValueError, match=message.format("Generator")):
        frozen_tiny.generate(content, code.detach(), regions=[StyleRegion(code.detach() + 1, mask)])
    with torch.no_grad():
        tiny.encode_content(picture, Frozen())


def test_several_styles_in_one_picture_refuse_gradients(tiny, frozen_tiny):
    content, code = frozen_tiny.encode_content(torch.rand(1, 3, 16, 16)), frozen_tiny.sample_style(1)
    regions = [StyleRegion(frozen_tiny.sample_style(2), torch.rand(1, 16, 16))]
    for network, how in ((tiny, None), (frozen_tiny, Trained())):
        with pytest.raises(ValueError, match="Several styles in one picture have no gradients"):
            network.generate(content, code, regions=regions, how=how)
    with pytest.raises(ValueError, match="Several styles in one picture have no gradients"):
        Trained().modulate("any", content.fine, code[:, 0], code[:, 0], Shares(torch.ones(4, 4, 1)))
    assert torch.isfinite(frozen_tiny.generate(content, code, regions=regions)).all()
