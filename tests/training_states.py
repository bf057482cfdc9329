"""All that is in the state of a training run, for tests that look into it."""

from __future__ import annotations

import os
from typing import Any

from torch import Tensor

from brushwork.training.state import open_state


def read_state(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the header of a whole file, read as a run that goes on reads them."""
    with open_state(path) as (file, header):
        return file.tensors(), header
