"""RefinePainting: strokes of the paintings, masks, batches, what it says, cancelling, and odd inputs."""

from __future__ import annotations

import math
import re
from dataclasses import fields

import pytest
import torch
from gram_errors import gram_errors
from tiny_network import TINY

from brushwork.models.perception.statistics import style_at_sizes
from brushwork.models.perception.vgg import LossNetwork
from brushwork.models.style_gan import StyleGAN
from brushwork.nodes import RefinePainting
from brushwork.nodes.bridge import api
from brushwork.nodes.bridge.progress import on_progress
from brushwork.nodes.refine_painting import report, task
from brushwork.nodes.shared.sockets import ManagedGAN
from brushwork.painting.options import RefineOptions

pytestmark = pytest.mark.usefixtures("slim_loss_network")

# The quicker way; the last tests of this part are about the other.
QUICK = {"quality": "draft", "steps": 4, "dtype": "float32", "optimize": "pixels"}


@pytest.fixture
def photo_crop(photo_image):
    return photo_image[:, 30:78, 30:78]


@pytest.fixture
def art_crop(art_image):
    return art_image[:, :48, :48]


def execute(image, content, style_images, mask=None, style_weights="", **options):
    result = RefinePainting.execute(image, content, style_images, mask, style_weights, **(QUICK | options))
    return result.args


def pictures(*size, seed=0):
    return torch.rand(*size, 3, generator=torch.Generator().manual_seed(seed))


def style_error(image, painting):
    with torch.inference_mode(False), torch.no_grad():
        network = LossNetwork()
        found, wanted = (
            style_at_sizes(network, each.clone().permute(0, 3, 1, 2)) for each in (image, painting)
        )
        return float(sum(gram_errors(found, wanted).values()))


def test_every_option_is_an_input_with_its_own_text_and_default():
    inputs = {entry.id: entry for entry in RefinePainting.GET_SCHEMA().inputs}
    for option in fields(RefineOptions):
        entry = inputs[option.name]
        assert (entry.default, entry.tooltip) == (option.default, option.metadata["text"])
        if option.metadata["low"] is not None:
            assert (entry.min, entry.max) == (option.metadata["low"], option.metadata["high"])


def test_the_defaults_are_allowed_and_experts_options_may_be_left_out():
    inputs = RefinePainting.INPUT_TYPES()
    chosen = {
        name: options[1]["default"] for name, options in inputs["required"].items() if "default" in options[1]
    }
    assert RefineOptions(**chosen) == RefineOptions()
    assert set(inputs["optional"]) >= {"mask", "style_weights", "steps", "tile"}


@pytest.mark.usefixtures("shipped_loss_network")
def test_the_picture_gets_the_paintings_strokes(photo_crop, art_crop, caplog):
    caplog.set_level("INFO")
    image, loss, info = execute(photo_crop, photo_crop, art_crop, steps=12)
    assert image.shape == photo_crop.shape
    assert image.dtype == torch.float32
    assert image.device.type == "cpu"
    assert ((image >= 0) & (image <= 1)).all()
    assert style_error(image, art_crop) < 0.4 * style_error(photo_crop, art_crop)
    assert loss["loss"][-1] < 0.5 * loss["loss"][0]
    done, steps, close = info.splitlines()
    assert done.startswith("1 picture of 48 x 48, 1 painting, quality draft, ")
    assert steps == "48 x 48: 12 steps"
    # The numbers of an optimiser are for the log.
    (logged,) = (line for line in caplog.messages if "gram whole" in line)
    assert f"picture 1: loss {loss['loss'][-1]:.4g} (gram whole " in logged
    known = {name: float(value) for name, value in re.findall(r"([a-z]+ ?[a-z]*) ([\d.e-]+)[,)]", logged)}
    numbers = r"Style loss {0} at whole size, {0} at half, {0} at a quarter; content loss {0}\."
    shown = re.fullmatch(numbers.format(r"(\d\.\d{3})"), close).groups()
    wanted = [known[name] for name in ("gram half", "gram quarter", "content")]
    assert [float(number) for number in shown[1:]] == pytest.approx(wanted, abs=6e-4)


