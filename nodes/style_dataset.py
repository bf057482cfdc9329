"""StyleDataset: a folder of pictures -> what is in it, before it is trained on."""

from __future__ import annotations

from torch import Tensor

from ..dataset.report import MIN_SIDE
from ..dataset.splits import VALIDATION_SHARE
from .bridge.api import io, schema
from .bridge.progress import PictureProgress, preview
from .shared.folders import check_folders, fingerprint_folders, named_folder
from .shared.images import from_pil, to_pil
from .shared.inputs import folder_input, validation_result


class StyleDataset(io.ComfyNode):
    """Look the pictures of a style over before training on them."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="StyleDataset",
            display_name="Style Dataset (Brushwork)",
            category="Brushwork",
            description=(
                "Checks a folder of pictures before training: copies and near-copies, damaged, tiny, "
                "blank and monochrome pictures, and says which are for training and which for validation."
            ),
            search_aliases=["dataset report", "find duplicates", "contact sheet", "brushwork"],
            is_output_node=True,
            inputs=[
                folder_input("folder", "", " May be empty if images are connected."),
                io.Image.Input(
                    "images", optional=True, tooltip="Pictures as a batch; can be combined with a folder."
                ),
                io.Int.Input(
                    "min_side",
                    default=MIN_SIDE,
                    min=1,
                    max=4096,
                    tooltip="Pictures whose shorter side has fewer pixels are called tiny.",
                ),
                io.Float.Input(
                    "validation_share",
                    default=VALIDATION_SHARE,
                    min=0.0,
                    max=0.5,
                    step=0.05,
                    tooltip=(
                        "As in Train Style: the share that is kept for validation. The sheet shows which "
                        "pictures those are."
                    ),
                ),
            ],
            outputs=[
                io.String.Output(
                    "report", display_name="report", tooltip="What was found, as text; for Preview Any."
                ),
                io.Image.Output(
                    "sheet",
                    display_name="sheet",
                    tooltip="A contact sheet: pictures with warnings first, then a sample of the rest.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, folder: str | None = None) -> bool | str:
        return validation_result(lambda: check_folders(folder))

    @classmethod
    def fingerprint_inputs(cls, folder: str = "", **others: object) -> str:
        """Changes when a picture in the folder comes, goes or is replaced."""
        return fingerprint_folders(folder)

    @classmethod
    def execute(
        cls,
        folder: str = "",
        images: Tensor | None = None,
        min_side: int = MIN_SIDE,
        validation_share: float = VALIDATION_SHARE,
    ) -> io.NodeOutput:
        from ..dataset.sheet import dataset_sheet
        from ..dataset.survey import survey

        path = named_folder(folder)
        if path is None and images is None:
            raise ValueError("There is nothing to look at; name a folder, or connect images.")
        report = survey(
            path,
            to_pil(images, "The batch of images", "images"),
            share=validation_share,
            min_side=min_side,
            on_progress=PictureProgress().show,
        )
        sheet = from_pil([dataset_sheet(report)])
        return io.NodeOutput(report.as_text(), sheet, ui=preview(sheet, cls))
