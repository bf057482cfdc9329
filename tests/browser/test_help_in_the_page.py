"""Help pages in ComfyUI's panel, which is narrow."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("node_id", ["LoadStyle", "LoadStyleGAN", "TrainStyle"])
def test_tables_are_not_cut_off(canvas, node_id):
    canvas.open_help(node_id)
    tables = canvas.page.evaluate("canvasTests.tables()")
    assert len(tables) >= 2
    for room, needed in tables:
        assert needed <= room, node_id
