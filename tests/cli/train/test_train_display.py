"""What `brushwork train` prints while it trains."""

from __future__ import annotations

import math
from types import SimpleNamespace

from rich.console import Console

from brushwork.cli.train.display import TrainDisplay


def test_the_best_score_is_a_number():
    scores = [{"total": total} for total in (3.0, math.nan, 2.5, 4.0)]
    trainer = SimpleNamespace(options=SimpleNamespace(steps=4), step=0)
    log, progress = SimpleNamespace(lines=[]), SimpleNamespace(scores=scores)
    run = SimpleNamespace(log=log, trainer=trainer, progress=progress)
    assert "| validation 4.000, best 2.500" in TrainDisplay(Console(), run)._numbers({})
