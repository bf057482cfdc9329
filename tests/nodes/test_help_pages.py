"""The help panel's pages: every part there, in both languages, true to the schemas and to the code."""

from __future__ import annotations

import re

import pytest
from help_pages import DOCS, FILES, PAGES, HelpPage, error_patterns, values
from PIL import Image, ImageStat

from brushwork.nodes import NODES
from scripts.translations import locale

WIDTH, MOST_BYTES = 700, 60_000
LANGUAGES = tuple(PAGES)
# What recipes and mistakes may name besides Brushwork's inputs, outputs and choices: core's and files.
OTHERS = {"randomize", "fixed", "my_style", "input"}

each_node = pytest.mark.parametrize("node", NODES.values(), ids=NODES.keys())
each_page = pytest.mark.parametrize("language", LANGUAGES)


def page(node, language):
    return HelpPage.read(node.__name__, language)


def known_words():
    words = set(OTHERS)
    for node in NODES.values():
        schema = node.GET_SCHEMA()
        words |= {i.id for i in schema.inputs} | {o.display_name for o in schema.outputs}
        words |= {option for i in schema.inputs for option in getattr(i, "options", None) or []}
    return words


def test_no_help_for_nodes_that_are_gone():
    assert {path.stem for path in DOCS.iterdir()} == set(NODES)
    for folder in NODES:
        assert {path.name for path in (DOCS / folder).iterdir()} == {"zh.md", "example.jpg"}


@each_node
@each_page
def test_begins_with_title_what_it_does_and_a_picture(node, language):
    found = page(node, language)
    shown = locale(language)["nodeDefs"][node.__name__]["display_name"]
    assert found.title == re.sub(r"[ （(]+Brushwork[)）]", "", shown)
    paragraph, picture, caption = found.intro.strip().split("\n\n")
    assert picture.startswith("![")
    assert len(paragraph) > 20
    assert caption
    for text in (paragraph, caption, *found.sections, found.pictures[0][0]):
        assert (language == "zh") == bool(re.search("[\u4e00-\u9fff]", text))


@each_node
def test_the_picture_is_a_small_jpeg_of_something(node):
    ((_, address),) = page(node, "en").pictures
    # The frontend looks for the pictures of both pages in /extensions/brushwork/docs/.
    assert address == f"{node.__name__}/example.jpg"
    assert [a for _, a in page(node, "zh").pictures] == [address]
    path = DOCS / address
    assert path.stat().st_size <= MOST_BYTES
    with Image.open(path) as picture:
        assert (picture.format, picture.width) == ("JPEG", WIDTH)
        assert min(ImageStat.Stat(picture.convert("RGB")).stddev) > 20


@each_node
@each_page
def test_names_every_input_with_its_range_and_default(node, language):
    inputs = {i.id: i for i in node.GET_SCHEMA().inputs}
    rows = page(node, language).table(0)
    assert [id_ for row in rows for id_ in row.ids] == list(inputs)
    for row in rows:
        for id_ in row.ids:
            assert row.values == values(inputs[id_], language), id_
            if id_ not in FILES:
                for option in getattr(inputs[id_], "options", None) or []:
                    assert f"`{option}`" in row.values
        assert row.meaning


@each_node
@each_page
def test_names_every_output(node, language):
    rows = page(node, language).table(1)
    assert [row.ids for row in rows] == [[o.display_name] for o in node.GET_SCHEMA().outputs]
    assert all(row.meaning for row in rows)


@each_node
def test_chinese_gives_the_names_that_the_canvas_shows(node):
    texts, found = locale("zh")["nodeDefs"][node.__name__], page(node, "zh")
    names = {id_: text["name"] for id_, text in texts["inputs"].items()}
    for row in found.table(0):
        if len(row.ids) == 1:
            assert row.head == shown_with(row.ids[0], names[row.ids[0]])
    for row, text in zip(found.table(1), texts["outputs"].values(), strict=True):
        assert row.head == shown_with(row.ids[0], text["name"])


def shown_with(id_, name):
    return f"`{id_}`" if name == id_ else f"`{id_}`（{name}）"


@each_node
@each_page
def test_the_recipe_wires_something_that_exists(node, language):
    recipe = page(node, language).sections[2]
    assert recipe.count("→" if language == "zh" else "->") >= 1
    named = set(re.findall(r"`([a-z]\w*)`", recipe))
    assert named
    assert named <= known_words()


@each_node
@each_page
def test_mistakes_name_symptoms_and_things_that_exist(node, language):
    mistakes = page(node, language).mistakes
    assert len(mistakes) >= 3
    for mistake in mistakes:
        symptom, advice = re.fullmatch(r"\*\*(.+?)\*\*\s+(.+)", mistake, re.DOTALL).groups()
        assert symptom[-1] in ".。`"
        assert len(advice) > 10
        assert set(re.findall(r"`([a-z]\w*)`", mistake)) <= known_words()


@each_node
def test_sentences_shown_as_ours_are_in_the_code(node):
    english, chinese = (page(node, language) for language in LANGUAGES)
    assert len(english.mistakes) == len(chinese.mistakes)
    assert english.errors == chinese.errors
    for sentence in english.errors:
        assert any(pattern.fullmatch(sentence) for pattern in error_patterns()), sentence


def test_a_sentence_that_is_not_in_the_code_is_found():
    patterns = error_patterns()
    real = "There must be 2 styles or more to go between, not 1; connect another."
    assert any(pattern.fullmatch(real) for pattern in patterns)
    assert not any(pattern.fullmatch(real.replace("another", "one")) for pattern in patterns)
