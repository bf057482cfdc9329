"""Validation: scores by the formulas of the losses, of codes of its own and of the learned one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from brushwork.models import StyleGAN
from brushwork.models.perception.feature_losses import content_loss, gram_loss, mean_std_loss
from brushwork.models.perception.statistics import normalized, style_statistics
from brushwork.models.perception.vgg import CONTENT_LAYER, LossNetwork
from brushwork.pictures.tensors import load_square
from brushwork.training import validation
from brushwork.training.options import LossWeights, TrainOptions
from brushwork.training.painter import Painter, copy_network, mean_code
from brushwork.training.validation import Validation, spread

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("small_validation", "slim_loss_network")


@pytest.fixture(scope="module")
def network() -> LossNetwork:
    return LossNetwork()


@pytest.fixture
def painter(gan: StyleGAN, paintings: list[Path]) -> Painter:
    return Painter(copy_network(gan), "fine_tune", mean_code(gan, paintings)).eval()


def test_the_score_is_the_mean_of_the_losses_over_all_pairs(
    painter: Painter, photos: list[Path], paintings: list[Path], network: LossNetwork
) -> None:
    options = TrainOptions(weights=LossWeights(content=2.0, style=3.0), size_shares=(0.5, 0.3, 0.2))
    found = Validation(photos[:2], paintings[:1], [], network, options, CPU).score(painter)
    expected = torch.zeros(7)
    painting = load_square(paintings[0], validation.SIDE)
    for photo in (load_square(p, validation.SIDE) for p in photos[:2]):
        with torch.no_grad():
            painted, wanted = painter.gan.stylize(photo, painting), painting
            content = content_loss(network(painted)[CONTENT_LAYER], normalized(network(photo)[CONTENT_LAYER]))
            losses = [content]
            for _ in range(3):
                grams, moments = style_statistics(network(painted))
                target_grams, target_moments = style_statistics(network(wanted))
                losses += [gram_loss(grams, target_grams), mean_std_loss(moments, target_moments)]
                painted, wanted = F.avg_pool2d(painted, 2), F.avg_pool2d(wanted, 2)
            expected += torch.stack(losses) / 2
    content, *others = expected.tolist()
    grams, mean_stds = others[::2], others[1::2]
    gram, mean_std = (0.5 * each[0] + 0.3 * each[1] + 0.2 * each[2] for each in (grams, mean_stds))
    assert found.content == pytest.approx(content, rel=1e-4)
    assert found.gram == pytest.approx(gram, rel=1e-4)
    assert found.mean_std == pytest.approx(mean_std, rel=1e-4)
    assert found.style == pytest.approx(gram + 2 * mean_std, rel=1e-4)
    assert found.total == pytest.approx(2 * content + 3 * (gram + 2 * mean_std), rel=1e-4)
    by_size = [found.style_whole, found.style_half, found.style_quarter]
    assert by_size == pytest.approx([g + 2 * m for g, m in zip(grams, mean_stds, strict=True)], rel=1e-4)


def test_the_learned_code_is_compared_with_the_collection(
    painter: Painter, photos: list[Path], paintings: list[Path], network: LossNetwork
) -> None:
    scorer = Validation(photos[:1], [], paintings[:1], network, TrainOptions(), CPU)
    assert scorer.score_paintings(painter) is None
    before = scorer.score(painter)
    # A collection of one painting is that painting: its own code is the better one.
    with torch.no_grad():
        painter.code.copy_(painter.gan.encode_style(load_square(paintings[0], validation.SIDE)))
    after = scorer.score(painter)
    assert after.style < 0.7 * before.style
    alone = Validation(photos[:1], paintings[:1], [], network, TrainOptions(), CPU).score(painter)
    assert after.as_dict() == pytest.approx(alone.as_dict(), rel=1e-3)


def test_both_ways_count_alike(
    painter: Painter, photos: list[Path], paintings: list[Path], network: LossNetwork
) -> None:
    scorer = Validation(photos[:1], paintings[:2], paintings, network, TrainOptions(), CPU)
    own, learned = scorer.score_paintings(painter), scorer.score_learned(painter)
    both = scorer.score(painter)
    assert both.gram == pytest.approx((own.gram + learned.gram) / 2)
    assert both.total == pytest.approx((own.total + learned.total) / 2)


def test_spread_takes_them_evenly() -> None:
    assert spread(list(range(10)), 3) == [0, 3, 6]
    assert spread([1, 2], 4) == [1, 2]
    assert spread(list(range(7)), 4) == [0, 1, 3, 5], "not the first four"
    assert spread([], 4) == []
