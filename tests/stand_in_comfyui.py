"""A ComfyUI server that paints at once, and any number of servers that differ from it; on 127.0.0.1.

`StandInServer` serves all of them from one port: `url("good")` paints, `url("prompt: 502")` answers like the
case of that name. A case replaces what one endpoint says; the others stay those of the good server.
"""

from __future__ import annotations

import asyncio
import functools
import io
import ssl
import struct
import threading
import zlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import WSMsgType, web
from PIL import Image

Answer = Callable[[web.Request, "PaintedPrompts"], Awaitable[web.StreamResponse]]

OBJECT_INFO = {
    "LoadImage": {"input": {"required": {"image": [["example.png"], {"image_upload": True}]}}},
    "SaveImage": {"input": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING", {}]}}},
    "SaveVideo": {"input": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING", {}]}}},
}
WORKFLOW = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}, "_meta": {"title": "Photo"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "painted"}},
}


def picture_bytes(kind: str = "PNG", side: int = 8, **options: Any) -> bytes:
    data = io.BytesIO()
    Image.effect_noise((side, side), 50).convert("RGB").save(data, kind, **options)
    return data.getvalue()


@functools.cache
def png_bomb(side: int = 30_000) -> bytes:
    """A whole PNG of a few hundred kB and `side` x `side` pixels of one bit. To make it takes a second."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class PaintedPrompts:
    """What one server knows: its uploads, and the prompts that it painted."""

    def __init__(self) -> None:
        self.prompts: dict[str, dict[str, Any]] = {}
        self.requests: Counter[str] = Counter()
        self.headers: list[Mapping[str, str]] = []

    def entry(self, id_: str) -> dict[str, Any]:
        """A prompt's entry in the history: one picture for each node that saves."""
        outputs = {}
        for node, value in self.prompts[id_].items():
            if value["class_type"].startswith("Save"):
                ending = "mp4" if value["class_type"] == "SaveVideo" else "png"
                name = f"{value['inputs']['filename_prefix']}_00001_.{ending}"
                outputs[node] = {"images": [{"filename": name, "subfolder": "", "type": "output"}]}
        return {"prompt": [], "outputs": outputs, "status": {"status_str": "success", "messages": []}}


# --- the good server ---------------------------------------------------------------------------------------


async def object_info(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    return web.json_response(OBJECT_INFO)


async def upload(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    name = ""
    async for part in await request.multipart():
        if part.name == "image":  # type: ignore[union-attr]
            name = part.filename or ""  # type: ignore[union-attr]
        await part.read()  # type: ignore[union-attr]
    return web.json_response({"name": name, "subfolder": "brushwork_queue", "type": "input"})


async def prompt(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    body = await request.json()
    state.prompts[body["prompt_id"]] = body["prompt"]
    return web.json_response({"prompt_id": body["prompt_id"], "number": 0, "node_errors": {}})


async def queue(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    return web.json_response({"queue_running": [], "queue_pending": []})


async def history(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    id_ = request.match_info["id"]
    return web.json_response({id_: state.entry(id_)} if id_ in state.prompts else {})


async def view(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    if request.query["filename"].endswith(".mp4"):
        return web.Response(body=b"\x00\x00\x00\x18ftypmp42" + bytes(40), content_type="video/mp4")
    return web.Response(body=picture_bytes(), content_type="image/png")


async def websocket(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            break
    return socket


GOOD: dict[str, Answer] = {
    "object_info": object_info, "upload": upload, "prompt": prompt, "queue": queue, "history": history,
    "view": view, "ws": websocket,
}  # fmt: skip


class StandInServer:
    """All servers, in a thread of their own; a context manager."""

    def __init__(
        self,
        cases: Mapping[str, Mapping[str, Answer]],
        host: str = "127.0.0.1",
        secure: ssl.SSLContext | None = None,
    ):
        self.cases = dict(cases)
        self._host, self._secure = host, secure
        self.states: dict[str, PaintedPrompts] = defaultdict(PaintedPrompts)
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._answering: set[asyncio.Task[Any]] = set()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def url(self, case: str, user: str = "") -> str:
        """The address of the server that answers as `case` says; 'good' for one that answers well.

        `user` is a name, or a name, a colon and a password.
        """
        scheme = "https" if self._secure else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{f'{user}@' if user else ''}{host}:{self.port}/{quote(case, safe='')}"

    def hang_up(self) -> None:
        """End all answers that are still being given.

        What a client left open would be flooded on and on, and cost the next tests their time.
        """
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._answering])

    def __enter__(self) -> StandInServer:
        self._thread.start()
        assert self._up.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=2**30)
        for method, path, endpoint in (
            ("GET", "/object_info", "object_info"), ("POST", "/upload/image", "upload"),
            ("POST", "/prompt", "prompt"),
            ("GET", "/queue", "queue"), ("POST", "/queue", "queue"), ("POST", "/interrupt", "queue"),
            ("GET", "/history/{id}", "history"), ("GET", "/view", "view"), ("GET", "/ws", "ws"),
        ):  # fmt: skip
            app.router.add_route(method, "/{case}" + path, self._answer(endpoint))
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1, access_log=None)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, self._host, 0, ssl_context=self._secure)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._up.set()
        self._loop.run_forever()
        # Those that never answer, too.
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(runner.cleanup(), *tasks, return_exceptions=True))
        self._loop.close()

    def _answer(self, endpoint: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            case = request.match_info["case"]
            state = self.states[case]
            state.requests[endpoint] += 1
            state.headers.append({"path": str(request.rel_url), **request.headers})
            answers = GOOD if case.startswith("good") else GOOD | dict(self.cases[case])
            task = asyncio.current_task()
            assert task is not None
            self._answering.add(task)
            try:
                return await answers[endpoint](request, state)
            finally:
                self._answering.discard(task)

        return answer
