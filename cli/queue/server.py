"""One ComfyUI server: uploads, prompts and results, over HTTP; `events.py` has its live events."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import ssl
import uuid
from collections.abc import Awaitable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypedDict, TypeVar

import httpx

from ..errors import CommandError
from ..workflow.interface import InputSpec
from .address import Address
from .answers import (
    ENCODINGS,
    NOT_COMFYUI,
    BadAnswerError,
    GoneError,
    ServerDownError,
    check_encoding,
    check_status,
    decode,
    describe_failure,
    describe_status,
    read_accepted,
    read_node_list,
    read_queue,
    read_refusal,
    read_upload,
)
from .events import Hear, listen
from .history import read_entry
from .request import QueueRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from typing_extensions import Unpack

UPLOAD_FOLDER = "brushwork_queue"
# A server that is painting on the CPU may take its time to answer, but not forever.
TIMEOUT = httpx.Timeout(60, connect=5)
SECONDS_TO_ANSWER = 60.0
# /object_info of a server with all packs has some 20 MB.
LONGEST_ANSWER = 2**26


T = TypeVar("T")


@dataclass(frozen=True)
class Bounds:
    """How much time an upload or a download may take, and how many bytes a result may have."""

    seconds: float = QueueRequest.transfer_timeout
    size: int = int(QueueRequest.max_download_size * 2**20)


class RequestOptions(TypedDict, total=False):
    """The content of a request: a body, or files and fields of a form."""

    content: bytes
    headers: Mapping[str, str]
    files: Mapping[str, tuple[str, IO[bytes]]]
    data: Mapping[str, str]
    params: Mapping[str, str]


class ComfyServer:
    """Requests to the ComfyUI server at an address. Each raises ServerDownError when there is no answer."""

    def __init__(self, address: Address, bounds: Bounds | None = None):
        self.address = address
        self.bounds = bounds or Bounds()
        self.name = address.name
        self.client_id = uuid.uuid4().hex
        # httpx would log the address of each request, with its tokens.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        try:
            self._http = httpx.AsyncClient(
                base_url=address.url,
                params=address.query,
                headers={**address.authorization, "Accept-Encoding": ", ".join(ENCODINGS)},
                timeout=TIMEOUT,
                verify=_certificates(),
                trust_env=not address.is_local,
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise CommandError(
                f"{self.name} cannot be asked: a proxy in the environment (HTTP_PROXY and the like) has no "
                "address that works; mend it, or add the server to NO_PROXY."
            ) from error

    async def close(self) -> None:
        await self._http.aclose()

    async def object_info(self) -> dict[str, dict[str, InputSpec]]:
        """The inputs of all nodes that the server has."""
        return read_node_list(await self._json("GET", "/object_info"))

    async def upload(self, path: Path, sha256: str) -> str:
        """Send a picture to the server's input folder; returns its name for LoadImage.

        The name is made from its content, so the server keeps one copy however often it is sent.
        Raises RejectedError and BadAnswerError.
        """
        name = f"{sha256[:24]}{path.suffix.lower() if path.suffix.isascii() else ''}"
        with path.open("rb") as file:
            form: RequestOptions = {"files": {"image": (name, file)}, "data": {"subfolder": UPLOAD_FOLDER}}
            status, body = await self._request("POST", "/upload/image", self.bounds.seconds, **form)
        check_status(status, body, path.stat().st_size)
        return f"{UPLOAD_FOLDER}/{read_upload(_decoded(body))}"

    async def submit(self, prompt: Mapping[str, Any], prompt_id: str) -> str:
        """Queue the workflow `prompt`; returns its id, which old servers choose themselves.

        Raises RefusedError if it is not valid, RejectedError and BadAnswerError.
        """
        content = json.dumps({"prompt": prompt, "prompt_id": prompt_id, "client_id": self.client_id}).encode()
        headers = {"Content-Type": "application/json"}
        status, body = await self._request("POST", "/prompt", content=content, headers=headers)
        if status == 400:
            raise read_refusal(body)
        check_status(status, body, len(content))
        return read_accepted(_decoded(body))

    async def queue(self) -> tuple[list[str], list[str]]:
        """The ids of the prompts that run and of those that wait, from any client."""
        return read_queue(await self._json("GET", "/queue"))

    async def history(self, prompt_id: str) -> Mapping[str, Any] | None:
        """The history of a prompt; None if the server does not know it. Raises BadAnswerError."""
        status, body = await self._request("GET", f"/history/{prompt_id}")
        if status != 200:
            raise BadAnswerError(describe_status(status))
        return read_entry(_decoded(body), prompt_id)

    async def download(self, picture: Mapping[str, str], path: Path) -> str:
        """Fetch a result to `path` and return its Content-Type.

        Raises GoneError if it is gone, RejectedError, BadAnswerError, and OSError if it cannot be written.
        """
        query = {key: picture.get(key, "") for key in ("filename", "subfolder", "type")}

        async def fetch() -> str:
            async with self._reply("GET", "/view", params=query) as reply:
                if reply.status_code == 404:
                    raise GoneError(picture["filename"])
                if reply.status_code != 200:
                    check_status(reply.status_code, b"")
                    raise BadAnswerError(describe_status(reply.status_code))
                with path.open("wb") as file:
                    async for piece in _pieces(reply, self.bounds.size):
                        file.write(piece)
                return str(reply.headers.get("Content-Type", ""))

        return await _within(self.bounds.seconds, fetch())

    async def cancel(self, prompt_ids: Collection[str]) -> None:
        """Take these prompts out of the queue and stop them where they run; no others."""
        running, pending = await self.queue()
        if waiting := [id_ for id_ in pending if id_ in prompt_ids]:
            await self._post("/queue", {"delete": waiting})
            running, _ = await self.queue()
        for id_ in running:
            if id_ in prompt_ids:
                await self._post("/interrupt", {"prompt_id": id_})

    async def listen(self, hear: Hear) -> None:
        """Call `hear(type, data)` for events of this client's prompts and of the queue, until cancelled."""
        await listen(self.address, self.client_id, hear)

    async def _json(self, method: str, path: str) -> object:
        """The answer to a question about the server. Raises ServerDownError for any other answer."""
        try:
            status, body = await self._request(method, path)
            if status != 200:
                raise ServerDownError(describe_status(status))
            return _decoded(body)
        except BadAnswerError as error:
            raise ServerDownError(str(error)) from error

    async def _post(self, path: str, value: object) -> None:
        headers = {"Content-Type": "application/json"}
        try:
            status, _ = await self._request("POST", path, content=json.dumps(value).encode(), headers=headers)
            if not 200 <= status < 300:
                raise ServerDownError(describe_status(status))
        except BadAnswerError as error:
            raise ServerDownError(str(error)) from error

    async def _request(
        self, method: str, path: str, seconds: float | None = None, **options: Unpack[RequestOptions]
    ) -> tuple[int, bytes]:
        """Status and body of the answer. Raises BadAnswerError if it is too long or takes too long."""

        async def ask() -> tuple[int, bytes]:
            async with self._reply(method, path, **options) as reply:
                return reply.status_code, b"".join([piece async for piece in _pieces(reply, LONGEST_ANSWER)])

        return await _within(seconds or SECONDS_TO_ANSWER, ask())

    @asynccontextmanager
    async def _reply(
        self, method: str, path: str, **options: Unpack[RequestOptions]
    ) -> AsyncIterator[httpx.Response]:
        try:
            async with self._http.stream(method, path, **options) as reply:
                check_encoding(reply.headers.get("Content-Encoding", ""))
                yield reply
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            said = self.address.without_secrets(str(error)) or type(error).__name__
            raise ServerDownError(describe_failure(said, self.address.is_encrypted)) from error


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Read once for all servers: it takes longer than a request. Raises CommandError, one sentence."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise CommandError(
            "The certificates that the environment variable SSL_CERT_FILE or SSL_CERT_DIR names cannot be "
            f"read ({error.strerror or error}); mend it, or unset it."
        ) from error


async def _pieces(reply: httpx.Response, longest: int) -> AsyncIterator[bytes]:
    """The decoded body, piece by piece. Raises BadAnswerError once it has more than `longest` bytes."""
    length = 0
    async for piece in reply.aiter_bytes():
        length += len(piece)
        if length > longest:
            raise BadAnswerError(f"its answer is longer than {longest / 2**20:.0f} MB")
        yield piece


async def _within(seconds: float, answer: Awaitable[T]) -> T:
    try:
        return await asyncio.wait_for(answer, seconds)
    except asyncio.TimeoutError as error:
        raise BadAnswerError(f"it does not finish its answer within {seconds:.0f} s") from error


def _decoded(body: bytes) -> object:
    """The JSON of an answer about a job. Raises BadAnswerError."""
    try:
        return decode(body)
    except ValueError as error:
        raise BadAnswerError(NOT_COMFYUI) from error
