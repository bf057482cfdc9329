"""The events of a ComfyUI server, over a WebSocket. They only save time: all is also asked for over HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import websockets

from .address import Address
from .answers import decode

# Previews of large pictures come over the same WebSocket and are larger than its usual limit.
_LARGEST_EVENT = 2**26
_MOST_EVENTS_AHEAD = 4
# A proxy may keep the connection open when the server has said goodbye.
_SECONDS_TO_CLOSE = 1.0
SECONDS_TO_RECONNECT = 2.0

# ImportError: a proxy of the environment for which a package is missing.
_NO_EVENTS = (OSError, ValueError, EOFError, ImportError, asyncio.TimeoutError)

Hear = Callable[[str, Mapping[str, Any]], None]
"""Is called with an event's type and its data."""


async def listen(address: Address, client_id: str, hear: Hear) -> None:
    """Call `hear(type, data)` for events of this client's prompts and of the queue, until cancelled.

    Messages of other shapes are passed over.
    """
    while True:
        try:
            async with _Socket(
                address.socket_url(client_id),
                additional_headers=address.authorization,
                max_size=_LARGEST_EVENT,
                max_queue=_MOST_EVENTS_AHEAD,
                close_timeout=_SECONDS_TO_CLOSE,
                proxy=None if address.is_local else True,
                logger=_silent,
            ) as socket:
                async for message in socket:
                    _tell(message, hear)
                    await asyncio.sleep(0)  # a flood must not keep the others from working
        except (*_NO_EVENTS, websockets.WebSocketException):
            pass
        await asyncio.sleep(SECONDS_TO_RECONNECT)


class _Socket(websockets.connect):
    """A connection that follows no redirect: that would send the password to another server."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


# At level DEBUG, websockets logs the header with the password.
_silent = logging.Logger("brushwork.queue.websocket", logging.CRITICAL + 1)


def _tell(message: str | bytes, hear: Hear) -> None:
    if isinstance(message, bytes):
        return  # a preview
    try:
        event = decode(message.encode(errors="replace"))
    except ValueError:
        return
    if isinstance(event, dict) and isinstance(event.get("type"), str):
        data = event.get("data")
        hear(event["type"], data if isinstance(data, dict) else {})
