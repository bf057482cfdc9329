"""The page in Chinese: what the workflows say, choices and switches, and files that stay as they are."""

from __future__ import annotations

import json

import pytest

from brushwork.base.shipped import WORKFLOWS_DIR
from scripts.translations import locale

ENGLISH, CHINESE = (locale(language)["brushwork"] for language in ("en", "zh"))
NAME = "mix_library_styles"


def chinese(kind, text):
    """The translation of an English text of the workflows."""
    return next(CHINESE[kind][key] for key, english in ENGLISH[kind].items() if english == text)


@pytest.fixture
def page(canvas):
    canvas.speak("zh")
    yield canvas
    canvas.speak("en")


@pytest.mark.parametrize(("words", "node_id"), [("风格迁移", "PaintPhoto"), ("梵高", "LoadStyle")])
def test_people_find_the_nodes_in_chinese(page, words, node_id):
    assert page.search(words)[0] == node_id


def test_a_workflow_speaks_chinese_and_sends_the_same(page):
    workflow = json.loads((WORKFLOWS_DIR / f"{NAME}.json").read_text(encoding="utf-8"))
    page.open(NAME, [chinese("titles", node["title"]) for node in workflow["nodes"]])
    page.browse()
    said = page.said_of(NAME)
    assert CHINESE["notes"][NAME].split("\n")[0].removeprefix("## ") in said
    assert CHINESE["descriptions"][NAME] in said
    page.close_dialogs()
    groups, note, labels, mode, split = page.page.evaluate("""() => {
      const nodes = app.graph.nodes, mix = nodes.find(node => node.type === 'MixStyles');
      const [mode, split] = ['mode', 'split'].map(name => mix.widgets.find(widget => widget.name === name));
      return [
        app.graph.groups.map(group => group.title),
        nodes.find(node => node.type === 'MarkdownNote').widgets[0].value,
        nodes.flatMap(node => node.inputs).map(input => input.label).filter(Boolean),
        mode.options.getOptionLabel(mode.value),
        [split.options.on, split.options.off],
      ];
    }""")
    assert groups == [chinese("groups", group["title"]) for group in workflow["groups"]]
    assert note == CHINESE["notes"][NAME]
    written = [slot["label"] for node in workflow["nodes"] for slot in node["inputs"] if "label" in slot]
    assert set(labels) >= {chinese("labels", label) for label in written}
    assert mode == CHINESE["choices"]["MixStyles"]["mode"]["lerp"]
    assert split == [CHINESE["switches"]["MixStyles"]["split"][side] for side in ("on", "off")]
    (sent,) = (node for node in page.prompt().values() if node["class_type"] == "MixStyles")
    assert (sent["inputs"]["mode"], sent["inputs"]["split"]) == ("lerp", False)
    assert page.faults() == []


@pytest.mark.parametrize("name", ["library/constructor", "library/__proto__", "library/nobody"])
def test_a_style_that_is_not_here_has_any_name(page, name):
    """The names of what every JavaScript object has; a workflow from anybody may hold them."""
    workflow = json.loads((WORKFLOWS_DIR / "paint_photo.json").read_text(encoding="utf-8"))
    page.open("paint_photo", [chinese("titles", node["title"]) for node in workflow["nodes"]])
    page.show("PaintPhoto")
    root = page.page.locator(".brushwork-picker:visible")
    root.wait_for()
    shown = page.page.evaluate(
        """name => {
          const node = app.graph.nodes.find(node => node.type === 'PaintPhoto');
          const combo = node.widgets.find(widget => widget.name === 'style_name');
          combo.value = name;
          return [combo.value, combo.options.getOptionLabel(name)];
        }""",
        name,
    )
    assert shown == [name, name.removeprefix("library/")]
    assert root.locator(".brushwork-title").inner_text() == name.removeprefix("library/")
    assert root.locator(".brushwork-artist").inner_text() == "这里没有该风格。"
    # The page's own word on it is the only one.
    said = [fault.partition(": ")[2] for fault in page.faults()]
    assert said == [f"style_name is {name}, which is no choice"]
