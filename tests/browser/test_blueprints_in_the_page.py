"""The subgraph blueprints as a person finds, adds and runs them; old cores do not know of them."""

from __future__ import annotations

from urllib.error import HTTPError

import pytest

from scripts.blueprints import BLUEPRINTS

CONNECT = """picture => {
  const blueprint = app.graph.nodes[0], [photo, result] = ['LoadImage', 'SaveImage'].map(type => {
    const node = LiteGraph.createNode(type);
    app.graph.add(node);
    return node;
  });
  photo.widgets.find(widget => widget.name === 'image').value = picture;
  for (const name of ['photo', 'painting']) {
    const slot = blueprint.inputs.findIndex(input => input.name === name);
    if (slot >= 0) photo.connect(0, blueprint, slot);
  }
  blueprint.connect(0, result, 0);
}"""


@pytest.fixture
def offered(server):
    """The names of this pack's blueprints, as the server lists them; none on old cores."""
    try:
        entries = server.get_json("/global_subgraphs").values()
    except HTTPError:
        return set()
    return {entry["name"] for entry in entries if entry["info"]["node_pack"] == "custom_nodes.brushwork"}


@pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda blueprint: blueprint.name)
def test_a_blueprint_is_found_and_runs(canvas, offered, blueprint):
    if not offered:
        assert not any("Blueprint" in name for name in canvas.search(blueprint.name))
        return
    assert blueprint.name in offered
    canvas.add_node(blueprint.name)
    names = canvas.page.evaluate("app.graph.nodes[0].inputs.map(input => input.name)")
    assert names == [name for name, _, _ in blueprint.inputs]
    assert canvas.page.evaluate("app.graph.nodes[0].title") == blueprint.name
    if blueprint.name != "Film, steady":  # films are run by their workflow
        canvas.page.evaluate(CONNECT, "brushwork-photo-city-singapore.jpg")
        entry = canvas.run()
        assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
        saved = canvas.page.evaluate("app.graph.nodes.find(node => node.type === 'SaveImage').id")
        assert len(entry["outputs"][str(saved)]["images"]) == 1
