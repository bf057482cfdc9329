"""How films are held steady."""

from __future__ import annotations

from dataclasses import dataclass

from ...base.choices import FOLLOW, STATISTICS, WINDOW
from ...base.settings import check_choice, check_ranges, option


@dataclass(frozen=True)
class SteadyOptions:
    """How the frames of a shot hold together. Raises ValueError, one sentence, for a value out of range."""

    statistics: str = option(
        STATISTICS[0],
        "The frames that brightness and contrast are balanced over: clip (all of a shot, the steadiest), "
        "window (those nearby, for long shots in which the light changes) or frame (each by itself, which "
        "flickers).",
    )
    window: int = option(WINDOW, "How many frames the window of statistics spans.", 1, 1000)
    follow: float = option(
        FOLLOW, "How much of the frame before each frame keeps, moved along with the film.", 0, 1
    )

    def __post_init__(self) -> None:
        check_choice("statistics", self.statistics, STATISTICS)
        check_ranges(self)
