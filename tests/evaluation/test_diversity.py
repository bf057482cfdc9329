"""How unlike each other pictures are in style."""

from __future__ import annotations

import pytest
import torch

from brushwork.evaluation.diversity import style_spread
from brushwork.models.perception.vgg import STYLE_LAYERS


def test_spread_of_styles_by_hand() -> None:
    a, b, c = ({name: torch.tensor([[[x, 1.0]]]) for name in STYLE_LAYERS} for x in (0.0, 1.0, 0.0))
    # |(0,1) - (1,1)|^2 = 1 over (1 + 2) / 2; a and c are alike.
    assert style_spread([a, b]) == pytest.approx(1 / 1.5)
    assert style_spread([a, b, c]) == pytest.approx(2 / 4.5)


@pytest.mark.parametrize("count", [2, 40])
def test_what_is_alike_is_not_apart(count) -> None:
    torch.manual_seed(1)
    picture = {name: torch.rand(1, 2, 64) for name in STYLE_LAYERS}
    assert style_spread([picture] * count) == 0
