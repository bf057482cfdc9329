"""Thumbnails of the workflows: one for each, painted with the weights that ship."""

from __future__ import annotations

import pytest
from PIL import Image

from brushwork.base.shipped import WORKFLOWS_DIR
from scripts.workflow_thumbnails import SIDE, THUMBNAILS, ThumbnailError, painted_with, titled

WORKFLOWS = sorted(path.stem for path in WORKFLOWS_DIR.glob("*.json"))


def test_every_workflow_has_one_and_nothing_else_does():
    assert sorted(THUMBNAILS) == WORKFLOWS
    assert sorted(path.stem for path in WORKFLOWS_DIR.glob("*.jpg")) == WORKFLOWS


@pytest.mark.parametrize("name", WORKFLOWS)
def test_it_shows_the_shipped_weights(name: str):
    with Image.open(WORKFLOWS_DIR / f"{name}.jpg") as picture:
        assert picture.size == (SIDE, SIDE)
        comment = picture.info.get("comment", b"").decode()
    assert comment == painted_with(), f"run python -m scripts.workflow_thumbnails {name}"


def test_a_title_that_no_node_has_is_named():
    workflow = {"3": {"_meta": {"title": "Result"}}, "4": {"_meta": {"title": "Paint the frames"}}}
    assert titled(workflow, "Paint") == "4"
    with pytest.raises(ThumbnailError, match="'Grain'; the titles are Result, Paint the frames"):
        titled(workflow, "Grain")
