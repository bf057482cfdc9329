"""The style picker as a person uses it: pictures, search, favourites; the combo stays the only truth."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from brushwork.base.shipped import STYLES_DIR, WORKFLOWS_DIR
from brushwork.models.style_file import read_style, write_style

STARRY_NIGHT, KISS = "library/van-gogh-starry-night", "library/klimt-kiss"
LABEL = "Van Gogh, The Starry Night, 1889"


class Picker:
    """The picker of the only node of a type, and the combo above it."""

    def __init__(self, canvas, node_type):
        self.canvas, self.page, self.type = canvas, canvas.page, node_type
        canvas.show(node_type)
        self.root = self.page.locator(".brushwork-picker:visible")
        self.root.wait_for()

    def node(self, expression):
        """The value of a JavaScript expression about `node` and its `combo`."""
        return self.page.evaluate(
            f"""type => {{
              const node = app.graph.nodes.find(node => node.type === type);
              const combo = node.widgets.find(widget => widget.name === 'style_name');
              return {expression};
            }}""",
            self.type,
        )

    @property
    def value(self):
        return self.node("combo.value")

    def card(self, name):
        return self.root.locator(f"[data-style='{name}']")

    def shown_cards(self):
        cards = self.root.locator(".brushwork-card:not([hidden])")
        return cards.evaluate_all("cards => cards.map(card => card.dataset.style)")

    def find(self, words):
        self.root.get_by_role("textbox").fill(words)

    def click(self, name):
        self.card(name).locator(".brushwork-pick").click()

    def preview(self):
        """The file of the picture in view, and the title beside it."""
        source = self.root.locator(".brushwork-preview").get_attribute("src")
        return source.rpartition("/")[2], self.root.locator(".brushwork-title").inner_text()


@pytest.fixture
def open_template(canvas):
    def open_(name, node_type):
        workflow = json.loads((WORKFLOWS_DIR / f"{name}.json").read_text(encoding="utf-8"))
        canvas.open(name, [node["title"] for node in workflow["nodes"]])
        return Picker(canvas, node_type)

    yield open_
    canvas.reload()


def test_a_click_sets_the_combo_and_nothing_else(canvas, open_template):
    picker = open_template("paint_photo", "PaintPhoto")
    assert picker.value == STARRY_NIGHT
    assert picker.preview() == ("van-gogh-starry-night.webp", "The Starry Night")
    assert picker.node("node.serialize().widgets_values") == [STARRY_NIGHT, 1, 0]
    picker.find("klimt")
    picker.click(KISS)
    assert picker.value == KISS
    assert picker.preview() == ("klimt-kiss.webp", "The Kiss")
    assert picker.node("node.serialize().widgets_values") == [KISS, 1, 0]
    (inputs,) = (n["inputs"] for n in canvas.prompt().values() if n["class_type"] == "PaintPhoto")
    # Links are lists; the picker itself is no input.
    assert {name: v for name, v in inputs.items() if not isinstance(v, list)} == {
        "style_name": KISS, "strength": 1, "seed": 0,
    }  # fmt: skip
    picker.page.mouse.move(2, 2)
    picker.page.evaluate("document.activeElement.blur()")
    picker.page.keyboard.press("Control+z")
    picker.page.wait_for_timeout(1000)
    picker = Picker(canvas, "PaintPhoto")
    assert picker.value == STARRY_NIGHT
    # The page has made the node anew, and shows the new one's picker.
    assert picker.preview() == ("van-gogh-starry-night.webp", "The Starry Night")
    picker.click("library/klimt-kiss")
    assert picker.value == KISS
    assert picker.preview() == ("klimt-kiss.webp", "The Kiss")


def test_the_preview_follows_the_choice_without_a_run(canvas, open_template):
    picker = open_template("paint_in_library_style", "LoadStyle")
    canvas.set("LoadStyle", "style_name", "library/munch-scream")
    assert picker.preview() == ("munch-scream.webp", "The Scream")
    assert "brushwork-current" in picker.card("library/munch-scream").get_attribute("class")
    graph = picker.page.evaluate("app.graph.serialize()")
    canvas.reload()
    picker.page.evaluate("graph => app.loadGraphData(graph)", graph)
    picker.page.wait_for_timeout(1500)
    canvas.show_graph()  # newer pages open it as a form
    picker = Picker(canvas, "LoadStyle")
    assert picker.preview() == ("munch-scream.webp", "The Scream")
    width = picker.root.locator(".brushwork-preview").evaluate("i => i.decode().then(() => i.naturalWidth)")
    assert width == 128
    canvas.set("LoadStyle", "style_name", "lost.safetensors")
    assert not picker.root.locator(".brushwork-preview").is_visible()
    assert "This style is not here." in picker.root.inner_text()


def test_a_cached_style_is_shown(canvas, open_template):
    picker = open_template("paint_in_library_style", "LoadStyle")
    canvas.set("LoadStyle", "style_name", KISS)
    canvas.run()
    canvas.set("Generate", "seed", 5)
    entry = canvas.run()
    details = dict(entry["status"]["messages"])
    assert picker.node("String(node.id)") in details["execution_cached"]["nodes"]
    assert picker.preview() == ("klimt-kiss.webp", "The Kiss")
    canvas.reload()  # the page brings the workflow back
    canvas.page.wait_for_function("app.graph.nodes.some(node => node.type === 'LoadStyle')")
    canvas.show_graph()
    entry = canvas.run()
    assert entry["status"]["status_str"] == "success"
    picker = Picker(canvas, "LoadStyle")
    assert picker.value == KISS
    assert picker.preview() == ("klimt-kiss.webp", "The Kiss")
    preview = picker.root.locator(".brushwork-preview")
    assert preview.evaluate("image => image.decode().then(() => image.naturalWidth)") == 128


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("klimt", [KISS]),
        ("CEZANNE sainte", ["library/cezanne-mont-sainte-victoire"]),
        ("1842", ["library/turner-blue-rigi", "library/turner-lausanne"]),
        ("星月夜", [STARRY_NIGHT]),
        ("no such painter", []),
    ],
)
def test_search(canvas, shared_picker, words, found):
    everything = canvas.server.get_json("/object_info/LoadStyle")["LoadStyle"]["input"]["required"][
        "style_name"
    ]
    shared_picker.find("")
    assert sorted(shared_picker.shown_cards()) == sorted(everything[1]["options"])
    search = shared_picker.root.get_by_role("textbox", name="Search styles", exact=True)
    assert search.get_attribute("placeholder") == f"Search {len(everything[1]['options'])} styles"
    # Two works of one artist are not called the same.
    assert shared_picker.card(STARRY_NIGHT).inner_text().split("\n")[:2] == ["Van Gogh", "The Starry Night"]
    shared_picker.find(words)
    assert shared_picker.shown_cards() == found
    assert shared_picker.root.get_by_text("No style matches.").is_visible() == (not found)


@pytest.fixture(scope="module")
def shared_picker(canvas):
    titles = json.loads((WORKFLOWS_DIR / "paint_in_library_style.json").read_text(encoding="utf-8"))["nodes"]
    canvas.open("paint_in_library_style", [node["title"] for node in titles])
    return Picker(canvas, "LoadStyle")


def test_favorites_survive_a_reload(canvas, open_template):
    picker = open_template("paint_in_library_style", "LoadStyle")
    picker.find("klimt")
    with canvas.page.expect_response(lambda answer: "Brushwork.FavoriteStyles" in answer.url):
        picker.card(KISS).hover()
        picker.card(KISS).locator(".brushwork-star").click()
    assert picker.value == STARRY_NIGHT
    canvas.reload()
    picker = open_template("paint_in_library_style", "LoadStyle")
    assert picker.shown_cards()[0] == KISS
    assert picker.card(KISS).locator(".brushwork-star").get_attribute("aria-pressed") == "true"
    picker.root.locator(".brushwork-only-favorites").click()
    assert picker.shown_cards() == [KISS]
    with canvas.page.expect_response(lambda answer: "Brushwork.FavoriteStyles" in answer.url):
        picker.card(KISS).locator(".brushwork-star").click()
    assert picker.shown_cards() == []
    assert picker.root.get_by_text("No favourites yet").is_visible()


def test_the_combo_says_names_and_keeps_values(canvas, open_template):
    picker = open_template("paint_in_library_style", "LoadStyle")
    assert picker.node("combo.options.getOptionLabel(combo.value)") == LABEL
    if picker.page.evaluate("Boolean(LiteGraph.vueNodesMode)"):
        assert LABEL[:12] in picker.page.locator("[data-node-id]:has(.brushwork-picker)").inner_text()
        return
    assert picker.node("combo._displayValue") == LABEL
    x, y = picker.node("""(() => {
      const { scale, offset } = app.canvas.ds, page = app.canvas.canvas.getBoundingClientRect();
      const [x, y] = [node.pos[0] + node.size[0] / 2, node.pos[1] + combo.last_y + 10];
      return [page.left + (x + offset[0]) * scale, page.top + (y + offset[1]) * scale];
    })()""")
    picker.page.mouse.click(x, y)
    picker.page.locator(".comfy-context-menu-filter").fill("wave off")
    picker.page.locator(".litemenu-entry:visible").get_by_text("Hokusai, Under the Wave").click()
    assert picker.value == "library/hokusai-great-wave"
    assert picker.preview()[0] == "hokusai-great-wave.webp"


def test_styles_of_the_users_own(canvas, server, open_template):
    picker = open_template("paint_in_library_style", "LoadStyle")
    style = replace(read_style(STYLES_DIR / "munch-scream.safetensors"), name="Mine <img src=x>", artist="")
    folder = server.base / "models" / "brushwork_styles" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    write_style(folder / "waves.safetensors", style)
    try:
        picker.page.evaluate("app.refreshComboInNodes()")
        own = picker.card("mine/waves.safetensors")
        own.wait_for(state="attached")
        picker.find("mine")
        assert picker.shown_cards() == ["mine/waves.safetensors"]
        assert own.inner_text().strip().startswith("Mine <img src=x>")
        assert picker.node("combo.options.getOptionLabel('mine/waves.safetensors')").startswith("Mine img")
        picker.click("mine/waves.safetensors")
        preview = picker.root.locator(".brushwork-preview")
        assert preview.evaluate("image => image.decode().then(() => image.naturalWidth)") == 160
        assert picker.value == "mine/waves.safetensors"
    finally:
        (folder / "waves.safetensors").unlink()


def test_a_connected_painting_counts_and_not_the_picker(canvas, open_template):
    picker = open_template("paint_photo", "PaintPhoto")
    assert not picker.root.evaluate("e => e.classList.contains('brushwork-overruled')")
    picker.node("""app.graph.nodes.find(n => n.type === 'LoadImage')
      .connect(0, node, node.inputs.findIndex(i => i.name === 'painting')) && true""")
    assert picker.root.evaluate("e => e.classList.contains('brushwork-overruled')")
    said = picker.root.evaluate("e => getComputedStyle(e, '::after').content")
    assert said == '"The connected painting is used instead."'
    picker.node("node.disconnectInput(node.inputs.findIndex(i => i.name === 'painting')) && true")
    assert not picker.root.evaluate("e => e.classList.contains('brushwork-overruled')")


def test_the_pictures_are_back_after_app_mode(canvas, open_template):
    """Frontend 1.35 with Nodes 2.0 takes them out of the node for its form, and does not bring them back."""
    picker = open_template("paint_photo", "PaintPhoto")
    if not canvas.has_app_mode():
        pytest.skip("this frontend has no App mode")
    for name in (KISS, STARRY_NIGHT):
        canvas.show_app()
        assert canvas.is_app()
        canvas.show_graph()
        picker = Picker(canvas, "PaintPhoto")
        picker.find(name.rpartition("-")[2])
        picker.click(name)
        assert picker.value == name
    assert picker.root.count() == 1


def test_the_wheel_scrolls_pictures_and_not_the_canvas(canvas, open_template):
    picker = open_template("paint_in_library_style", "LoadStyle")
    grid = picker.root.locator(".brushwork-grid")
    grid.evaluate("grid => (grid.scrollTop = 0)")
    picker.page.evaluate("document.activeElement.blur()")
    grid.hover()
    before = picker.page.evaluate("[app.canvas.ds.scale, ...app.canvas.ds.offset]")
    picker.page.mouse.wheel(0, 120)
    picker.page.wait_for_timeout(600)
    assert grid.evaluate("grid => grid.scrollTop") > 50
    assert picker.page.evaluate("[app.canvas.ds.scale, ...app.canvas.ds.offset]") == before


@pytest.mark.parametrize(("template", "pickers"), [("paint_in_library_style", 1), ("styles_by_region", 3)])
@pytest.mark.parametrize("name", ["library/aivazovsky-ninth-wave", KISS, STARRY_NIGHT])
def test_whole_rows_are_seen(canvas, template, pickers, name):
    """The row of the chosen style comes first, or the list ends; no card is cut."""
    titles = json.loads((WORKFLOWS_DIR / f"{template}.json").read_text(encoding="utf-8"))["nodes"]
    canvas.open(template, [node["title"] for node in titles])
    canvas.set("LoadStyle", "style_name", name)
    canvas.page.wait_for_timeout(800)
    seen = canvas.page.evaluate(
        """name => [...document.querySelectorAll('.brushwork-grid')]
      .filter(grid => grid.offsetParent).map(grid => {
        const { scrollTop, clientHeight, scrollHeight } = grid;
        const begin = grid.firstElementChild.offsetTop - 2 + scrollTop;
        const row = ({ offsetTop, offsetHeight }) => [offsetTop - begin, offsetTop - begin + offsetHeight];
        const rows = [...grid.querySelectorAll('.brushwork-card')].map(row);
        return {
          cut: rows.filter(([top, bottom]) => [0, clientHeight].some(edge => top < edge && edge < bottom)),
          whole: new Set(rows.filter(([top, bottom]) => top >= 0 && bottom <= clientHeight).map(String)).size,
          chosen: row(grid.querySelector(`[data-style='${name}']`))[0],
          ended: Math.abs(scrollTop + clientHeight - scrollHeight) < 1,
        };
      })""",
        name,
    )
    assert len(seen) == pickers
    for grid in seen:
        assert (grid["cut"], grid["whole"]) == ([], 2)
        assert grid["chosen"] == 2 or (grid["ended"] and 0 < grid["chosen"] < 120)


def test_sockets_have_colors_that_no_palette_takes_away(canvas):
    seen = canvas.page.evaluate("""() => {
      const types = ['BRUSHWORK_STYLE', 'BRUSHWORK_CONTENT', 'BRUSHWORK_GAN'];
      const { default_connection_color_byType: colors } = app.canvas;
      const { link_type_colors: links } = app.canvas.constructor;
      for (const type of types) colors[type] = links[type] = '';  // what pages do with a palette
      const style = getComputedStyle(document.documentElement);
      const color = type => style.getPropertyValue(`--color-datatype-${type}`);
      return types.map(type => [colors[type], links[type], color(type)]);
    }""")
    assert len({color for row in seen for color in row}) == 3
    assert all(len(set(row)) == 1 and row[0].startswith("#") for row in seen)
