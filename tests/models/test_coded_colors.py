"""A picture's colours, from the style code: mean and covariance of the painting."""

from __future__ import annotations

import json

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from brushwork.models import StyleGAN
from brushwork.models.checkpoint import CheckpointError
from brushwork.models.coded_colors import CodedColors, ColorChange, recolored
from brushwork.models.codes import lerp, mix_styles
from brushwork.models.layer_statistics import COLORS, ColorMoments, ColorSums, own_statistics, projected
from brushwork.models.normalization import channel_mean_std
from brushwork.models.passes import Frozen, Trained
from brushwork.models.perception.statistics import color_moments
from brushwork.models.regions import StyleRegion
from brushwork.models.shares import Shares
from brushwork.models.strips import Strip, strips
from brushwork.pictures.tensors import load_square


def moments(picture: Tensor) -> ColorMoments:
    return ColorMoments(*color_moments(picture))


def assert_close(found: ColorMoments, wanted: ColorMoments, mean: float, covariance: float) -> None:
    assert (found.mean - wanted.mean).abs().max() < mean
    assert (found.covariance - wanted.covariance).abs().max() < covariance


class TestStatistics:
    def test_six_channels_say_what_the_covariance_is(self, photo):
        found = ColorMoments.of_projections(*channel_mean_std(projected(photo)))
        assert_close(found, moments(photo), 1e-5, 1e-5)

    def test_a_pictures_own_are_those_of_its_six_channels(self, photo, artwork):
        pictures = torch.cat([photo, F.interpolate(artwork, photo.shape[2:])])
        for found, wanted in zip(
            own_statistics(COLORS, pictures), channel_mean_std(projected(pictures)), strict=True
        ):
            assert found.shape == (2, 6, 1, 1)
            assert torch.allclose(found, wanted, atol=1e-5)

    def test_strips_add_up(self, photo):
        total = ColorSums()
        for strip in strips(photo.shape, photo.device, 4096):
            total.add(strip.rows(photo))
        for found, wanted in zip(total.statistics(), own_statistics(COLORS, photo), strict=True):
            assert torch.allclose(found, wanted, atol=1e-6)

    def test_nothing_has_no_colours(self):
        with pytest.raises(ValueError, match="There are no rows"):
            ColorSums().statistics()

    def test_variances_that_contradict_each_other_are_no_covariance_with_a_negative_eigenvalue(self):
        # Red, green and blue are each the opposite of the others.
        std = torch.tensor([0.04, 0.04, 0.04, 1e-5, 1e-5, 1e-5]).sqrt().view(1, 6, 1, 1)
        found = ColorMoments.of_projections(torch.full((1, 6, 1, 1), 0.5), std).covariance
        values = torch.linalg.eigvalsh(found.double())
        assert values.min() > -1e-6
        assert torch.allclose(found, found.mT)
        # What is no contradiction stays: two colours are opposites.
        assert torch.allclose(values.sort().values[0, 1:], torch.tensor(0.08).double(), atol=1e-3)