def test_the_text_names_the_sizes_that_there_are():
    _, _, info = execute(pictures(1, 16, 24), pictures(1, 16, 24), pictures(1, 16, 16), steps=2)
    close = r"Style loss \d+\.\d{3} at whole size, \d+\.\d{3} at half; content loss \d+\.\d{3}\."
    assert re.fullmatch(close, info.splitlines()[2]), info


@pytest.mark.usefixtures("shipped_loss_network")
def test_by_default_places_take_after_the_paintings(photo_crop, art_crop, gan, caplog):
    caplog.set_level("INFO")
    painted = gan.stylize(*(each.permute(0, 3, 1, 2) for each in (photo_crop, art_crop)))
    painted = painted.permute(0, 2, 3, 1)
    image, loss, info = execute(painted, photo_crop, art_crop, steps=20, optimize="nearest")
    assert RefineOptions().optimize == "nearest"
    assert image.shape == photo_crop.shape
    assert loss["loss"][-1] < 0.85 * loss["loss"][0]
    assert style_error(image, art_crop) < style_error(painted, art_crop)
    shown = re.fullmatch(r"Distance to the paintings' strokes (\d\.\d{3})\.", info.splitlines()[2]).group(1)
    (logged,) = (line for line in caplog.messages if "(nearest " in line)
    assert float(shown) == pytest.approx(float(re.search(r"nearest ([\d.]+)", logged).group(1)), abs=6e-4)


@pytest.mark.usefixtures("shipped_loss_network")
def test_the_network_is_tuned_to_photo_and_painting(photo_crop, art_crop, gan):
    """Without a connected network the one that ships; it goes on painting as before."""
    painted = gan.stylize(*(each.permute(0, 3, 1, 2) for each in (photo_crop, art_crop)))
    painted = painted.permute(0, 2, 3, 1)
    image, _, _ = execute(painted, photo_crop, art_crop, steps=16, optimize="network")
    assert image.shape == photo_crop.shape
    assert style_error(image, art_crop) < 0.6 * style_error(painted, art_crop)
    barely = {"optimize": "network", "steps": 1}
    again = RefinePainting.execute(
        painted, photo_crop, art_crop, style_gan=ManagedGAN.manage(gan), **(QUICK | barely)
    ).args[0]
    assert torch.equal(again, execute(painted, photo_crop, art_crop, **barely)[0])


def test_another_network_is_tuned_if_it_is_connected(photo_crop, art_crop):
    tiny = ManagedGAN.manage(StyleGAN(TINY))
    options = QUICK | {"optimize": "network"}
    image = RefinePainting.execute(photo_crop, photo_crop, art_crop, style_gan=tiny, **options).args[0]
    assert (
        float((image - execute(photo_crop, photo_crop, art_crop, optimize="network")[0]).abs().mean()) > 0.02
    )


def test_the_seed_chooses_the_strokes_it_begins_with(photo_crop, art_crop):
    barely = {"optimize": "network", "steps": 1}
    first, again, other = (
        execute(photo_crop, photo_crop, art_crop, seed=seed, **barely)[0] for seed in (3, 3, 2**64 - 1)
    )
    assert torch.equal(first, again)
    assert float((first - other).abs().mean()) > 0.001


def test_it_starts_from_the_image_and_keeps_the_content(photo_crop, art_crop):
    other = photo_crop.flip(2)
    barely = {"steps": 1, "style_weight": 0, "color_weight": 0}
    begun, _, _ = execute(other, photo_crop, art_crop, **barely)
    as_gray = [each.mean(-1).flatten() for each in (begun, other, photo_crop)]
    assert torch.corrcoef(torch.stack(as_gray))[0, 1] > 0.9
    assert torch.corrcoef(torch.stack(as_gray))[0, 2] < 0.7


