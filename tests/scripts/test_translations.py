"""What a translation lacks, and what has changed since it was made."""

from __future__ import annotations

from scripts.translations import flat, untranslated

ENGLISH = {"nodeDefs": {"Generate": {"display_name": "Paint", "description": "Paints."}}}
CHINESE = {"nodeDefs": {"Generate": {"display_name": "画", "description": "画。"}}}


def test_a_changed_english_text_is_found():
    made_from = dict(flat(ENGLISH))
    assert untranslated(ENGLISH, CHINESE, made_from) == []
    changed = {"nodeDefs": {"Generate": {"display_name": "Paint", "description": "Paints photos."}}}
    (line,) = untranslated(changed, CHINESE, made_from)
    assert line == "stale: nodeDefs.Generate.description, made from 'Paints.', is now 'Paints photos.'"


def test_a_missing_and_a_surplus_text_are_found():
    chinese = {
        "nodeDefs": {"Generate": {"display_name": "画", "description": ""}, "Gone": {"display_name": "无"}}
    }
    made_from = dict(flat(ENGLISH))
    assert untranslated(ENGLISH, chinese, made_from) == [
        "missing: nodeDefs.Generate.description, 'Paints.'",
        "nothing of that name in English: nodeDefs.Gone.display_name",
    ]
