"""Two other packs in a real ComfyUI server use ids of Brushwork's nodes: the log names them.

    COMFYUI_PATH=… COMFYUI_PYTHON=… pytest -c tests/pytest.ini tests/nodes/test_clashes_in_comfyui.py

ComfyUI lists the packs of one folder in no sure order, so each of the two has a folder of its own: one is
loaded before Brushwork, one after it.
"""

from __future__ import annotations

import json

import pytest
from comfyui_server import COMFYUI, ComfyUIServer

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)

# With the two ways in which packs bring their nodes.
AUDIO_PACK = """
class Music:
    CATEGORY, RETURN_TYPES, FUNCTION = "audio", ("AUDIO",), "compose"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING",)}}

    def compose(self, text):
        return (text,)

NODE_CLASS_MAPPINGS = {"Generate": Music, "Music": Music}
"""
FACES_PACK = """
from comfy_api.latest import ComfyExtension, io

class LoadStyleGAN(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema("LoadStyleGAN", category="faces", outputs=[io.Image.Output()])

    @classmethod
    def execute(cls):
        return io.NodeOutput(None)

class Faces(ComfyExtension):
    async def get_node_list(self):
        return [LoadStyleGAN]

async def comfy_entrypoint():
    return Faces()
"""


@pytest.fixture(scope="module")
def crowded_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comfyui")
    packs = {"first/audio_pack": AUDIO_PACK, "last/faces_pack": FACES_PACK}
    for pack, code in packs.items():
        (folder / pack).mkdir(parents=True)
        (folder / pack / "__init__.py").write_text(code)
    paths = {
        "first": {"custom_nodes": str(folder / "first"), "is_default": True},
        "last": {"custom_nodes": str(folder / "last")},
    }
    config = folder / "extra_model_paths.yaml"
    config.write_text(json.dumps(paths))  # which YAML contains
    with ComfyUIServer(folder / "base", "--extra-model-paths-config", str(config)) as running:
        yield running


def owner(server, node_id):
    return server.get_json(f"/object_info/{node_id}")[node_id]["python_module"]


def warnings(server, beginning):
    return [line for line in server.log.read_text().splitlines() if beginning in line]


def test_the_log_names_the_pack_whose_node_is_replaced(crowded_server):
    assert owner(crowded_server, "Music") == "custom_nodes.audio_pack"
    assert owner(crowded_server, "Generate") == "custom_nodes.brushwork"
    (line,) = warnings(crowded_server, "Brushwork replaces nodes of other packs")
    assert "have the same id: Generate (custom_nodes.audio_pack). " in line


def test_the_log_names_the_pack_that_hides_a_node(crowded_server):
    assert owner(crowded_server, "LoadStyleGAN") == "custom_nodes.faces_pack"
    (line,) = warnings(crowded_server, "Brushwork's nodes are hidden by other packs")
    assert "use the same id: LoadStyleGAN (custom_nodes.faces_pack). " in line