def test_inputs_are_not_changed(photo_crop, art_crop):
    mask = torch.ones(1, 48, 48).tril()
    before = [each.clone() for each in (photo_crop, art_crop, mask)]
    image, _, _ = execute(photo_crop, photo_crop, art_crop, mask)
    image.zero_()
    for each, kept in zip((photo_crop, art_crop, mask), before, strict=True):
        assert torch.equal(each, kept)


def test_outside_the_mask_the_image_stays(photo_crop, art_crop):
    mask = torch.zeros(1, 48, 48)
    mask[:, :, :32] = 1
    mask[:, :, 32:40] = torch.linspace(1, 0, 8)
    start = (photo_crop * 0.8).clamp(0, 1)
    image, _, _ = execute(start, photo_crop, art_crop, mask)
    assert torch.equal(image[:, :, 40:], start[:, :, 40:])
    change = (image - start).abs().mean((0, 1, 3))
    assert change[:32].mean() > 0.02
    assert change[36:40].mean() < 0.5 * change[28:32].mean()  # softly


def test_inside_the_mask_it_is_as_without_one(photo_crop, art_crop):
    whole, _, _ = execute(photo_crop, photo_crop, art_crop)
    mask = torch.zeros(1, 48, 48)
    mask[:, 8:24] = 1
    part, _, _ = execute(photo_crop, photo_crop, art_crop, mask)
    assert torch.allclose(part[:, 8:24], whole[:, 8:24], atol=1e-5)
    masked, _, _ = execute(photo_crop, photo_crop, art_crop, torch.ones(1, 8, 8))
    assert torch.allclose(masked, whole, atol=1e-5)


def test_a_black_mask_is_refused_and_one_of_several_is_left_out(photo_crop, art_crop):
    with pytest.raises(ValueError, match="The mask is black, so nothing would be refined"):
        execute(photo_crop, photo_crop, art_crop, torch.zeros(1, 48, 48))
    masks = torch.stack([torch.ones(16, 16), torch.zeros(16, 16)])
    image, _, info = execute(photo_crop, photo_crop, art_crop, masks)
    assert torch.equal(image[1], photo_crop[0])
    assert not torch.equal(image[0], photo_crop[0])
    assert "picture 2: its mask is black, so it stays as it was." in info.splitlines()


@pytest.mark.parametrize(("images", "photos", "masks"), [(2, 1, 1), (1, 2, 1), (2, 2, 2), (1, 1, 2)])
def test_batches_are_the_single_pictures(images, photos, masks):
    image, content = pictures(images, 24, 32), pictures(photos, 24, 32, seed=1)
    painting, mask = pictures(1, 20, 20, seed=2), pictures(masks, 24, 32, seed=3)[..., 0]
    batch, loss, info = execute(image, content, painting, mask, steps=2)
    assert len(batch) == 2
    assert "picture 2: style loss " in info
    assert len(loss["loss"]) >= 2
    for i in range(2):
        own = [each[i % len(each)][None] for each in (image, content)]
        single, _, _ = execute(*own, painting, mask[i % masks][None], steps=2)
        assert torch.allclose(batch[i], single[0], atol=1e-5)


def test_other_batches_are_refused():
    with pytest.raises(
        ValueError, match="The images, the photos and the masks come in batches of 2 and 3; give each 1"
    ):
        execute(pictures(2, 16, 16), pictures(3, 16, 16), pictures(1, 16, 16))


def test_weights_say_how_much_of_each_painting(photo_crop, art_crop):
    paintings = torch.cat([art_crop, torch.full_like(art_crop, 0.9)])
    first, _, info = execute(photo_crop, photo_crop, paintings, style_weights="1, 0")
    alone, _, _ = execute(photo_crop, photo_crop, art_crop)
    assert torch.allclose(first, alone, atol=1e-5)
    assert "2 paintings" in info
    means = [
        float(execute(photo_crop, photo_crop, paintings, style_weights=weights)[0].mean())
        for weights in ("1, 0", "", "0 1")
    ]
    assert means[0] < means[1] < means[2]


