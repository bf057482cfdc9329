"""The canvas in English and Chinese: every text there, none stale, none of nodes that are gone."""

from __future__ import annotations

import pytest

from brushwork.nodes import NODES
from scripts.translations import (
    LOCALES,
    MADE_FROM,
    categories,
    flat,
    locale,
    node_texts,
    read,
    socket_types,
    untranslated,
)

LANGUAGES = ("en", "zh")


def test_english_is_the_schemas():
    assert locale("en")["nodeDefs"] == node_texts(), "run python -m scripts.translations"


def test_chinese_is_complete_and_made_from_this_english():
    lines = untranslated(locale("en"), locale("zh"), read(MADE_FROM))
    assert not lines, "translate these in locales/zh, then run python -m scripts.translations --done"


@pytest.mark.parametrize("language", LANGUAGES)
def test_categories_and_socket_types_have_names(language):
    texts = locale(language)
    assert texts["nodeCategories"].keys() == categories()
    assert texts["dataTypes"].keys() == socket_types()
    assert socket_types() == {"BRUSHWORK_GAN", "BRUSHWORK_CONTENT", "BRUSHWORK_STYLE"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_comfyui_reads_these_files(language):
    files = {path.name for path in (LOCALES / language).iterdir()}
    assert files - {MADE_FROM.name} == {"main.json", "nodeDefs.json"}
    assert tuple(locale(language)["nodeDefs"]) == tuple(NODES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_texts_as_they_are(language):
    for key, text in flat(locale(language)):
        assert not set(text) & set("{}@|"), key  # the frontend would take them for commands
        assert text == text.strip(), key


def test_chinese_is_chinese():
    same = {key for key, text in flat(locale("zh")) if text.isascii()}
    # What is called the same in both.
    assert same == {
        "nodeDefs.SampleStyle.inputs.psi.name",
        "nodeDefs.EvaluateStyle.inputs.psi.name",
        "nodeDefs.EvaluateStyle.outputs.1.name",
    }
