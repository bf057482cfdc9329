"""Modes of PyTorch, NumPy and Python that another pack has left behind in the process change nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
import torch
from test_other_devices import WAYS, on_the_cpu  # noqa: F401  # a fixture

pytestmark = pytest.mark.usefixtures("slim_loss_network")


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


LEFT_BEHIND = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "deterministic algorithms": deterministic,
    "no gradients": torch.no_grad,
    "NumPy's errors": lambda: np.errstate(all="raise"),
    "warnings are errors": warnings_are_errors,
}


@pytest.fixture(params=LEFT_BEHIND)
def left_behind(request: pytest.FixtureRequest) -> AbstractContextManager[object]:
    return LEFT_BEHIND[request.param]()


@pytest.mark.parametrize(
    "name", ["mix", "random styles", "thumbnail", "histogram", "regions", "film", "refined, pixels"]
)
def test_the_result_is_the_same(name, left_behind, small_gan, on_the_cpu):  # noqa: F811
    expected = on_the_cpu(name)
    with left_behind:
        found = WAYS[name](small_gan)
    assert found.dtype == expected.dtype
    assert torch.equal(found, expected)
