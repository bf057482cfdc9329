"""ComfyUI's page as a person uses it: open a template, turn widgets, press Run, read what it says."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

LOAD_SECONDS, RUN_SECONDS, CLICK_SECONDS = 180, 900, 20
QUESTIONS = Path(__file__).with_name("canvas.js")
CARD = "template-workflow-"  # followed by the name; both frontends that were tried have it
CARDS = f"[data-testid^={CARD}]"
READY = "Boolean(window.app?.graph && window.LiteGraph?.registered_node_types?.Generate)"


class ComfyUIPage:
    """One tab with ComfyUI's page in it."""

    def __init__(self, page: Any, server: Any):
        self.page, self.server = page, server
        page.set_default_timeout(LOAD_SECONDS * 1000)
        page.add_init_script(path=QUESTIONS)
        page.goto(server.url)
        page.wait_for_function(READY)

    def reload(self) -> None:
        """As the page's Reload: what panels it has opened are closed."""
        self.page.reload()
        self.page.wait_for_function(READY)

    def browse(self) -> None:
        """Open the template browser at this pack."""
        self.close_dialogs()
        self.page.evaluate("() => { app.extensionManager.command.execute('Comfy.BrowseTemplates') }")
        self.page.get_by_role("dialog").get_by_text("brushwork").first.click()
        self.page.locator(CARDS).first.wait_for()

    def templates(self) -> dict[str, int]:
        """What the template browser lists, and how wide the thumbnails are, which load when in view."""
        self.browse()
        self._show_all_cards()
        widths = {}
        for card in self.page.locator(CARDS).all():
            card.scroll_into_view_if_needed()
            image = card.locator("img").first
            image.wait_for()
            widths[card.get_attribute("data-testid").removeprefix(CARD)] = image.evaluate(
                "image => image.decode().then(() => image.naturalWidth)"
            )
        return widths

    def said_of(self, name: str) -> str:
        """What the template browser says of a workflow in view: on its card, and what newer pages keep for
        their search and for the page about it."""
        card = self.page.get_by_test_id(CARD + name).inner_text()
        kept = self.page.evaluate(
            "name => canvasTests.store('workflowTemplates').getTemplateByName?.(name)?.description ?? ''",
            name,
        )
        return " ".join(f"{card} {kept}".split())

    def _show_all_cards(self) -> None:
        """Scroll down until no more cards come: frontend 1.27 has a dozen at first."""
        seen = 0
        while (there := self.page.locator(CARDS).count()) > seen:
            seen = there
            self.page.locator(CARDS).last.scroll_into_view_if_needed()
            self.page.mouse.wheel(0, 2000)
            self.page.wait_for_timeout(1000)

    def open(self, name: str, titles: list[str], as_app: bool = False) -> None:
        """Click the workflow in the template browser and wait until its nodes, by title, are there.

        Frontends that know App mode show its form first: `as_app` stays there, otherwise the graph comes.
        """
        self.close_panel()
        if self._has_nodes(titles, 0):  # the same one is open: its nodes are no sign, and no form would come
            self.page.evaluate("() => { app.extensionManager.command.execute('Comfy.NewBlankWorkflow') }")
            self.page.wait_for_function("app.graph.nodes.length === 0")
        deadline = time.monotonic() + LOAD_SECONDS
        while True:
            self.browse()
            if not self.page.get_by_test_id(CARD + name).count():
                self._show_all_cards()
            self.page.get_by_test_id(CARD + name).click()
            # On a busy machine the cards still move while their thumbnails come, and a click is lost.
            if self._has_nodes(titles, CLICK_SECONDS) or time.monotonic() > deadline:
                break
        assert self._has_nodes(titles, 1), f"a click on {name} did not open it"
        if self.has_app_mode():  # the form comes after the nodes
            self.page.wait_for_function("canvasTests.store('canvas').linearMode")
        if not as_app:
            self.show_graph()
        self.page.wait_for_timeout(1500)  # pictures come, nodes grow, complaints appear

    def show_graph(self) -> None:
        """The whole graph, also in the place of App mode's form."""
        if self.is_app():
            self._toggle_app()
        self.fit()

    def show_app(self) -> None:
        """App mode's form in the place of the graph; frontends that know App mode have it."""
        if not self.is_app():
            self._toggle_app()
        self.page.wait_for_timeout(1000)

    def _toggle_app(self) -> None:
        self.page.evaluate("() => { app.extensionManager.command.execute('Comfy.ToggleLinear') }")

    def fit(self) -> None:
        """Show the whole workflow, as the key "." does."""
        self.page.evaluate("() => { app.extensionManager.command.execute('Comfy.Canvas.FitView') }")
        self.page.wait_for_timeout(1000)
        self.page.evaluate("canvasTests.settled()")

    def show(self, type_: str) -> None:
        """Bring the only node of this type to the middle, in its real size."""
        self.page.evaluate("type => canvasTests.show(type)", type_)
        self.page.wait_for_timeout(500)  # elements follow the canvas

    def is_app(self) -> bool:
        """Whether App mode's form is shown instead of the graph."""
        return bool(self.page.evaluate("canvasTests.store('canvas').linearMode"))

    def has_app_mode(self) -> bool:
        """Whether this frontend shows a form; 1.35 has an early one, of all widgets."""
        return bool(self.page.evaluate("canvasTests.store('canvas').linearMode !== undefined"))

    def knows_app_mode(self) -> bool:
        """Whether the form has what a workflow's `linearData` says."""
        return bool(self.page.evaluate("canvasTests.store('appMode')?.selectedInputs"))

    def form(self) -> dict[str, Any]:
        """What App mode's form has: widgets and nodes with outputs, as in a workflow's `linearData`."""
        return self.page.evaluate("canvasTests.form()")

    def speak(self, language: str) -> None:
        """Set the page's language."""
        self.page.evaluate("id => app.extensionManager.setting.set('Comfy.Locale', id)", language)
        self.reload()

    def add_node(self, words: str) -> None:
        """Add to an empty canvas the first node that the search box lists for these words."""
        self.close_dialogs()
        self.show_graph()
        self.page.evaluate("() => { app.graph.clear(); app.canvas.ds.reset(); }")
        self._open_search_box()
        self.page.keyboard.type(words)
        self.page.wait_for_timeout(2000)  # the list follows with a delay
        self.page.keyboard.press("Enter")
        self.page.wait_for_function("app.graph.nodes.length === 1")
        # Newer pages let the node follow the mouse until a click, which the box takes while it closes.
        while self.page.evaluate("(app.canvas.state?.ghostNodeId ?? null) !== null"):
            self.page.mouse.click(700, 500)
            self.page.wait_for_timeout(500)

    def _open_search_box(self) -> None:
        # A field that has the focus already, such as a widget's own, must not be taken for the box.
        self.page.evaluate("() => document.activeElement?.blur()")
        self.page.wait_for_function("document.activeElement.tagName !== 'INPUT'")
        if self.page.evaluate("Boolean(canvasTests.store('searchBox')?.visible)"):
            self.page.evaluate("() => { canvasTests.store('searchBox').visible = false }")
        self.page.evaluate("() => { app.extensionManager.command.execute('Workspace.SearchBox.Toggle') }")
        self.page.wait_for_function("document.activeElement.tagName === 'INPUT'")

    def _has_nodes(self, titles: list[str], seconds: float) -> bool:
        """Whether the canvas holds the nodes of these titles and no others, or does within `seconds`."""
        wanted, deadline = sorted(titles), time.monotonic() + seconds
        while sorted(self.page.evaluate("app.graph.nodes.map(node => node.title)")) != wanted:
            if time.monotonic() > deadline:
                return False
            self.page.wait_for_timeout(200)
        return True

    def close_dialogs(self) -> None:
        for _ in range(3):
            if not self.page.get_by_role("dialog").count():
                return
            self.page.keyboard.press("Escape")
            self.page.wait_for_timeout(400)

    def close_panel(self) -> None:
        """Newer pages keep the panel at the right open, with help or errors, and it lies over the canvas."""
        self.page.evaluate("() => { canvasTests.store('rightSidePanel')?.closePanel?.() }")

    def faults(self) -> list[str]:
        """Missing nodes, bad links, values that are no choice, overlaps, wires behind nodes, nodes outside a
        group, alerts."""
        return self.page.evaluate("canvasTests.faults()") + self.alerts()

    def alerts(self) -> list[str]:
        """Texts of dialogs and of the messages in the corner."""
        shown = self.page.locator(".p-toast-message, [role=dialog], [role=alert], [role=alertdialog]")
        return [text for text in shown.all_inner_texts() if text.strip()]

    def open_help(self, type_: str) -> None:
        """The help page of a node, in the panel where this frontend has it."""
        self.close_dialogs()
        self.show_graph()
        self.page.evaluate("type => canvasTests.openHelp(type)", type_)
        self.page.locator(".node-help-content table").first.wait_for()

    def search(self, words: str) -> list[str]:
        """The ids of the nodes that the page's search finds, best first."""
        return self.page.evaluate("words => canvasTests.search(words)", words)

    def set(self, type_: str, name: str, value: object) -> None:
        """Turn a widget of every node of this type."""
        self.page.evaluate("settings => canvasTests.set(...settings)", [type_, name, value])

    def prompt(self) -> dict[str, Any]:
        """What Export (API) would write."""
        return self.page.evaluate("async () => (await app.graphToPrompt()).output")

    def press_run(self) -> dict[str, Any]:
        """The server's answer."""
        with self.page.expect_response(
            lambda reply: reply.url.endswith("/prompt") and reply.request.method == "POST"
        ) as answer:
            if self.is_app():
                self.page.get_by_test_id("linear-run-button-icon").locator("xpath=ancestor::button").click()
            else:
                self.page.get_by_role("button", name="Run", exact=True).first.click()
        return answer.value.json()

    def run(self) -> dict[str, Any]:
        """Press Run, and wait for the end: the entry in the server's history."""
        id_ = self.press_run()["prompt_id"]
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            history = self.server.get_json(f"/history/{id_}")
            if id_ in history:
                self.page.wait_for_timeout(1500)  # results come to the page, and previews go
                return history[id_]
            self.page.wait_for_timeout(500)  # the page goes on meanwhile
        raise AssertionError(f"no result within {RUN_SECONDS} s; log:\n{self.server.tail()}")

    def shown_on(self, node: str, count: int) -> list[Any]:
        """What is seen on the node, once `count` things are: sizes of pictures and videos."""
        deadline = time.monotonic() + LOAD_SECONDS
        while (
            len(shown := self.page.evaluate("id => canvasTests.shown(id)", node)) < count
            and time.monotonic() < deadline
        ):
            self.page.wait_for_timeout(300)
        return shown

    def complaint(self, beginning: str) -> str:
        """What the page says that has `beginning` in it; newer pages want two clicks before they say it."""
        text = self.page.get_by_text(beginning)
        deadline = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < deadline:
            if text.count() and text.first.is_visible():
                return " ".join(text.first.inner_text().split())
            for button in (
                self.page.get_by_role("button", name="View details"),
                self.page.locator("button[aria-label^='Info for'][aria-expanded='false']"),
            ):
                if button.count() and button.first.is_visible():
                    button.first.click()
            self.page.wait_for_timeout(300)
        raise AssertionError(f"the page does not say '{beginning}'; it says {self.alerts()}")
