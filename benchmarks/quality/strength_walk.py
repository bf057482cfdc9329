"""The strength at which a median loss of Brushwork equals a peer's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

STEP = 0.1
Medians = dict[str, float]


@dataclass(frozen=True)
class Meeting:
    """The strength, and Brushwork's medians there, interpolated between the two strengths around it."""

    strength: float
    medians: Medians


class StrengthWalk:
    """Walks from full strength downwards, and measures only as far as it must.

    `medians_at` paints and scores at a strength and returns the medians by name.
    """

    def __init__(self, medians_at: Callable[[float], Medians]):
        self._medians_at = medians_at
        self.known: dict[float, Medians] = {}

    def at(self, strength: float) -> Medians:
        strength = round(strength, 6)
        if strength not in self.known:
            self.known[strength] = self._medians_at(strength)
        return self.known[strength]

    def meet(self, loss: str, target: float) -> Meeting | None:
        """Where the median of `loss` first passes `target` on the way down from strength 1.

        Full strength itself if the two are equal there. None if nothing between 1 and 0 passes it: a style
        loss that is above the target at full strength only grows on the way.
        """
        upper = 1.0
        side = self.at(upper)[loss] - target
        if side == 0:
            return Meeting(upper, self.at(upper))
        # Style losses grow on the way to the photo and must start below; content loss falls.
        if (side > 0) != (loss == "content"):
            return None
        while upper > STEP / 2:
            lower = round(upper - STEP, 6)
            high, low = self.at(upper), self.at(lower)
            if (low[loss] - target) * side <= 0:
                share = (high[loss] - target) / (high[loss] - low[loss])
                medians = {name: high[name] + share * (low[name] - high[name]) for name in high}
                return Meeting(upper - share * STEP, medians)
            upper = lower
        return None
