"""A real ComfyUI server with this pack in it, for tests, benchmarks/queue_servers.py and
scripts/workflow_thumbnails.py.

COMFYUI_PATH is a checkout; COMFYUI_PYTHON the interpreter that has its requirements, by default this one.
"""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import brushwork

COMFYUI = os.environ.get("COMFYUI_PATH")
START_SECONDS, RUN_SECONDS = 240, 120


class ComfyUIServer:
    """A server on 127.0.0.1 with its own base folder, and the few requests that the tests make.

    As a context manager it is up inside.
    """

    def __init__(self, base: Path, *options: str):
        self.base, self.log, self.options = base, base / "server.log", options
        for folder in ("custom_nodes", "input", "output", "temp", "user", "models/brushwork"):
            (base / folder).mkdir(parents=True)
        (base / "custom_nodes" / "brushwork").symlink_to(Path(brushwork.__file__).resolve().parent)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ComfyUIServer:
        self.start()
        try:
            self.wait_until_up()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to start; `wait_until_up` says when it is there."""
        command = [
            os.environ.get("COMFYUI_PYTHON", sys.executable), "main.py", "--cpu", "--listen", "127.0.0.1",
            "--port", str(self.port), "--base-directory", str(self.base), "--database-url",
            "sqlite:///:memory:", "--disable-api-nodes", "--disable-auto-launch", *self.options,
        ]  # fmt: skip
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
        with self.log.open("a") as sink:
            self._process = subprocess.Popen(command, cwd=COMFYUI, env=environment, stdout=sink, stderr=sink)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's, once it was started."""
        assert self._process is not None, "start() it first"
        return self._process

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.get("/queue")
                return
            except (URLError, ConnectionError):
                assert self.process.poll() is None, f"ComfyUI did not start:\n{self.tail()}"
                assert time.monotonic() < deadline, f"ComfyUI is not up:\n{self.tail()}"
                time.sleep(0.5)

    def kill(self) -> None:
        """As kill -9 does."""
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def tail(self) -> str:
        return self.log.read_text()[-3000:]

    def get(self, path: str) -> bytes:
        with urlopen(self.url + path, timeout=30) as reply:
            data: bytes = reply.read()
            return data

    def get_json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(self, path: str, data: bytes, content_type: str = "application/json") -> Any:
        request = Request(self.url + path, data=data, headers={"Content-Type": content_type})
        with urlopen(request, timeout=30) as reply:
            return json.loads(reply.read() or b"null")  # /interrupt answers with nothing

    def upload(self, file: Path) -> None:
        boundary = uuid.uuid4().hex
        disposition = f'Content-Disposition: form-data; name="image"; filename="{file.name}"'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: image/jpeg\r\n\r\n"
        body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        self.post("/upload/image", body, f"multipart/form-data; boundary={boundary}")

    def queue(self, workflow: dict[str, Any], seconds: float = RUN_SECONDS) -> dict[str, Any]:
        """Run `workflow` to its end, in `seconds` at most, and return its entry in the history."""
        id_ = self.post("/prompt", json.dumps({"prompt": workflow}).encode())["prompt_id"]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            history = self.get_json(f"/history/{id_}")
            if id_ in history:
                entry: dict[str, Any] = history[id_]
                return entry
            time.sleep(0.2)
        raise AssertionError(f"no result within {seconds} s; log:\n{self.tail()}")

    def pictures(self, entry: dict[str, Any]) -> Iterator[NDArray[np.int64]]:
        for output in entry["outputs"].values():
            for image in output.get("images", []):
                yield np.asarray(Image.open(io.BytesIO(self.get("/view?" + urlencode(image))))).astype(int)
