"""Phrases that plain English does without: subject, verb, object, in short sentences."""

from __future__ import annotations

import re

# Inverted or bookish turns, and a network that speaks of itself.
BANNED = (
    "of which",
    "is none",
    "are none",
    "owes its being",
    "owe its being",
    "no taste",
    "but for",
    "all but",
    "everything but",
    "nothing but",
    "where models lie",
    "for who",
    "whoever",
    "nobody's business",
    "what came of",
    "next to no",
    "next to nothing",
    "lest",
    "thereby",
    "whereof",
    "ours",
    "we",
    "our",
)


def banned_in(text: str) -> list[str]:
    """The banned phrases in `text`, across line breaks; not in words or in code spans of one word."""
    plain = " ".join(text.lower().split())
    return [phrase for phrase in BANNED if re.search(rf"(?<![\w'`]){phrase}(?![\w'`])", plain)]