class TestChange:
    def test_the_picture_gets_the_colours(self, photo):
        wanted = moments(0.1 + 0.7 * photo + 0.1 * photo.roll(1, 1))
        for how in (Frozen(), Trained()):
            assert_close(moments(recolored(photo.clone(), wanted, how)), wanted, 1e-4, 1e-3)

    def test_contrast_grows_only_a_little(self, photo):
        # A sky, and a boat: most of the contrast is asked of what is plain.
        pale = 0.6 + 0.1 * photo
        wanted = moments(photo.roll(1, 1))
        painted = recolored(pale.clone(), wanted, Frozen())
        assert (moments(painted).mean - wanted.mean).abs().max() < 1e-4
        light, before = (each.mean(1).std() for each in (painted, pale))
        assert 1.1 * before < light < 1.21 * before
        factor = ColorChange.between(moments(pale), wanted).factor[0].double()
        assert torch.linalg.eigvalsh(factor).max() < 1.61
        assert torch.linalg.eigvalsh(factor).min() > 0

    def test_its_own_colours_change_nothing_to_see(self, photo):
        assert (recolored(photo.clone(), moments(photo), Frozen()) - photo).abs().max() < 0.02

    def test_colours_move_as_little_as_they_can(self, photo, artwork):
        # Of all maps with this effect, the symmetric one: nothing is turned around in the space of colours.
        factor = ColorChange.between(moments(photo), moments(artwork)).factor[0]
        assert torch.allclose(factor, factor.T, atol=1e-5)
        assert torch.linalg.eigvalsh(factor.double()).min() > 0

    def test_a_gray_painting_gives_gray(self, photo):
        gray = photo.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        painted = recolored(photo.clone(), moments(gray), Frozen())
        assert (painted.amax(1) - painted.amin(1)).max() < 0.01

    def test_any_moments_give_a_map_that_mirrors_nothing(self):
        """Grays with a goal in one direction of colour, flat ones, saturated ones, in float32."""
        torch.manual_seed(8)
        mean = torch.full((400, 3), 0.5)
        roots = [torch.randn(400, 3, rank) * 0.3 for rank in (1, 2, 3)]
        covariances = [root @ root.mT for root in roots]
        covariances.append(0.13 * torch.ones(400, 3, 3))
        covariances.append(torch.zeros(400, 3, 3))
        for own in covariances:
            for goal in covariances:
                factor, offset = ColorChange.between(ColorMoments(mean, own), ColorMoments(mean, goal))
                assert torch.isfinite(offset).all()
                assert torch.allclose(factor, factor.mT, atol=1e-3)
                values = torch.linalg.eigvalsh(factor.double())
                assert values.min() > -0.01
                assert values.max() < 1.65
                assert (factor.sum((1, 2)) / 3).max() < 1.201

    def test_a_gray_photo_and_a_goal_without_light(self):
        mean, gray = torch.full((1, 3), 0.5), 0.1344 * torch.ones(1, 3, 3)
        along = torch.tensor([0.2, -0.3, 0.1])
        root = torch.outer(along, along) / along.norm()
        change = ColorChange.between(ColorMoments(mean, gray), ColorMoments(mean, (root @ root)[None]))
        assert torch.isfinite(change.factor).all()
        assert change.factor.abs().max() < 1.65

    def test_faint_noise_does_not_become_contrast(self, artwork):
        plain = 0.5 + 0.002 * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        painted = recolored(plain, moments(artwork), Frozen())
        assert painted.std(dim=(2, 3)).max() < 0.02
        single = recolored(torch.full((1, 3, 8, 8), 0.3), moments(artwork), Frozen())
        assert torch.allclose(single.mean((2, 3)), moments(artwork).mean, atol=1e-5)

    def test_each_of_a_batch_as_it_would_be_alone(self, photo, artwork):
        art = F.interpolate(artwork, photo.shape[2:])
        both = torch.cat([photo, art])
        together = recolored(both.clone(), moments(art.flip(1)), Frozen())
        for i in range(2):
            alone = recolored(both[i : i + 1].clone(), moments(art.flip(1)), Frozen())
            assert torch.allclose(together[i : i + 1], alone, atol=1e-5)

    def test_gradients_pass(self, photo, artwork):
        small = F.interpolate(photo, (24, 24)).double().requires_grad_()
        mean, covariance = (each.double() for each in moments(artwork))
        wanted = ColorMoments(mean.requires_grad_(), covariance.requires_grad_())
        recolored(small, wanted, Trained()).square().sum().backward()
        for each in (small, mean, covariance):
            assert torch.isfinite(each.grad).all()
        # The picture's own mean is taken away, so it does not matter.
        assert small.grad.sum((2, 3)).abs().max() < 1e-6 * small.grad.abs().sum()

    def test_styles_share_a_picture_without_steps(self, photo, artwork):
        picture = F.interpolate(photo, (64, 64))
        ramp = torch.linspace(0, 1, 16).expand(16, 16)
        shares = Shares(torch.stack([1 - ramp, ramp], -1))
        wanted = ColorMoments(
            *(torch.cat(each) for each in zip(moments(artwork), moments(artwork.flip(1)), strict=True))
        )
        change = ColorChange.between(moments(picture), wanted)
        whole = change.applied(picture, shares, Strip.whole(64))
        flat = change.applied(torch.full_like(picture, 0.4), shares, Strip.whole(64))
        steps = flat.diff(dim=3).abs().amax((0, 1, 2))
        assert steps.max() < 2 * steps[8:-8].min() + 1e-6, "no stairs at the borders of cells"
        # Strips that begin inside a cell are those rows.
        for start, stop in ((0, 3), (3, 18), (18, 64)):
            strip = Strip(start, stop, 64)
            assert torch.allclose(change.applied(strip.rows(picture), shares, strip), strip.rows(whole))


