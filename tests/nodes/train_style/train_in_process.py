"""Run by test_train_style_in_comfyui.py: ComfyUI's own executor in this process, with nobody watching.

    python train_in_process.py BASE PROMPTS.json RESULTS.json

BASE is a base folder with this pack in custom_nodes. Executes the prompts one after the other with one
cache, as the queue does, and writes what each came to, and what was left behind in the end.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import os
import sys
from pathlib import Path


def main(base: Path, prompts: Path, results: Path) -> None:
    sys.path.insert(0, os.environ["COMFYUI_PATH"])
    from comfy.cli_args import args

    args.cpu, args.base_directory = True, str(base)
    importlib.import_module("utils.extra_config")  # first: `nodes` puts another `utils` on the path
    nodes, execution, server = map(importlib.import_module, ("nodes", "execution", "server"))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    prompt_server = server.PromptServer(loop)
    loop.run_until_complete(nodes.init_extra_nodes(init_custom_nodes=True, init_api_nodes=False))
    # As main.py makes it: newer versions break after the first node with their own default, None.
    newer = "cache_args" in inspect.signature(execution.PromptExecutor).parameters
    cache = {"cache_args": {"lru": args.cache_lru, "ram": args.cache_ram}} if newer else {}
    executor = execution.PromptExecutor(prompt_server, **cache)
    report = {"runs": [run(executor, prompt) for prompt in json.loads(prompts.read_text())]}
    report["left_behind"] = left_behind()
    results.write_text(json.dumps(report))


def run(executor, prompt: dict) -> dict:
    outputs = [id_ for id_, node in prompt.items() if node["class_type"] in ENDS]
    executor.execute(prompt, "in-process", {}, outputs)
    messages = dict(executor.status_messages)
    return {
        "success": executor.success,
        "error": messages.get("execution_error", {}).get("exception_message"),
        "outputs": executor.history_result["outputs"],
    }


def left_behind() -> dict:
    """Live objects of a training, and networks with gradients, hooks or in training mode."""
    gc.collect()
    # By name: the pack is loaded as a module of its own, which this script does not import.
    objects = [o for o in gc.get_objects() if "custom_nodes/brushwork" in str(type(o).__module__)]
    names = [type(o).__name__ for o in objects]
    networks = [o for o in objects if type(o).__name__ == "StyleGAN"]
    parameters = [p for network in networks for p in network.parameters()]
    modules = [m for network in networks for m in network.modules()]
    return {
        "trainers": names.count("Trainer"),
        "loss_networks": names.count("LossNetwork"),
        "discriminators": names.count("Discriminator"),
        "networks": len(networks),
        "gradients": sum(p.requires_grad or p.grad is not None for p in parameters),
        "hooks": sum(bool(m._forward_hooks or m._backward_hooks or m._forward_pre_hooks) for m in modules),
        "training": sum(m.training for m in modules),
    }


ENDS = ("SaveImage", "TrainStyle", "LossGraphNode")

if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
