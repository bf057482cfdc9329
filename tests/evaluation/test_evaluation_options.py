"""The options of an evaluation: values out of range are refused."""

from __future__ import annotations

import pytest

from brushwork.evaluation.options import EvaluationOptions


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"samples": 0}, "samples is 0; give a value from 1"),
        ({"side": 16}, "side is 16; give a value from 32 to 1024"),
        ({"features": "clip"}, "features is 'clip'; choose one of auto, vgg19, inception"),
        ({"psi": float("nan")}, "psi is nan"),
        ({"random_styles": 1}, "random_styles is 1; diversity needs 2 or more"),
        ({"kid_subset_size": 1}, "kid_subset_size is 1"),
    ],
)
def test_options_out_of_range_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        EvaluationOptions(**changes)
