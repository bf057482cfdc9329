"""What no ComfyUI server says: CASES, by endpoint and name, for `StandInServer`."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from stand_in_comfyui import OBJECT_INFO, Answer, PaintedPrompts, picture_bytes, png_bomb

# --- other answers -----------------------------------------------------------------------------------------


def says(body: str | bytes, status: int = 200, kind: str = "text/html", **headers: str) -> Answer:
    async def answer(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
        data = body.encode() if isinstance(body, str) else body
        return web.Response(body=data, status=status, headers={"Content-Type": kind, **headers})

    return answer


async def bomb(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    return web.Response(body=png_bomb(), headers={"Content-Type": "image/png"})


def says_json(value: Any, status: int = 200) -> Answer:
    return says(json.dumps(value), status, "application/json")


def about_prompt(change: Callable[[str, dict[str, Any]], Any]) -> Answer:
    """The history with the prompt's entry changed: `change` gets its id and the entry, and gives the body."""

    async def answer(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
        id_ = request.match_info["id"]
        return web.json_response(change(id_, state.entry(id_)) if id_ in state.prompts else {})

    return answer


def entry(**fields: Any) -> Answer:
    return about_prompt(lambda id_, whole: {id_: whole | fields})


def image(value: Any) -> Answer:
    return entry(outputs={"2": {"images": [value]}})


def failed(*messages: Any) -> Answer:
    return entry(outputs={}, status={"status_str": "error", "messages": list(messages)})


async def closed(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    """The connection ends before the answer begins."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def cut(body: bytes, kind: str = "application/json") -> Answer:
    """The connection ends in the middle of the answer."""

    async def answer(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": kind, "Content-Length": str(len(body) * 2)})
        await reply.prepare(request)
        await reply.write(body)
        assert request.transport is not None
        request.transport.abort()
        return reply

    return answer


def endless(piece: bytes, seconds: float, head: bytes = b"") -> Answer:
    """Piece after piece, forever: slowly, or as fast as the client takes them."""

    async def answer(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await reply.prepare(request)
        try:
            await reply.write(head)
            while True:
                await reply.write(piece)
                await asyncio.sleep(seconds)
        except (ConnectionError, asyncio.CancelledError):
            return reply

    return answer


async def silent(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    await asyncio.sleep(3600)
    return web.Response()


def events(*messages: str | bytes, forever: bool = False) -> Answer:
    """A WebSocket that sends these, and then waits or sends them again and again."""

    async def answer(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        try:
            while True:
                for message in messages:
                    id_ = next(reversed(state.prompts), "")
                    if isinstance(message, str):
                        await socket.send_str(message.replace("PROMPT_ID", id_))
                    else:
                        await socket.send_bytes(message)
                if not forever:
                    break
                await asyncio.sleep(0)
            async for _ in socket:
                pass
        except (ConnectionError, RuntimeError):
            pass
        return socket

    return answer


async def other_id(request: web.Request, state: PaintedPrompts) -> web.StreamResponse:
    """As servers before ComfyUI 0.3.46: they choose the id."""
    body = await request.json()
    state.prompts["0" + body["prompt_id"][1:]] = body["prompt"]
    return web.json_response({"prompt_id": "0" + body["prompt_id"][1:], "number": 0, "node_errors": {}})


LOGIN = "<!DOCTYPE html><html><title>Sign in</title><form method=post>user <input name=user></form></html>"
DEEP = "[" * 100_000 + "]" * 100_000
HUGE = '{"a": ' + "9" * 10_000 + "}"
LONG = "x" * 300
_BROKEN_GZIP = gzip.compress(b"{}" * 99)[:-12] + b"?" * 12

# Whatever an endpoint that answers in JSON may say instead.
_JSON_PAGES: dict[str, Answer] = {
    "login page": says(LOGIN),
    "login page, status 403": says(LOGIN, 403),
    "redirect": says("", 302, Location="https://login.example/?next=/"),
    "401": says("login please", 401, **{"WWW-Authenticate": "Basic"}),
    "404": says("404: Not Found", 404, "text/plain"),
    "429": says("slow down", 429, "text/plain"),
    "500": says("500 Internal Server Error", 500, "text/plain"),
    "502": says("<html>nginx</html>", 502),
    "empty": says("", kind="application/json"),
    "null": says_json(None),
    "list": says_json([1, 2]),
    "text": says_json("ok"),
    "number": says_json(5),
    "empty object": says_json({}),
    "nested deeply": says(DEEP, kind="application/json"),
    "huge number": says(HUGE, kind="application/json"),
    "NaN": says("NaN", kind="application/json"),
    "byte order mark": says(b"\xef\xbb\xbf[]", kind="application/json"),
    "not UTF-8": says(b'{"a": "\xff\xfe"}', kind="application/json"),
    "unknown charset": says(b"{}", kind="application/json; charset=klingon"),
    "broken gzip": says(_BROKEN_GZIP, kind="application/json", **{"Content-Encoding": "gzip"}),
    "gzip in gzip": says(
        gzip.compress(gzip.compress(b" " * 2**22)), kind="image/png", **{"Content-Encoding": "gzip, gzip"}
    ),
    "unknown encoding": says(b"{}", kind="application/json", **{"Content-Encoding": "klingon"}),
    "closed": closed,
    "cut": cut(b'{"a": '),
    "drips": endless(b" ", 0.05),
    "floods": endless(b" " * 2**20, 0),
    "silent": silent,
}  # fmt: skip

CASES: dict[str, dict[str, Answer]] = {
    f"{endpoint}: {name}": {endpoint: answer}
    for endpoint in ("object_info", "upload", "prompt", "queue", "history")
    for name, answer in _JSON_PAGES.items()
}


def _add(endpoint: str, cases: Mapping[str, Answer]) -> None:
    CASES.update({f"{endpoint}: {name}": {endpoint: answer} for name, answer in cases.items()})


def _node(value: Any) -> Answer:
    return says_json({"LoadImage": value})


_add(
    "object_info",
    {
        "entries of other shapes": says_json({"a": None, "b": [], "c": 1, "d": {"input": []}} | OBJECT_INFO),
        "the loader is null": says_json(OBJECT_INFO | {"LoadImage": None}),
        "the loader has no input": says_json(OBJECT_INFO | {"LoadImage": {}}),
        "groups of other shapes": says_json(OBJECT_INFO | {"X": {"input": {"required": [], "optional": 3}}}),
        "an input is empty": says_json(OBJECT_INFO | {"X": {"input": {"required": {"a": []}}}}),
        "an input is null": says_json(OBJECT_INFO | {"X": {"input": {"required": {"a": None}}}}),
        "a type is null": says_json(OBJECT_INFO | {"X": {"input": {"required": {"a": [None]}}}}),
        "a type is an object": says_json(OBJECT_INFO | {"X": {"input": {"required": {"a": [{"b": 1}]}}}}),
        "options of another shape": says_json(
            OBJECT_INFO | {"X": {"input": {"required": {"a": ["INT", 5]}}}}
        ),
        "choices of another shape": says_json(
            OBJECT_INFO | {"X": {"input": {"required": {"a": ["COMBO", {"options": 5}]}}}}
        ),
    },
)
_NAMES = {
    "a number": 5, "null": None, "empty": "", "up": "../../x.png", "up on Windows": "..\\x.png",
    "absolute": "/etc/passwd", "drive": "C:\\x.png", "device": "CON", "long": LONG + ".png",
    "a surrogate": "\ud800.png", "a null": "a\0.png", "dots": "..", "lines": "a\n\x1b[2Jb.png",
    "a list": ["a"],
}  # fmt: skip
_add("upload", {f"a name that is {name}": says_json({"name": value}) for name, value in _NAMES.items()})
_add(
    "upload",
    {
        "413": says("Maximum request body size 1 exceeded", 413, "text/plain"),
        "400": says("", 400),
        "507": says("no space", 507),
    },
)
_add(
    "prompt",
    {
        "400 of a proxy": says("<html>nginx</html>", 400),
        "413": says("<html>nginx</html>", 413),
        "400, a list": says_json([1], 400),
        "400, null": says_json(None, 400),
        "400, the error is a text": says_json({"error": "no", "node_errors": []}, 400),
        "400, node_errors is a list": says_json({"error": {"message": "no"}, "node_errors": ["1"]}, 400),
        "400, errors are texts": says_json({"error": {}, "node_errors": {"1": {"errors": ["no"]}}}, 400),
        "400, a node is null": says_json({"error": {}, "node_errors": {"1": None}}, 400),
        "400, errors is null": says_json({"error": {}, "node_errors": {"1": {"errors": None}}}, 400),
        "400, messages are numbers": says_json(
            {"error": {"message": 5}, "node_errors": {"1": {"errors": [{"message": 5, "details": [1]}]}}}, 400
        ),
        "the id is a number": says_json({"prompt_id": 5}),
        "the id is a list": says_json({"prompt_id": ["a"]}),
        "the id is another": other_id,  # type: ignore[dict-item]
        "400, the workflow": says_json(
            {
                "error": {"message": "Prompt outputs failed validation"},
                "node_errors": {
                    "2": {"class_type": "SaveImage", "errors": [{"message": "bad", "details": "x"}]}
                },
            },
            400,
        ),
    },
)
_add(
    "queue",
    {
        "running is null": says_json({"queue_running": None, "queue_pending": []}),
        "items are numbers": says_json({"queue_running": [1, 2], "queue_pending": [3]}),
        "items are short": says_json({"queue_running": [[]], "queue_pending": [[1]]}),
        "ids are lists": says_json({"queue_running": [[0, ["a"]]], "queue_pending": [[0, {}]]}),
        "running is an object": says_json({"queue_running": {"a": 1}, "queue_pending": {}}),
    },
)
_add(
    "history",
    {
        "the entry is null": about_prompt(lambda id_, whole: {id_: None}),
        "the entry is a list": about_prompt(lambda id_, whole: {id_: [1]}),
        "the entry is empty": about_prompt(lambda id_, whole: {id_: {}}),
        "outputs is null": entry(outputs=None),
        "outputs is a list": entry(outputs=[1]),
        "an output is null": entry(outputs={"2": None}),
        "an output is a list": entry(outputs={"2": [1]}),
        "images is null": entry(outputs={"2": {"images": None}}),
        "images is a text": entry(outputs={"2": {"images": "abc"}}),
        "an image is a text": image("a.png"),
        "an image is null": image(None),
        "an image has no name": image({"type": "output"}),
        "status is null": entry(status=None),
        "status is a list": entry(status=[1]),
        "status is a text": entry(status="success"),
        "messages is a number": entry(status={"status_str": "success", "messages": 5}),
        "messages of other shapes": entry(
            status={"status_str": "success", "messages": [1, "ab", [], [[1], 2]]}
        ),
        "a time is NaN": entry(
            status={
                "status_str": "success",
                "messages": [
                    ["execution_start", {"timestamp": float("nan")}],
                    ["execution_success", {"timestamp": 1}],
                ],
            }
        ),
        "an error without a reason": failed(),
        "an error that is null": failed(["execution_error", None]),
        "an error that is a text": failed(["execution_error", "no"]),
        "an error of other shapes": failed(["execution_error", {"exception_message": [1], "node_type": {}}]),
        "an error of a million letters": failed(["execution_error", {"exception_message": "e" * 10**6}]),
        "an error with control characters": failed(
            ["execution_error", {"exception_message": "\x1b[2J\x07\u202egood", "node_type": "\ud800"}]
        ),
        "no entry, ever": says_json({}),
        **{
            f"a file whose name is {name}": image({"filename": value, "subfolder": "", "type": "output"})
            for name, value in _NAMES.items()
        },
        "a folder of another shape": image({"filename": "a.png", "subfolder": [1], "type": "output"}),
        "a program": image({"filename": "a.exe", "subfolder": "", "type": "output"}),
    },
)
_add(
    "view", {name: _JSON_PAGES[name] for name in _JSON_PAGES if name not in ("byte order mark", "not UTF-8")}
)
_add(
    "view",
    {
        "login page as a picture": says(LOGIN, kind="image/png"),
        "a cut PNG": says(picture_bytes(side=64)[:900], kind="image/png"),
        "a PNG of noise": says(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, kind="image/png"),
        "a PNG with a broken row": says(
            (lambda data: data[:500] + b"\xff" * 40 + data[540:])(picture_bytes(side=64)), kind="image/png"
        ),
        "a bomb": bomb,
        "PostScript": says(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", kind="image/png"),
        "a program": says(b"MZ" + bytes(200), kind="image/png"),
        "cut in the middle": cut(picture_bytes(side=64), "image/png"),
        "floods with a picture": endless(bytes(2**20), 0, picture_bytes()),
        "drips after a picture": endless(b"\0", 0.05, picture_bytes()),
        "a JPEG": says(picture_bytes("JPEG"), kind="image/png"),
        "a WebP": says(picture_bytes("WEBP"), kind="image/png"),
    },
)
_EVENTS = ["null", "5", '"a"', "[1]", "{}", "[[", "", DEEP, HUGE, '{"type": 5, "data": 5}', '{"type": ["a"]}']
_DATA = [None, 5, [1], "a", {"prompt_id": [1]}, {"prompt_id": {}}]
_DATA += [
    {"prompt_id": "PROMPT_ID"} | rest
    for rest in (
        {"node": [1]},
        {"node": {}},
        {"node": "2", "value": "\x1b[2J" * 99},
        {"value": {}, "max": None},
    )
]
_KINDS = ("executing", "progress", "status", "execution_error", "execution_start")
_EVENTS += [json.dumps({"type": kind, "data": data}) for kind in _KINDS for data in _DATA]
_add(
    "ws",
    {
        "events of other shapes": events(*_EVENTS),
        "binary frames": events(b"", b"\x00\x00\x00\x01", bytes(range(256)) * 99),
        "a frame of 20 MB": events(bytes(20 * 2**20)),
        "a flood": events('{"type": "status", "data": {}}', forever=True),
        "a flood of strange events": events(*(_EVENTS[:4] + _EVENTS[11:]), forever=True),
        "no socket": says("404", 404),
        "login page": says(LOGIN),
        "redirect": says("", 302, Location="http://127.0.0.1:9/"),
        "closed": closed,
        "silent": silent,
        "cut": cut(b"x" * 99),
    },
)