def test_weights_are_checked(photo_crop, art_crop):
    with pytest.raises(
        ValueError, match=r"style_weights has 2 numbers for a batch of 1 in style_images; give one for each"
    ):
        execute(photo_crop, photo_crop, art_crop, style_weights="1, 2")
    for text in ("a", "1; 2", "-1, 2", "0, 0", "nan", ","):
        assert RefinePainting.validate_inputs(style_weights=text) == (
            f"style_weights is '{text}'; give numbers of 0 or more, not all 0, with commas between them, "
            "such as 1, 2."
        )
    for text in ("", "  ", "1", "1, 2", "0.5 0 3"):
        assert RefinePainting.validate_inputs(style_weights=text) is True


def test_choices_are_checked():
    assert RefinePainting.validate_inputs() is True
    assert RefinePainting.validate_inputs("fine", "histogram", "", "bfloat16") is True
    assert RefinePainting.validate_inputs("best") == "quality is 'best'; choose one of draft, normal, fine."
    assert RefinePainting.validate_inputs(preserve_color="hue") == (
        "preserve_color is 'hue'; choose one of off, luminance, histogram."
    )
    assert RefinePainting.validate_inputs(dtype="half") == (
        "dtype is 'half'; choose one of auto, float32, bfloat16."
    )
    with pytest.raises(ValueError, match="tile is 100; give a multiple of 8"):
        execute(pictures(1, 16, 16), pictures(1, 16, 16), pictures(1, 16, 16), tile=100)


@pytest.mark.parametrize("preserve_color", ["luminance", "histogram"])
def test_colors_of_the_photo(photo_crop, art_crop, preserve_color):
    photo = photo_crop * torch.tensor([1.0, 0.6, 0.4])
    plain, _, _ = execute(photo, photo, art_crop)
    kept, _, _ = execute(photo, photo, art_crop, preserve_color=preserve_color)
    wanted, found, painted = (each.mean((0, 1, 2)) - each.mean() for each in (photo, kept, plain))
    assert (found - wanted).norm() < 0.5 * (painted - wanted).norm()


def test_an_image_of_another_size_comes_out_in_the_photos():
    image, _, _ = execute(pictures(1, 24, 36), pictures(1, 33, 50), pictures(1, 16, 16))
    assert image.shape == (1, 33, 50, 3)


def test_an_image_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="image has 32 x 32 pixels and content 48 x 32; give a picture and"):
        execute(pictures(1, 32, 32), pictures(1, 32, 48), pictures(1, 16, 16))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_values_that_are_not_finite_are_refused(which):
    given = [pictures(1, 16, 16) for _ in range(3)]
    given[which][0, 3, 3, 1] = math.nan
    name = ("image", "content", "style_images")[which]
    with pytest.raises(ValueError, match=f"{name} has values that are not finite; give pictures"):
        execute(*given)


def test_values_beyond_0_and_1_are_clipped():
    wild = 3 * pictures(1, 24, 24) - 1
    mask = torch.ones(1, 24, 24).tril()
    image, _, _ = execute(wild, wild, pictures(1, 16, 16), mask)
    tame, _, _ = execute(wild.clamp(0, 1), wild.clamp(0, 1), pictures(1, 16, 16), mask)
    assert torch.equal(image, tame)


def test_progress_shows_steps_and_small_previews():
    seen = []
    on_progress(lambda done, total, preview, **_: seen.append((done, total, preview)))
    try:
        execute(pictures(1, 20, 600), pictures(1, 20, 600), pictures(1, 16, 16), preserve_color="luminance")
    finally:
        on_progress(None)
    assert seen[-1][:2] == (4, 4)
    kind, picture, longest = seen[-1][2]
    assert (kind, longest) == ("JPEG", 512)
    assert picture.size == (512, 17)


def test_updates_come_ten_times_a_second_at_most(monkeypatch):
    monkeypatch.setattr("brushwork.nodes.bridge.progress.time.monotonic", lambda: 100.0)
    texts = []
    monkeypatch.setattr("brushwork.nodes.bridge.progress.show_text", texts.append)
    _, loss, _ = execute(pictures(1, 16, 16), pictures(1, 16, 16), pictures(1, 16, 16), steps=6)
    assert [text.split(" at ")[0] for text in texts] == ["step 1 of 6", "step 6 of 6"]
    assert len(loss["loss"]) == 2


