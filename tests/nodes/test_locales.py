"""The canvas in English and Chinese: every text there, none stale, none of nodes that are gone."""

from __future__ import annotations

import unicodedata

import pytest

from brushwork.nodes import NODES
from scripts.page_texts import page_texts
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
    assert locale("en")["brushwork"] == page_texts(), "run python -m scripts.translations"


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
        assert text == text.strip(), key
        if not key.startswith("brushwork."):  # web/js/texts.js shows those as they are
            assert not set(text) & set("{}@|"), key  # the frontend would take them for commands


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_of_switches_are_not_cut_off(language):
    """A node has room for twelve Latin letters; Chinese ones take the room of two."""
    labels = dict(flat(locale(language)["brushwork"]["switches"]))
    assert len(labels) == 10
    for key, label in labels.items():
        assert sum(1 + (unicodedata.east_asian_width(letter) in "FW") for letter in label) <= 12, key


def test_labels_in_forms_are_the_beginnings_of_titles():
    texts = locale("zh")["brushwork"]
    beginnings = {title.partition("：")[0] for title in texts["titles"].values()}
    no_form_has_it = texts["labels"]["method"]  # the short name of upscale_method, which pages cut off
    assert set(texts["labels"].values()) - {no_form_has_it} <= beginnings


def test_translated_choices_still_say_what_the_file_has():
    for key, text in flat(locale("zh")["brushwork"]["choices"]):
        assert text.endswith(f" ({key.rpartition('.')[2]})"), key


def test_english_choices_say_what_they_mean_and_what_the_file_has():
    choices = dict(flat(locale("en")["brushwork"]["choices"]))
    for key, text in choices.items():
        choice = key.rpartition(".")[2]
        assert text == choice or text.endswith(f" ({choice})"), key
    assert choices["MixStyles.mode.lerp"] == "straight (lerp)"
    assert choices["TrainStyle.mode.fine_tune"] == "whole network (fine_tune)"
    # One word may be the choice of two inputs.
    assert choices["Generate.strokes.pixels"] == "one size (pixels)"
    assert choices["RefinePainting.optimize.pixels"] == "pixels"
    # Terms of the field, which no other words say.
    terms = {"least_squares", "cross_entropy"}
    assert {text for text in choices.values() if "_" in text and "(" not in text} == terms


def test_chinese_is_chinese():
    same = {key for key, text in flat(locale("zh")) if text.isascii()}
    # What is called the same in both.
    assert same == {
        "nodeDefs.SampleStyle.inputs.psi.name",
        "nodeDefs.EvaluateStyle.inputs.psi.name",
        "nodeDefs.EvaluateStyle.outputs.1.name",
    }
