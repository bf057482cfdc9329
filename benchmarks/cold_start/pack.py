"""CPU seconds that ComfyUI takes to load this pack, on top of PyTorch and of itself.

    cd COMFYUI && PYTHON THIS_FILE FOLDER_OF_THE_PACK

`benchmarks.cold_start` runs this by its path with ComfyUI's Python, which need not have Brushwork installed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time


def main(pack: str) -> float:
    """CPU seconds of `load_custom_node`: import, entry point, and the schemas of all nodes."""
    sys.path.insert(0, os.getcwd())
    sys.argv = ["main.py", "--cpu"]
    # ComfyUI's own folder of this name, before a package of site-packages takes it.
    import utils.install_util  # noqa: F401
    from comfy.cli_args import args

    args.cpu = True
    # Loaded with the first pack, whichever it is.
    import comfy_config.config_parser  # noqa: F401
    from comfy_api.latest import io, ui  # noqa: F401

    import nodes

    begin = time.process_time()
    loaded = asyncio.run(nodes.load_custom_node(pack))
    seconds = time.process_time() - begin
    if not loaded:
        raise RuntimeError(f"ComfyUI could not load {pack}.")
    return seconds


if __name__ == "__main__":
    print(main(sys.argv[1]))
