"""The error of a blind comparison."""

from __future__ import annotations


class JudgeError(ValueError):
    """A comparison that cannot be made or counted; `problems` are one sentence each."""

    def __init__(self, *problems: str):
        super().__init__("\n".join(problems))
        self.problems = problems
