"""A prompt in a server's history: whether it failed, what it saved, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def error_of(entry: Mapping[str, Any]) -> str | None:
    """The error in one line; None if there was none."""
    status = entry.get("status") or {}
    if status.get("status_str") != "error":
        return None
    messages = dict(status.get("messages") or [])
    if "execution_interrupted" in messages:
        return "it was cancelled on the server"
    error = messages.get("execution_error", {})
    text = " ".join(str(error.get("exception_message", "no reason given")).split())
    return f"{error.get('node_type', 'a node')} failed: {text}"


def saved_pictures(entry: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The saved pictures, by node and in order; previews only if no picture was saved."""
    found = [image for output in entry["outputs"].values() for image in output.get("images", [])]
    return [image for image in found if image.get("type") == "output"] or found


def seconds_taken(entry: Mapping[str, Any]) -> float | None:
    """From the start to the end on the server; None if the server does not say."""
    messages = dict((entry.get("status") or {}).get("messages") or [])
    try:
        start, end = (float(messages[f"execution_{when}"]["timestamp"]) for when in ("start", "success"))
        return round((end - start) / 1000, 3)
    except (KeyError, TypeError, ValueError):
        return None
