"""Warns about node ids that several packs use: ComfyUI silently takes the pack that it loads last."""

from __future__ import annotations

import asyncio
import logging
import sys

logger = logging.getLogger(__name__)

# The package of Brushwork's nodes, under the name that ComfyUI gave the pack.
_OWN = f"{__name__.rsplit('.', 2)[0]}."


def warn_of_clashes(node_ids: list[str]) -> None:
    """Log one warning that names the packs with one of `node_ids` that were loaded before this one.

    Once all packs are there, it warns of those loaded after it. Call it before ComfyUI registers this
    pack's nodes.
    """
    taken = foreign_owners(node_ids)
    if taken:
        logger.warning(
            "Brushwork replaces nodes of other packs that have the same id: %s. Workflows made with theirs "
            "need Brushwork disabled.",
            _list(taken),
        )
    # ComfyUI runs its event loop again when the last pack is loaded.
    asyncio.get_running_loop().call_soon(_warn_of_later_clashes, node_ids)


def foreign_owners(node_ids: list[str]) -> dict[str, str]:
    """The `node_ids` that ComfyUI has registered for another pack, and that pack's module."""
    registry = getattr(sys.modules.get("nodes"), "NODE_CLASS_MAPPINGS", {})
    owners = {}
    for node_id in node_ids:
        node = registry.get(node_id)
        if node is not None and not node.__module__.startswith(_OWN):
            owners[node_id] = getattr(node, "RELATIVE_PYTHON_MODULE", None) or node.__module__
    return owners


def _warn_of_later_clashes(node_ids: list[str]) -> None:
    taken = foreign_owners(node_ids)
    if taken:
        logger.warning(
            "Brushwork's nodes are hidden by other packs that use the same id: %s. Disable those packs to "
            "use Brushwork's nodes.",
            _list(taken),
        )


def _list(owners: dict[str, str]) -> str:
    return ", ".join(f"{node_id} ({module})" for node_id, module in owners.items())
