"""Objects in JSON that may come from anywhere."""

from __future__ import annotations

from .excerpt import excerpt


def distinct_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """For `json.loads`, as object_pairs_hook: Python would drop the first of two values with one key.

    Raises ValueError for such a key; its text is a part of a sentence.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        name = next(name for i, (name, _) in enumerate(pairs) if any(name == other for other, _ in pairs[:i]))
        raise ValueError(f"'{excerpt(name)}' is there twice")
    return found
