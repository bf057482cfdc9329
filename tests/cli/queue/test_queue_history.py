"""What is read from a server's history."""

from __future__ import annotations

import pytest

from brushwork.cli.queue.history import error_of, saved_pictures, seconds_taken


def entry(status, *messages, **outputs):
    return {"status": {"status_str": status, "messages": list(messages)}, "outputs": outputs}


def test_a_prompt_that_went_well():
    done = entry(
        "success",
        ["execution_start", {"timestamp": 1000}],
        ["execution_success", {"timestamp": 3500}],
        a={"images": [{"filename": "p.png", "type": "temp"}]},
        b={"images": [{"filename": "1.png", "type": "output"}, {"filename": "2.png", "type": "output"}]},
        c={"text": ["no picture"]},
    )
    assert error_of(done) is None
    assert [picture["filename"] for picture in saved_pictures(done)] == ["1.png", "2.png"]
    assert seconds_taken(done) == 2.5
    del done["outputs"]["b"]
    assert [picture["filename"] for picture in saved_pictures(done)] == ["p.png"]


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (["execution_interrupted", {}], "it was cancelled on the server"),
        (
            ["execution_error", {"node_type": "Generate", "exception_message": "no\n  memory"}],
            "Generate failed: no memory",
        ),
        (["execution_error", {}], "a node failed: no reason given"),
    ],
)
def test_what_went_wrong(message, sentence):
    assert error_of(entry("error", message)) == sentence


@pytest.mark.parametrize("messages", [[], [["execution_start", {"timestamp": 1}]], [["execution_start", {}]]])
def test_a_server_that_does_not_say_how_long(messages):
    assert seconds_taken(entry("success", *messages)) is None
    assert seconds_taken({"outputs": {}}) is None
