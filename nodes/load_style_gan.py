"""LoadStyleGAN: a checkpoint file -> the network."""

from __future__ import annotations

from ..base.shipped import DEFAULT_CHECKPOINT
from .bridge.api import io, schema
from .shared import checkpoints
from .shared.inputs import validation_result
from .shared.sockets import GanSocket


class LoadStyleGAN(io.ComfyNode):
    """Choose the network that all other Brushwork nodes work with."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        names = checkpoints.checkpoint_names()
        default = DEFAULT_CHECKPOINT.name
        return schema(
            node_id="LoadStyleGAN",
            display_name="Load Style GAN (Brushwork)",
            category="Brushwork",
            description=(
                "Loads a Brushwork network. The default one ships with the node pack; put others into "
                "models/brushwork."
            ),
            search_aliases=["style transfer", "neural style", "art style model", "风格迁移", "brushwork"],
            inputs=[
                io.Combo.Input(
                    "checkpoint",
                    options=names,
                    default=default if default in names else None,
                    tooltip=(
                        "The network's file: what ships with Brushwork and the .safetensors files in "
                        "models/brushwork."
                    ),
                ),
            ],
            outputs=[
                GanSocket.Output(
                    "gan",
                    display_name="style_gan",
                    tooltip="The network; connect it to every other Brushwork node that asks for it.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, checkpoint: str | None = None) -> bool | str:
        return (
            True if checkpoint is None else validation_result(lambda: checkpoints.find_checkpoint(checkpoint))
        )

    @classmethod
    def fingerprint_inputs(cls, checkpoint: str) -> str:
        return repr(checkpoints.file_stamp(checkpoints.find_checkpoint(checkpoint)))

    @classmethod
    def execute(cls, checkpoint: str) -> io.NodeOutput:
        return io.NodeOutput(checkpoints.load_checkpoint(checkpoint))