class TestPainting:
    def test_a_photo_gets_the_paintings_colours(self, gan: StyleGAN, photo, artwork):
        code = gan.encode_style(artwork)
        said = gan.generator.colors(code)
        assert_close(said, moments(artwork), 0.02, 0.005)
        painted = gan.generate(gan.encode_content(photo), code)
        assert_close(moments(painted), said, 0.02, 0.01)

    def test_less_strength_lies_between_the_photo_and_the_painting(self, gan: StyleGAN, photo, artwork):
        content, code = gan.encode_content(photo), gan.encode_style(artwork)
        weak = moments(gan.generate(content, code, 0.5)).mean
        # The style goes half the way, and half of the picture is the photo itself.
        wanted = lerp(moments(photo).mean, gan.generator.colors(code).mean, 0.25)
        assert (weak - wanted).abs().max() < 0.02

    def test_a_mixed_style_has_mixed_colours(self, gan: StyleGAN, artwork):
        one, other = gan.encode_style(artwork), gan.encode_style(artwork.flip(1))
        colors = gan.generator.colors
        mixed = colors(lerp(one, other, 0.25)).mean
        assert torch.allclose(mixed, lerp(colors(one).mean, colors(other).mean, 0.25), atol=1e-5)

    def test_strokes_of_one_painting_and_colours_of_another(self, gan: StyleGAN, photo, inputs_dir):
        names = "art-kandinsky-composition-viii.jpg", "art-vangogh-starry-night.jpg"
        codes = [gan.encode_style(load_square(inputs_dir / name, 384)) for name in names]
        mixed = mix_styles(codes, structure_from_first=gan.config.structure_layers)
        for found, wanted in zip(gan.generator.colors(mixed), gan.generator.colors(codes[1]), strict=True):
            assert torch.equal(found, wanted)
        content = gan.encode_content(F.interpolate(photo, scale_factor=2.0))
        pictures = [gan.generate(content, code) for code in (mixed, *codes)]
        assert (pictures[0].mean((2, 3)) - pictures[2].mean((2, 3))).abs().max() < 0.03
        # Strokes and grain, which are finer than 5 pixels, are in light and dark those of the first.
        fine = [(p - F.avg_pool2d(p, 5, 1, 2)).mean(1).flatten() for p in pictures]
        first, second = (float(torch.corrcoef(torch.stack([fine[0], each]))[0, 1]) for each in fine[1:])
        assert first > 0.9
        assert first > second + 0.1

    def test_random_styles_have_colours_of_paintings(self, gan: StyleGAN):
        means, covariances = gan.generator.colors(gan.sample_style(3, 40))
        assert means.min() > 0
        assert means.max() < 1
        contrast = covariances.diagonal(dim1=1, dim2=2).sum(1).div(3).sqrt()
        assert contrast.min() > 0.02
        assert contrast.max() < 0.4

    def test_each_region_has_the_colours_of_its_style(self, gan: StyleGAN, photo, artwork):
        content = gan.encode_content(photo)
        codes = gan.encode_style(artwork), gan.encode_style(artwork.flip(1))
        mask = torch.zeros(1, *photo.shape[2:])
        mask[:, :, photo.shape[3] // 2 :] = 1
        painted = gan.generate(content, codes[0], regions=[StyleRegion(codes[1], mask)])
        alone = [gan.generate(content, code) for code in codes]
        edge = photo.shape[3] // 2
        for part, own, other in (
            (slice(None, edge - 16), *alone),
            (slice(edge + 16, None), *alone[::-1]),
        ):
            found, mine, theirs = (each[..., part].mean((2, 3)) for each in (painted, own, other))
            assert (found - mine).abs().max() < 0.35 * (found - theirs).abs().max()

    def test_a_network_without_colours(self, gan: StyleGAN, photo, artwork, tmp_path):
        gan.save(tmp_path / "with.safetensors")
        plain = StyleGAN.load(tmp_path / "with.safetensors")
        plain.set_colors(None)
        plain.save(tmp_path / "without.safetensors")
        read = StyleGAN.load(tmp_path / "without.safetensors")
        assert read.generator.colors is None
        assert read.config.color_numbers == 0
        assert COLORS not in read.normalized
        assert torch.allclose(read.stylize(photo, artwork), plain.stylize(photo, artwork), atol=1e-5)


class TestFit:
    def test_it_finds_the_colours_of_others(self):
        # Codes with many numbers, of which a few directions say what the colours are.
        torch.manual_seed(5)
        said = torch.rand(90, 9)
        codes = (said @ torch.randn(9, 300)).view(90, 10, 30) + 0.03 * torch.randn(90, 10, 30)
        mean = 0.3 + 0.4 * said[:, :3]
        root = torch.diag_embed(0.1 + 0.1 * said[:, 3:6])
        wanted = ColorMoments(mean, root @ root)
        fitted = CodedColors.fit(codes[:70], ColorMoments(mean[:70], wanted.covariance[:70]))
        assert fitted is not None
        found = fitted(codes[70:])
        assert_close(found, ColorMoments(mean[70:], wanted.covariance[70:]), 0.03, 0.005)

    def test_codes_that_say_nothing_give_nothing(self):
        torch.manual_seed(6)
        picture = torch.rand(40, 3, 8, 8)
        assert CodedColors.fit(torch.randn(40, 4, 6), moments(picture)) is None

    @pytest.mark.parametrize("count", [1, 2, 9, 12])
    def test_few_paintings_say_nothing_about_others(self, count):
        torch.manual_seed(7)
        said = torch.rand(count, 3, 8, 8)
        codes = (said.mean((2, 3)) @ torch.randn(3, 24)).view(count, 4, 6) + 0.1 * torch.randn(count, 4, 6)
        assert CodedColors.fit(codes, moments(said)) is None

    def test_moments_that_are_no_numbers_give_nothing(self):
        torch.manual_seed(5)
        said = torch.rand(90, 9)
        codes = (said @ torch.randn(9, 300)).view(90, 10, 30)
        mean, covariance = said[:, :3].clone(), torch.eye(3).expand(90, 3, 3) * 0.01
        assert CodedColors.fit(codes, ColorMoments(mean, covariance)) is not None
        mean[4, 1] = torch.nan
        assert CodedColors.fit(codes, ColorMoments(mean, covariance)) is None

    def test_copies_of_few_paintings_are_still_few(self, gan: StyleGAN, photo, artwork):
        """A copy tells the colours of its twin, and nothing about other paintings."""
        pictures = [
            F.interpolate(each, (side, 64), mode="bilinear")
            for whole in (photo, artwork)
            for picture in (whole, whole.flip(1), whole.roll(1, 1), 1 - whole)
            for side in range(56, 72, 2)
            for each in (picture, picture[..., :-8, :], picture.flip(3))
        ]
        assert len(pictures) == 192
        codes = torch.cat([gan.encode_style(picture) for picture in pictures])
        found = ColorMoments(*(torch.cat(each) for each in zip(*map(moments, pictures), strict=True)))
        assert CodedColors.fit(codes, found) is None

    def test_a_colour_lies_between_0_and_1(self):
        colors = CodedColors(3)
        colors.weight.fill_(1.0)
        assert colors(torch.full((1, 4, 3), 9.0)).mean.tolist() == [[1.0, 1.0, 1.0]]
        assert colors(torch.full((1, 4, 3), -9.0)).mean.tolist() == [[0.0, 0.0, 0.0]]


def test_colours_of_another_network_are_refused(gan: StyleGAN):
    with pytest.raises(ValueError, match="read 96 numbers and this network's codes have 192"):
        gan.set_colors(CodedColors(96))
    with pytest.raises(ValueError, match="colors is of the type str; give a CodedColors"):
        gan.set_colors("red")
    assert gan.generator.colors.weight.shape == (9, 192)


@pytest.mark.parametrize("numbers", [1, 8, 12, -9, True, 9.0])
def test_another_count_of_numbers_is_a_damaged_file(gan: StyleGAN, tmp_path, numbers):

    gan.save(tmp_path / "good.safetensors")
    with safe_open(tmp_path / "good.safetensors", "pt") as file:
        header = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    config = json.loads(header["config"]) | {"color_numbers": numbers}
    save_file(tensors, tmp_path / "bad.safetensors", header | {"config": json.dumps(config)})
    with pytest.raises(CheckpointError, match="has no usable network config"):
        StyleGAN.load(tmp_path / "bad.safetensors")
