"""The mixing pad of Mix Styles: a drag sets the weights, which stay native widgets and hold the mix."""

from __future__ import annotations

import json

import pytest

from brushwork.base.shipped import WORKFLOWS_DIR

NODE = "app.graph.nodes.find(node => node.type === 'MixStyles')"


@pytest.fixture
def pad(canvas):
    """The pad of the workflow with three styles, in view."""
    workflow = json.loads((WORKFLOWS_DIR / "mix_library_styles.json").read_text(encoding="utf-8"))
    canvas.open("mix_library_styles", [node["title"] for node in workflow["nodes"]])
    canvas.show("MixStyles")
    yield canvas.page.locator(".brushwork-field:visible")
    canvas.reload()


def weights(canvas):
    return canvas.page.evaluate(f"{NODE}.serialize().widgets_values")[:6]


def dot(pad):
    return pad.locator(".brushwork-dot").evaluate("dot => [dot.style.left, dot.style.top].map(parseFloat)")


def drag(canvas, pad, x, y):
    pad.hover()  # the middle, once the pad rests and nothing lies over it
    box = pad.bounding_box()
    mouse = canvas.page.mouse
    mouse.down()
    mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
    mouse.up()


def test_a_drag_sets_the_weights_of_the_connected_styles(canvas, pad):
    at, position = dot(pad), canvas.page.evaluate(f"[...{NODE}.pos]")
    assert at == pytest.approx([100 / 3, 25], abs=0.1)  # 2, 1, 1
    assert [text for text in pad.locator(".brushwork-corner").all_inner_texts() if text] == [
        "1 Hokusai", "2 Monet", "3 Kandinsky",
    ]  # fmt: skip
    drag(canvas, pad, 0.25, 0.2)
    assert weights(canvas) == pytest.approx([0.6, 0.2, 0.2, 1, 1, 1], abs=0.03)
    assert dot(pad) == pytest.approx([25, 20], abs=3)
    drag(canvas, pad, 0.5, 1.5)  # out of it, and still dragging
    assert weights(canvas) == [0, 0, 1, 1, 1, 1]
    (inputs,) = (n["inputs"] for n in canvas.prompt().values() if n["class_type"] == "MixStyles")
    assert "mixing_pad" not in inputs
    assert inputs["weight_3"] == 1
    assert canvas.page.evaluate(f"[...{NODE}.pos]") == position


def test_a_drag_without_a_move_counts(canvas, pad):
    """A quick one, or on a slow page: pressed, and released elsewhere."""
    pad.hover()
    box = pad.bounding_box()
    canvas.page.mouse.down()
    released = {"type": "mouseReleased", "button": "left", "buttons": 0, "clickCount": 1}
    released |= {"x": box["x"] + 0.25 * box["width"], "y": box["y"] + 0.2 * box["height"]}
    canvas.page.context.new_cdp_session(canvas.page).send("Input.dispatchMouseEvent", released)
    assert weights(canvas)[:3] == pytest.approx([0.6, 0.2, 0.2], abs=0.03)


def test_a_drag_can_be_undone_and_made_again(canvas, pad):
    drag(canvas, pad, 0.25, 0.2)
    canvas.page.mouse.move(2, 2)
    canvas.page.evaluate("document.activeElement.blur()")
    canvas.page.keyboard.press("Control+z")
    canvas.page.wait_for_function(f"{NODE}?.widgets[0].value === 2")
    canvas.show("MixStyles")
    assert dot(pad) == pytest.approx([100 / 3, 25], abs=0.1)
    drag(canvas, pad, 0.25, 0.2)
    assert weights(canvas)[:3] == pytest.approx([0.6, 0.2, 0.2], abs=0.03)


def test_it_shows_what_the_weights_say(canvas, pad):
    canvas.set("MixStyles", "weight_3", 0)
    canvas.set("MixStyles", "weight_1", 0)
    assert dot(pad) == [100, 0]
    canvas.page.evaluate(f"{NODE}.disconnectInput(2)")
    assert dot(pad) == [100, 50]
    canvas.page.evaluate(f"{NODE}.disconnectInput(1)")
    assert pad.get_by_text("Connect two to four styles").is_visible()


def test_four_styles(canvas, pad):
    canvas.page.evaluate(f"app.graph.nodes.find(n => n.type === 'LoadStyle').connect(0, {NODE}, 3)")
    drag(canvas, pad, 0.75, 0.75)
    assert weights(canvas)[:4] == pytest.approx([0.06, 0.19, 0.19, 0.56], abs=0.03)
    assert dot(pad) == pytest.approx([75, 75], abs=3)


def overruled(pad):
    return pad.locator("xpath=..").evaluate("pad => pad.classList.contains('brushwork-overruled')")


def drag_anyway(canvas, pad, x, y):
    """As a person drags, who does not care whether anything answers."""
    box = pad.bounding_box()
    mouse = canvas.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
    mouse.up()


def test_it_says_where_split_leaves_weights_nothing_to_do(canvas, pad):
    """One style gives the shapes, the other the colours: no weight counts, and none is set."""
    canvas.page.evaluate(f"{NODE}.disconnectInput(2)")
    assert not overruled(pad)
    canvas.set("MixStyles", "split", True)
    assert overruled(pad)
    said = pad.locator("xpath=..").evaluate("pad => getComputedStyle(pad, '::after').content")
    assert said == '"With two styles and “1st: shapes”, weights do nothing."'
    before, position = weights(canvas), canvas.page.evaluate(f"[...{NODE}.pos]")
    drag_anyway(canvas, pad, 0.2, 0.5)
    assert weights(canvas) == before
    assert canvas.page.evaluate(f"[...{NODE}.pos]") == position
    canvas.set("MixStyles", "split", False)
    assert not overruled(pad)
    drag(canvas, pad, 0.25, 0.5)
    assert weights(canvas)[:3] == pytest.approx([0.75, 0.25, 1], abs=0.03)


def test_with_split_it_mixes_the_styles_after_the_first(canvas, pad):
    canvas.set("MixStyles", "split", True)
    assert not overruled(pad)
    assert [text for text in pad.locator(".brushwork-corner").all_inner_texts() if text] == [
        "2 Monet", "3 Kandinsky",
    ]  # fmt: skip
    assert dot(pad) == [50, 50]  # 1, 1
    drag(canvas, pad, 0.25, 0.5)
    assert weights(canvas)[:3] == pytest.approx([2, 0.75, 0.25], abs=0.03)


def test_a_template_with_split_opens_dimmed(canvas, pad):
    workflow = json.loads((WORKFLOWS_DIR / "structure_and_color.json").read_text(encoding="utf-8"))
    canvas.open("structure_and_color", [node["title"] for node in workflow["nodes"]])
    canvas.show("MixStyles")
    assert overruled(pad)
    canvas.set("MixStyles", "split", False)
    assert not overruled(pad)