def test_the_text_says_which_picture_and_how_long_still(monkeypatch):
    texts = []
    monkeypatch.setattr("brushwork.nodes.bridge.progress.show_text", texts.append)
    execute(pictures(2, 16, 16), pictures(1, 16, 16), pictures(1, 16, 16), steps=2)
    assert texts[0].startswith("picture 1 of 2, step 1 of 2 at 16 x 16, ")
    assert "left, loss " in texts[0]
    assert texts[-1].startswith("picture 2 of 2, step 2 of 2 at 16 x 16, 0 s left, loss ")


def test_a_note_of_refining_is_shown_and_kept(monkeypatch, caplog):
    caplog.set_level("INFO")
    small = pictures(1, 16, 16)
    _, _, info = execute(pictures(1, 64, 64), pictures(1, 64, 64), small)
    note = "A painting is read at 4.0 times its own size; a larger file of it or a smaller stroke_size"
    assert note in info
    assert caplog.text.count(note) == 1


def test_cancel_before_and_between_tiles(monkeypatch):
    interrupted = api.model_management.InterruptProcessingException
    given = [pictures(1, 16, 96) for _ in range(3)]
    api.model_management.interrupt_current_processing()
    with pytest.raises(interrupted):
        execute(*given, tile=64)
    # In the middle of the second step, between two tiles.
    looks, steps = [], []
    report_step = report.RefineReport.step

    def step(report, each):
        steps.append(each.step)
        report_step(report, each)

    def check():
        if steps == [1]:
            looks.append(1)
            if len(looks) == 2:
                raise interrupted

    monkeypatch.setattr(report.RefineReport, "step", step)
    monkeypatch.setattr(api, "check_interrupt", check)
    with pytest.raises(interrupted):
        execute(*given, tile=64)
    assert steps == [1]


def test_cancel_answered_by_an_update_ends_the_node(monkeypatch):
    interrupted = api.model_management.InterruptProcessingException

    def show(self, *_):
        self.cancelled = True  # as ComfyUI's progress hook does it

    monkeypatch.setattr(report.StepProgress, "show", show)
    with pytest.raises(interrupted):
        execute(pictures(1, 16, 16), pictures(1, 16, 16), pictures(1, 16, 16))


def test_out_of_memory_gets_a_second_chance(monkeypatch, caplog):
    given = [pictures(1, 24, 24, seed=seed) for seed in range(3)]
    expected, _, _ = execute(*given)
    refine, calls = task.refine, []

    def once_too_large(*arguments, **options):
        calls.append(1)
        if len(calls) == 1:
            raise torch.cuda.OutOfMemoryError("too much")
        return refine(*arguments, **options)

    monkeypatch.setattr(task, "refine", once_too_large)
    image, loss, _ = execute(*given)
    assert torch.equal(image, expected)
    assert len(calls) == 2
    assert "out of memory" in caplog.text
    assert loss["loss"][0] > loss["loss"][-1]


def test_out_of_memory_for_good_says_so(monkeypatch):
    def too_large(*_, **__):
        raise torch.cuda.OutOfMemoryError("too much")

    monkeypatch.setattr(task, "refine", too_large)
    with pytest.raises(RuntimeError, match="does not fit into the GPU's memory"):
        execute(pictures(1, 16, 16), pictures(1, 16, 16), pictures(1, 16, 16))


def test_cores_loss_graph_can_plot_it():
    """It divides by the range of the values, which is 0 if there is one."""
    _, loss, _ = execute(pictures(1, 16, 16), pictures(1, 16, 16), pictures(1, 16, 16), steps=1)
    values = loss["loss"]
    assert max(values) > min(values)
    assert max(values) - min(values) < 1e-9
    assert all(math.isfinite((value - min(values)) / (max(values) - min(values))) for value in values)
