"""TrainStyle: pictures of one style -> a network, or a style, that paints like them."""

from __future__ import annotations

from torch import Tensor

from ...training.options import DEFAULT_MODE, TrainOptions
from ..bridge import api
from ..bridge.api import io, schema
from ..bridge.progress import preview, show_text
from ..shared.checkpoints import connected_or_default
from ..shared.folders import check_folders, fingerprint_folders, named_folder
from ..shared.images import from_pil
from ..shared.inputs import validation_result
from ..shared.sockets import GanSocket, ManagedGAN, Style, StyleSocket
from .inputs import SAVE_NAME, chosen_options, photos_from, pictures_from, training_inputs


class TrainStyle(io.ComfyNode):
    """Teach the network a style of your own."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="TrainStyle",
            display_name="Train Style (Brushwork)",
            category="Brushwork",
            description=(
                "Trains on your own pictures of one style, 5 to 200 of them. The network that goes in stays "
                "as it is; the trained one is saved in models/brushwork and the learned style in "
                "models/brushwork_styles. Cancel keeps everything; queue again to continue."
            ),
            search_aliases=[
                "train",
                "fine-tune",
                "finetune",
                "learn style",
                "style transfer",
                "风格迁移",
                "brushwork",
            ],
            is_output_node=True,
            inputs=training_inputs(),
            outputs=[
                GanSocket.Output(
                    "gan",
                    display_name="style_gan",
                    tooltip="The network with the best validation score. For style_code it is the one "
                    "that went in.",
                ),
                StyleSocket.Output(
                    "code",
                    display_name="style",
                    tooltip="The learned style, for Generate or Save Style; from_scratch: the mean one.",
                ),
                io.LossMap.Output(
                    "loss",
                    display_name="loss",
                    tooltip="The total loss over time, smoothed, for ComfyUI's Plot Loss Graph.",
                ),
                io.Image.Output(
                    "sheet",
                    display_name="sheet",
                    tooltip="One photo painted at up to six times of the training, and the loss curves.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, style_folder: str | None = None) -> bool | str:
        # ComfyUI marks every input that is named here, so execute checks the others.
        return validation_result(lambda: check_folders(style_folder))

    @classmethod
    def fingerprint_inputs(cls, style_folder: str = "", content_folder: str = "", **others: object) -> str:
        """Changes when a folder does."""
        return fingerprint_folders(style_folder, content_folder)

    @classmethod
    def execute(
        cls,
        style_gan: ManagedGAN | None = None,
        style_folder: str = "",
        content_folder: str = "",
        mode: str = DEFAULT_MODE,
        adversarial_loss: str = TrainOptions.adversarial,
        seed: int = TrainOptions.seed,
        validation_share: float = TrainOptions.validation_share,
        save_name: str = SAVE_NAME,
        resume: bool = True,
        preview_every: int = 0,
        licence: str = "",
        style_images: Tensor | None = None,
        content_images: Tensor | None = None,
        **of_mode: float,
    ) -> io.NodeOutput:
        from ...training.runs.spec import check_notes
        from .place import file_stem
        from .session import TrainTask, train

        style_gan = connected_or_default(style_gan)
        # Before the pictures are looked at: a bad name, and a folder that validate_inputs cannot blame alone.
        check_notes(file_stem(save_name), licence, preview_every)
        named_folder(content_folder)
        options = chosen_options(
            mode, of_mode, adversarial=adversarial_loss, seed=seed, validation_share=validation_share
        )
        show_text("looking at the pictures")
        paintings = pictures_from("paintings", style_folder, style_images, validation_share)
        photos = photos_from(content_folder, content_images, validation_share)
        api.check_interrupt()
        task = TrainTask(options, photos, paintings, style_gan.gan, save_name, resume, licence, preview_every)
        trained = train(task)
        found = style_gan if trained.gan is style_gan.gan else ManagedGAN.manage(trained.gan)
        picture = from_pil([trained.sheet])
        return io.NodeOutput(
            found,
            Style.made_by(found, trained.code),
            {"loss": trained.losses},
            picture,
            ui=preview(picture, cls),
        )
