"""What a server says: the errors that its answers mean, and their shapes.

Whatever a server sends, these functions read it as ComfyUI means it or raise one of the errors here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from ...base.excerpt import excerpt, value_excerpt
from ..workflow.interface import InputSpec, read_inputs

ENCODINGS = ("gzip", "deflate")
"""How answers may be compressed: one layer of these grows a thousandfold at most."""

NOT_COMFYUI = "it does not answer as a ComfyUI server does"
_LONGEST_NAME = 255
# Of the many reasons that a server may give.
_MOST_REASONS = 5
# They mean "not now".
_TRY_AGAIN = (408, 425, 429)


class ServerDownError(Exception):
    """The server does not answer, or not as a ComfyUI server does at the moment."""


class BadAnswerError(Exception):
    """The server answers, but a request about one job went wrong in a way that may pass."""


class RejectedError(Exception):
    """The server does not take a job's pictures or its prompt, and will not when it is asked again."""


class RefusedError(Exception):
    """The server's validation refused a prompt: one sentence, and the ids of the nodes it is about."""

    def __init__(self, message: str, nodes: Collection[str]):
        super().__init__(message)
        self.nodes = frozenset(nodes)


class GoneError(Exception):
    """The server no longer has the file of a result."""


def decode(body: bytes) -> object:
    """The JSON in `body`. Raises ValueError, of whatever is wrong with it."""
    try:
        answer: object = json.loads(body)
        return answer
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def check_encoding(named: str) -> None:
    """Raise BadAnswerError for an answer that is compressed in another way than `ENCODINGS`, or twice.

    Each piece of it that arrives is unpacked at once, so two layers could fill the memory.
    """
    if named.strip().lower() not in ("", "identity", *ENCODINGS):
        raise BadAnswerError(
            f"its answer is compressed as '{excerpt(named, 40)}', and only {' or '.join(ENCODINGS)} is read"
        )


def describe_failure(said: str, is_encrypted: bool) -> str:
    """What it means that a request had no answer, in half a sentence; `said` is the library's error."""
    said = excerpt(said, 200).rstrip(".")
    if found := re.search(r"CERTIFICATE_VERIFY_FAILED.*verify failed: (.*?)(?: \(_ssl|$)", said):
        return (
            f"this machine does not trust its certificate: {found[1]}; if you do, name the certificate's "
            "file in the environment variable SSL_CERT_FILE"
        )
    if "[SSL" in said:
        return f"it does not speak https there: {said}; perhaps its address begins with http://"
    if said.startswith("Server disconnected without") and not is_encrypted:
        return f"{said}; perhaps its address begins with https://"
    return said


def check_status(status: int, body: bytes, size: int = 0) -> None:
    """Raise RejectedError or BadAnswerError for the status of a request about a job of `size` bytes."""
    if 200 <= status < 300:
        return
    if not 400 <= status < 500 or status in _TRY_AGAIN:
        raise BadAnswerError(describe_status(status))
    if status == 413:
        raise RejectedError(
            f"the server takes no file of {size / 2**20:.1f} MB (status 413); start ComfyUI with a larger "
            "--max-upload-size, raise the limit of a proxy before it, or make the picture smaller"
        )
    text = excerpt(body.decode(errors="replace"), 100)
    says = f": {text}" if text and not text.startswith(("<", "{", "[")) else ""
    raise RejectedError(f"{describe_status(status)}{says}")


def describe_status(status: int) -> str:
    """What a status means that is no success, in half a sentence."""
    remedy = {
        401: "; give the name and the password in the address: http://NAME:PASSWORD@HOST:PORT",
        403: ", it forbids that; look for a login or a rule of the proxy before it",
        404: "; look whether the address in --server is that of ComfyUI",
    }.get(status, "")
    if 300 <= status < 400:
        remedy = ", which leads to another address, such as a login page; give --server the right one"
    return f"it answers with status {status}{remedy}"


def read_node_list(info: object) -> dict[str, dict[str, InputSpec]]:
    """The inputs of each class that a server has, from its /object_info.

    A class that is described in another way than ComfyUI's is left out. Raises ServerDownError if all are.
    """
    entries = info.items() if isinstance(info, dict) else ()
    nodes = {
        name: read_inputs(entry["input"])
        for name, entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("input"), dict)
    }
    if not nodes:
        raise ServerDownError(NOT_COMFYUI)
    return nodes


def read_queue(state: object) -> tuple[list[str], list[str]]:
    """The ids of the prompts that run and of those that wait. Raises ServerDownError for other shapes."""
    try:
        running, pending = ([item[1] for item in state[f"queue_{which}"]] for which in ("running", "pending"))  # type: ignore[index]  # checked here
    except (LookupError, TypeError) as error:
        raise ServerDownError(NOT_COMFYUI) from error
    if not all(isinstance(id_, str) for id_ in running + pending):
        raise ServerDownError(NOT_COMFYUI)
    return running, pending


def read_upload(reply: object) -> str:
    """The name that the server gave to an uploaded picture. Raises BadAnswerError."""
    name = reply.get("name") if isinstance(reply, dict) else None
    if not isinstance(name, str) or not is_plain_name(name):
        raise BadAnswerError(f"it gives {value_excerpt(name)} as the name of the uploaded picture")
    return name


def is_plain_name(name: str) -> bool:
    """Whether `name` is a file's name alone, which a request can carry."""
    return (
        0 < len(name) <= _LONGEST_NAME
        and name.isprintable()
        and not any(letter in name for letter in "/\\:")
        and name not in (".", "..")
    )


def read_accepted(reply: object) -> str:
    """The id of an accepted prompt: old servers choose it. Raises BadAnswerError."""
    id_ = reply.get("prompt_id") if isinstance(reply, dict) else None
    if not isinstance(id_, str) or not is_plain_name(id_):
        raise BadAnswerError(NOT_COMFYUI)
    return id_


def read_refusal(body: bytes) -> RefusedError:
    """The reasons that the server's validation gives. Raises RejectedError if it was not its validation."""
    try:
        answer = decode(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("error"), dict):
        raise RejectedError(describe_status(400))
    nodes = answer.get("node_errors")
    nodes = nodes if isinstance(nodes, dict) else {}
    reasons = [reason for id_, node in nodes.items() for reason in _reasons(id_, node)]
    message = answer["error"].get("message")
    general = excerpt(message) if isinstance(message, str) else "no reason given"
    return RefusedError("; ".join(reasons[:_MOST_REASONS]) or general, nodes)


def _reasons(id_: str, node: object) -> list[str]:
    if not isinstance(node, Mapping) or not isinstance(node.get("errors"), list):
        return []
    found = []
    for error in node["errors"]:
        if isinstance(error, Mapping):
            texts = [error.get("message"), error.get("details")]
            text = ": ".join(excerpt(text, 200) for text in texts if isinstance(text, str) and text)
            found.append(f"node {excerpt(id_)} ({excerpt(str(node.get('class_type')))}): {text}")
    return found
