"""A prompt in a server's history: whether it failed, what it saved, how long it took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...base.excerpt import excerpt
from .answers import BadAnswerError

# Where nodes list the files that they saved: pictures, VHS's films, films, sounds.
_KINDS = ("images", "gifs", "video", "videos", "audio")
_MOST_FILES = 10_000


def read_entry(answer: object, prompt_id: str) -> Mapping[str, Any] | None:
    """The entry of a prompt in what /history/ID says; None if the server does not know the prompt.

    Raises BadAnswerError if it is no entry.
    """
    if not isinstance(answer, Mapping):
        raise BadAnswerError("its history has another form than ComfyUI's")
    if prompt_id not in answer:
        return None
    entry = answer[prompt_id]
    if not isinstance(entry, Mapping) or not isinstance(entry.get("outputs"), Mapping):
        raise BadAnswerError("its history has another form than ComfyUI's")
    return entry


def error_of(entry: Mapping[str, Any]) -> str | None:
    """The error in one line; None if there was none."""
    if _mapping(entry.get("status")).get("status_str") != "error":
        return None
    messages = _messages(entry)
    if "execution_interrupted" in messages:
        return "it was cancelled on the server"
    error = messages.get("execution_error", {})
    text, node = error.get("exception_message"), error.get("node_type")
    said = excerpt(text, 300) if isinstance(text, str) else "no reason given"
    return f"{excerpt(node) if isinstance(node, str) else 'a node'} failed: {said}"


def saved_pictures(entry: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The saved pictures and films, by node and in order; previews only if nothing was saved."""
    found = [
        file
        for output in entry["outputs"].values()
        for kind in _KINDS
        for file in _files(_mapping(output).get(kind))
    ]
    return ([file for file in found if file.get("type") == "output"] or found)[:_MOST_FILES]


def seconds_taken(entry: Mapping[str, Any]) -> float | None:
    """From the start to the end on the server; None if the server does not say."""
    messages = _messages(entry)
    try:
        start, end = (float(messages[f"execution_{when}"]["timestamp"]) for when in ("start", "success"))
        seconds = (end - start) / 1000
        return round(seconds, 3) if math.isfinite(seconds) and seconds >= 0 else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _messages(entry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The messages of the status, by their names; those of another shape are left out."""
    messages = _mapping(entry.get("status")).get("messages")
    return {
        message[0]: _mapping(message[1])
        for message in (messages if isinstance(messages, list) else ())
        if isinstance(message, list) and len(message) == 2 and isinstance(message[0], str)
    }


def _files(listed: object) -> list[Mapping[str, str]]:
    """Those of a node's files that a request can name."""
    found: list[Mapping[str, str]] = []
    for file in listed if isinstance(listed, list) else ():
        facts = {key: _mapping(file).get(key, "") for key in ("filename", "subfolder", "type")}
        if facts["filename"] and all(map(_can_be_asked_for, facts.values())):
            found.append(facts)
    return found


def _can_be_asked_for(value: object) -> bool:
    # Only a lone surrogate has no UTF-8.
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
