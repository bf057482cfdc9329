"""Two tabs with the same workflow: what a run says comes to the tab that pressed Run only."""

from __future__ import annotations

import json

import pytest

from brushwork.base.shipped import WORKFLOWS_DIR

WORKFLOW = WORKFLOWS_DIR / "train_and_paint.json"


@pytest.fixture
def other(canvas, server):
    """Another tab of the same browser."""
    from comfyui_page import ComfyUIPage

    tab = ComfyUIPage(canvas.page.context.new_page(), server)
    yield tab
    tab.page.close()
    canvas.reload()


def test_progress_text_comes_to_the_tab_that_pressed_run(canvas, other):
    nodes = json.loads(WORKFLOW.read_text(encoding="utf-8"))["nodes"]
    for tab in (canvas, other):
        tab.open(WORKFLOW.stem, [node["title"] for node in nodes])
        tab.page.evaluate("canvasTests.note(['status', 'progress_text', 'progress', 'executed'])")
    # The quickest node that tells how far it is. No other run has this value: a cached node says nothing.
    canvas.set("StyleDataset", "min_side", 100)
    canvas.page.evaluate("""() => {
      for (const node of app.graph.nodes) if (node.type !== 'StyleDataset') node.mode = 2;
    }""")
    entry = canvas.run()
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    id_ = str(next(node["id"] for node in nodes if node["type"] == "StyleDataset"))
    last = [id_, "6 of 6 pictures"]
    canvas.page.wait_for_function(
        "last => canvasTests.texts.some(text => String(text) === String(last))", arg=last
    )
    events = canvas.page.evaluate("canvasTests.events")
    assert {"progress_text", "progress", "executed"} <= set(events)
    events, texts = other.page.evaluate("[canvasTests.events, canvasTests.texts]")
    assert set(events) == {"status"}  # how many wait is for everybody
    assert texts == []
    assert other.shown_on(id_, 0) == []
