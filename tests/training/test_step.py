"""The gradients of a batch: what they cost a GPU that waits, and what is left out."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_network import TINY

from brushwork.models.perception.pixel_losses import tv_loss
from brushwork.models.perception.vgg import LossNetwork
from brushwork.models.style_gan import StyleGAN
from brushwork.training.options import LossWeights, TrainOptions
from brushwork.training.step import BatchGradients
from brushwork.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("slim_loss_network")


@pytest.mark.parametrize("mode", ["from_scratch", "fine_tune"])
def test_no_number_is_read_from_the_device_within_a_batch(
    mode: str,
    photos: list[Path],
    paintings: list[Path],
    small: TrainOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the device "meta", which holds no numbers, reading one is an error. So are masks, whose size a
    device would have to tell."""
    options = replace(small, mode=mode, batch_size=4, adversarial_from=0.0, late_from=1.0)
    trainer = Trainer(options, photos, paintings, start=StyleGAN(TINY))
    on_meta = Trainer(replace(options, mode="from_scratch"), photos, paintings, config=TINY, device="meta")
    on_meta.painter = trainer.painter.to("meta")
    # autocast does not know this device.
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())
    gradients = BatchGradients(
        options,
        on_meta.painter,
        on_meta.discriminator,
        on_meta.loss_network,
        on_meta.crops,
        on_meta.processes,
    )
    losses = gradients.accumulate(on_meta.crops.batch(0), 0, 4)
    assert {"content", "identity", "steady", "adversarial", "d_fake", "gram_quarter"} <= losses.keys()
    assert all(loss.device.type == "meta" for loss in losses.values())
    assert all(p.grad is not None for p in on_meta.painter.gan.generator.parameters())


@pytest.mark.parametrize(
    ("shares", "adversarial", "passes"),
    [
        ((0.4, 0.3, 0.3), 0.0, [64, 32, 16]),
        ((1.0, 0.0, 0.0), 0.0, [64]),
        ((0.0, 0.0, 1.0), 0.0, [64, 16]),
        # D looks at half the size, too, and at the paintings at both.
        ((1.0, 0.0, 0.0), 1.0, [64, 32, 64, 32]),
        ((0.4, 0.3, 0.3), 1.0, [64, 32, 16, 64, 32]),
    ],
)
def test_the_loss_network_sees_each_size_once(
    shares: tuple[float, float, float],
    adversarial: float,
    passes: list[int],
    photos: list[Path],
    paintings: list[Path],
    small: TrainOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights = LossWeights(adversarial=adversarial)
    large = replace(small, style_resolution=64, style_scale=(64, 80), resolution=64, late_from=1.0)
    options = replace(large, size_shares=shares, adversarial_from=0.0, weights=weights)
    trainer = Trainer(options, photos, paintings, config=TINY)
    batch = trainer.crops.batch(0)
    trainer.gradients.accumulate(batch, 0, 2)  # The targets are known from now on.
    seen: list[int] = []
    forward = LossNetwork.forward

    def counted(network: LossNetwork, image: torch.Tensor) -> dict[str, torch.Tensor]:
        seen.append(image.shape[-1])
        return forward(network, image)

    monkeypatch.setattr(LossNetwork, "forward", counted)
    trainer.gradients.accumulate(batch, 0, 2)
    assert seen == passes


def test_losses_see_the_mean_of_two_places_of_the_grid(
    photos: list[Path], paintings: list[Path], small: TrainOptions, gan: StyleGAN
) -> None:
    """What repeats in every cell of the grid is no way to lower them."""
    trainer = Trainer(replace(small, loss_dtype="float32"), photos, paintings, start=gan)
    batch = trainer.crops.batch(0)
    assert ((batch.other_shift - batch.shift) % 4).all()
    losses = trainer.gradients.accumulate(batch, 0, 2)
    with torch.no_grad():
        shifts = [batch.shift, batch.other_shift]
        pair, _ = trainer.painter(batch.content, batch.style, batch.learned_mask, shifts, batch.seeds)
    apart = (pair[0] - pair[1]).abs().mean()
    assert apart > 0.005
    assert losses["tv"] == pytest.approx(float(tv_loss((pair[0] + pair[1]) / 2)), rel=1e-4)
    assert losses["tv"] < 0.995 * tv_loss(pair[0])


@pytest.mark.parametrize(("mode", "passes"), [("from_scratch", 2), ("fine_tune", 2), ("style_code", 1)])
def test_a_frozen_network_paints_once(
    mode: str, passes: int, photos: list[Path], paintings: list[Path], small: TrainOptions
) -> None:
    options = replace(small, mode=mode, late_from=1.0)
    trainer = Trainer(options, photos, paintings, start=StyleGAN(TINY))
    painted = []
    trainer.painter.gan.generator.register_forward_hook(lambda *_: painted.append(1))
    trainer.gradients.accumulate(trainer.crops.batch(0), 0, 2)
    assert len(painted) == passes


def test_losses_without_a_weight_are_left_out(
    photos: list[Path], paintings: list[Path], small: TrainOptions
) -> None:
    options = replace(small, weights=LossWeights(ground=0.0, steady=0.0, code=0.0))
    trainer = Trainer(options, photos, paintings, config=TINY)
    for step in (0, 1):
        losses = trainer.gradients.accumulate(trainer.crops.batch(step), step, 2)
        assert not {"ground", "steady", "code"} & losses.keys()


def test_the_painter_computes_in_the_type_of_the_loss_network(
    photos: list[Path], paintings: list[Path], small: TrainOptions, gan: StyleGAN
) -> None:
    """In bfloat16 the losses are those of float32, up to its rounding; the weights stay float32."""

    def losses(dtype: str) -> dict[str, float]:
        trainer = Trainer(replace(small, loss_dtype=dtype), photos, paintings, start=gan)
        types = []
        trainer.painter.gan.generator.head.register_forward_hook(
            lambda layer, inputs, output: types.append(output.dtype)
        )
        found = trainer.gradients.accumulate(trainer.crops.batch(0), 0, 2)
        assert set(types) == {getattr(torch, dtype)}
        assert all(p.grad.dtype == torch.float32 for p in trainer.painter.learning())
        return {name: float(loss) for name, loss in found.items()}

    wide, narrow = losses("float32"), losses("bfloat16")
    assert narrow == pytest.approx(wide, rel=0.1, abs=0.01)
