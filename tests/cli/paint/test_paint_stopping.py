"""`brushwork paint`, stopped by Ctrl-C in a terminal."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

import pytest
from painted_files import files

pytestmark = pytest.mark.usefixtures("slim_loss_network")


def until(terminal, text, seconds=300):
    """What a program writes to a terminal until `text` comes, or until it ends."""
    seen, deadline = b"", time.monotonic() + seconds
    while text not in seen:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{text!r} did not come within {seconds} s, only {seen[-500:]!r}"
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # how Linux says that nobody writes any more
            break
    return seen


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal and SIGINT")
def test_ctrl_c_stops_with_nothing_half_left(pictures):
    hide = "sys.modules['rich'] = None"
    code = f"import sys; {hide}; from brushwork.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "paint", "photo.png", "--style", "painting.png", "--out", "o.png"]
    command += ["--refine", "draft", "--steps"]
    terminal, end = os.openpty()
    process = subprocess.Popen([*command, "100000"], cwd=pictures, stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    try:
        seen = until(terminal, b", step")
        process.send_signal(signal.SIGINT)
        seen += until(terminal, b"stopping after what is under way")
        seen += until(terminal, b"paint: stopped.")
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(terminal)
    assert (process.returncode, out) == (130, b"")
    assert b"1 of 1: o.png, step 1 of 100000, " in seen
    assert b"0 of 1 picture is done; the same command goes on from there." in seen
    assert files(pictures) == ["painting.png", "photo.png"]
