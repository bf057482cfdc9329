"""One ComfyUI server: uploads, prompts, results and live events, over HTTP and a WebSocket."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

import httpx
import websockets

from ..errors import CommandError

if TYPE_CHECKING:
    from typing_extensions import Unpack

UPLOAD_FOLDER = "brushwork_queue"
# A server that is painting on the CPU may take its time to answer.
TIMEOUT = httpx.Timeout(60, connect=5)
# Previews of large pictures come over the same WebSocket and are larger than its usual limit.
_LARGEST_EVENT = 2**26
_SECONDS_TO_RECONNECT = 2.0


class RequestOptions(TypedDict, total=False):
    """The content of a request: a body as JSON, or files and fields of a form."""

    json: object
    files: Mapping[str, tuple[str, IO[bytes]]]
    data: Mapping[str, str]


class ServerDownError(Exception):
    """The server does not answer, or not as a ComfyUI server does at the moment."""


class RefusedError(Exception):
    """The server's validation refused a prompt: one sentence, and the ids of the nodes it is about."""

    def __init__(self, message: str, nodes: Collection[str]):
        super().__init__(message)
        self.nodes = frozenset(nodes)


class GoneError(Exception):
    """The server no longer has the file of a result."""


class ComfyServer:
    """Requests to the ComfyUI server at `url`. Each raises ServerDownError when there is no answer."""

    def __init__(self, url: str):
        self.url = _normalize(url)
        self.name = urlsplit(self.url).netloc
        self.client_id = uuid.uuid4().hex
        # A proxy of the environment is not for this machine.
        self._local = urlsplit(self.url).hostname in ("localhost", "127.0.0.1", "::1")
        self._http = httpx.AsyncClient(base_url=self.url, timeout=TIMEOUT, trust_env=not self._local)

    async def close(self) -> None:
        await self._http.aclose()

    async def object_info(self) -> dict[str, Any]:
        """All nodes that the server has."""
        return await self._json("GET", "/object_info")

    async def upload(self, path: Path, sha256: str) -> str:
        """Send a picture to the server's input folder; returns its name for LoadImage.

        The name is made from its content, so the server keeps one copy however often it is sent.
        """
        name = f"{sha256[:24]}{path.suffix.lower()}"
        with path.open("rb") as file:
            reply = await self._json(
                "POST", "/upload/image", files={"image": (name, file)}, data={"subfolder": UPLOAD_FOLDER}
            )
        return f"{UPLOAD_FOLDER}/{reply['name']}"

    async def submit(self, prompt: Mapping[str, Any], prompt_id: str) -> str:
        """Queue the workflow `prompt`; returns its id. Raises RefusedError if it is not valid."""
        body = {"prompt": prompt, "prompt_id": prompt_id, "client_id": self.client_id}
        reply = await self._request("POST", "/prompt", accept=(400,), json=body)
        if reply.status_code == 400:
            raise _refusal(reply.json())
        accepted: str = reply.json()["prompt_id"]
        return accepted

    async def queue(self) -> tuple[list[str], list[str]]:
        """The ids of the prompts that run and of those that wait, from any client."""
        state = await self._json("GET", "/queue")
        return [item[1] for item in state["queue_running"]], [item[1] for item in state["queue_pending"]]

    async def history(self, prompt_id: str) -> dict[str, Any] | None:
        """The history of a prompt; None if the server does not know it."""
        return (await self._json("GET", f"/history/{prompt_id}")).get(prompt_id)

    async def download(self, picture: Mapping[str, str], path: Path) -> None:
        """Fetch a result to `path`, whole or not at all. Raises GoneError if it is gone."""
        query = {key: picture.get(key, "") for key in ("filename", "subfolder", "type")}
        part = path.with_name(f".{path.name}.part")
        try:
            async with self._http.stream("GET", "/view", params=query) as reply:
                if reply.status_code == 404:
                    raise GoneError(picture["filename"])
                reply.raise_for_status()
                with part.open("wb") as file:
                    async for piece in reply.aiter_bytes():
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(part, path)
        except httpx.HTTPError as error:
            raise ServerDownError(_why(error)) from error
        finally:
            part.unlink(missing_ok=True)

    async def cancel(self, prompt_ids: Collection[str]) -> None:
        """Take these prompts out of the queue and stop them where they run; no others."""
        running, pending = await self.queue()
        if waiting := [id_ for id_ in pending if id_ in prompt_ids]:
            await self._request("POST", "/queue", json={"delete": waiting})
            running, _ = await self.queue()
        for id_ in running:
            if id_ in prompt_ids:
                await self._request("POST", "/interrupt", json={"prompt_id": id_})

    async def listen(self, hear: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Call `hear(type, data)` for events of this client's prompts and of the queue, until cancelled."""
        url = f"ws{self.url.removeprefix('http')}/ws?clientId={self.client_id}"
        while True:
            try:
                async with websockets.connect(
                    url, max_size=_LARGEST_EVENT, proxy=None if self._local else True
                ) as socket:
                    async for message in socket:
                        if isinstance(message, str):  # previews are binary
                            event = json.loads(message)
                            hear(event.get("type", ""), event.get("data") or {})
            except (OSError, ValueError, websockets.WebSocketException):
                pass  # events only save time; everything important is also asked for over HTTP
            await asyncio.sleep(_SECONDS_TO_RECONNECT)

    async def _json(self, method: str, path: str, **options: Unpack[RequestOptions]) -> dict[str, Any]:
        reply = await self._request(method, path, **options)
        try:
            answer: dict[str, Any] = reply.json()
        except ValueError as error:
            raise ServerDownError("it does not answer as a ComfyUI server does") from error
        return answer

    async def _request(
        self, method: str, path: str, accept: Collection[int] = (), **options: Unpack[RequestOptions]
    ) -> httpx.Response:
        try:
            reply = await self._http.request(method, path, **options)
            if reply.status_code not in accept:
                reply.raise_for_status()
        except httpx.HTTPError as error:
            raise ServerDownError(_why(error)) from error
        return reply


def _normalize(url: str) -> str:
    text = url if "://" in url else f"http://{url}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError(f"--server {url} is no address; give one like http://127.0.0.1:8188.")
    return text.rstrip("/")


def _why(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answers with status {error.response.status_code}"
    return str(error) or type(error).__name__


def _refusal(body: Mapping[str, Any]) -> RefusedError:
    """The reasons that the server gives, as one sentence."""
    reasons = []
    for id_, node in (body.get("node_errors") or {}).items():
        for error in node.get("errors", []):
            text = ": ".join(filter(None, (error.get("message"), error.get("details"))))
            reasons.append(f"node {id_} ({node.get('class_type')}): {text}")
    general = (body.get("error") or {}).get("message", "no reason given")
    return RefusedError("; ".join(reasons) or general, (body.get("node_errors") or {}).keys())
