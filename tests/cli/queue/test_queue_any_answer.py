"""Whatever JSON a server answers, it is read or refused by one of the queue's own errors, in short words."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brushwork.cli.queue import answers
from brushwork.cli.queue.answers import BadAnswerError, RefusedError, RejectedError, ServerDownError
from brushwork.cli.queue.history import error_of, read_entry, saved_pictures, seconds_taken

ERRORS = (BadAnswerError, RefusedError, RejectedError, ServerDownError)
LONGEST = 2500  # five reasons

NAMES = st.sampled_from(
    [
        *("queue_running", "queue_pending", "name", "prompt_id", "error", "node_errors", "errors", "message"),
        *("details", "class_type", "outputs", "images", "gifs", "filename", "subfolder", "type", "status"),
        *("status_str", "messages", "execution_start", "execution_success", "timestamp", "input"),
        *("required", "optional", "1", "id"),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | NAMES
    | st.sampled_from(["x" * 9000, 10**400, -(10**400), "\ud800", "../x", "a\0b", "error", "success"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def history(answer: object) -> None:
    entry = read_entry(answer, "id")
    if entry is None:
        return
    assert len(error_of(entry) or "") < LONGEST
    seconds = seconds_taken(entry)
    assert seconds is None or seconds >= 0
    for file in saved_pictures(entry):
        assert file["filename"]
        "".join(file.values()).encode()


READERS: dict[str, Callable[[object], object]] = {
    "node list": answers.read_node_list,
    "queue": answers.read_queue,
    "upload": answers.read_upload,
    "accepted": answers.read_accepted,
    "refusal": lambda answer: answers.read_refusal(json.dumps(answer).encode()),
    "history": history,
    "history of the prompt": lambda answer: history({"id": answer}),
    "outputs": lambda answer: history({"id": {"outputs": answer, "status": answer}}),
    "messages": lambda answer: history({"id": {"outputs": {}, "status": {"messages": answer}}}),
}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(answer=VALUES)
def test_any_answer(name: str, answer: object) -> None:
    said = ""
    try:
        READERS[name](answer)
    except ERRORS as error:
        said = str(error)
    assert len(said) < LONGEST
    assert "\n" not in said
