"""EvaluateStyle: how well a network paints, as a table, as JSON and on a sheet."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

from torch import Tensor

from ..base.shipped import demo_photos
from ..dataset.folder import PictureFolder
from ..evaluation.options import EvaluationOptions
from ..models.memory import is_out_of_memory
from ..models.perception.extractors import FEATURES
from ..pictures.reading import Picture
from ..pictures.tensors import as_picture
from .bridge import api
from .bridge.api import io, schema
from .bridge.progress import PictureProgress, preview
from .shared.checkpoints import connected_or_default
from .shared.folders import check_folders, fingerprint_folders, named_folder
from .shared.images import from_pil, to_pil
from .shared.inputs import (
    PICTURE_SOCKETS,
    network_input,
    option_input,
    picture_inputs,
    seed_input,
    validation_result,
)
from .shared.out_of_memory import memory_of
from .shared.sockets import ManagedGAN

_OPTIONS = {option.name: option for option in fields(EvaluationOptions)}
# Bytes alive at once per pixel of a square: VGG's first feature maps with a copy, and the generator's.
_WORKING_MEMORY_PER_PIXEL = 2048


class EvaluateStyle(io.ComfyNode):
    """Score a network on photos and paintings."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="EvaluateStyle",
            display_name="Evaluate Style (Brushwork)",
            category="Brushwork",
            description=(
                "Paints pairs of a photo and a painting and scores them: FID and KID to the real paintings, "
                "content and style losses, SSIM, LPIPS, diversity. Downloads nothing."
            ),
            search_aliases=["FID", "KID", "LPIPS", "metrics", "benchmark", "brushwork"],
            is_output_node=True,
            inputs=[
                network_input("The network to score."),
                *picture_inputs("Paintings to paint like", "", "Photos"),
                *(option_input(_OPTIONS[name]) for name in ("samples", "side")),
                io.Combo.Input(
                    "features",
                    options=list(FEATURES),
                    default=EvaluationOptions.features,
                    tooltip=_OPTIONS["features"].metadata["text"],
                ),
                seed_input(_OPTIONS["seed"]),
                option_input(_OPTIONS["psi"], step=0.05),
            ],
            outputs=[
                io.String.Output(
                    "report",
                    display_name="report",
                    tooltip="The table, how it was measured, and warnings, as text; for Preview Any.",
                ),
                io.String.Output("record", display_name="json", tooltip="The same as JSON."),
                io.Image.Output(
                    "sheet", display_name="sheet", tooltip="Up to eight of the pairs with their results."
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
        style_images: Tensor | None = None,
        content_images: Tensor | None = None,
        samples: int = EvaluationOptions.samples,
        side: int = EvaluationOptions.side,
        features: str = EvaluationOptions.features,
        seed: int = EvaluationOptions.seed,
        psi: float = EvaluationOptions.psi,
    ) -> io.NodeOutput:
        from ..evaluation.evaluate import evaluate

        chosen = EvaluationOptions(samples=samples, side=side, seed=seed, features=features, psi=psi)

        # Collect photos and paintings; before many are looked at, say that a folder is missing.
        check_folders(content_folder)
        left_out: list[str] = []
        styles = _pictures("paintings", style_folder, style_images, left_out)
        if not styles:
            raise ValueError("There are no paintings; connect style_images, or name a style_folder.")
        contents = _pictures("photos", content_folder, content_images, left_out) or demo_photos()

        # Paint and score.
        style_gan = connected_or_default(style_gan)
        api.load(style_gan.patcher, chosen.side**2 * _WORKING_MEMORY_PER_PIXEL)
        progress = PictureProgress()

        def painted(done: int, total: int, picture: Tensor) -> None:
            progress.show(done, total, as_picture(picture[0]))

        try:
            found = evaluate(style_gan.gan, contents, styles, chosen, painted)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise RuntimeError(
                f"Evaluating at {chosen.side} pixels does not fit into {memory_of(error)}; choose a smaller "
                "side."
            ) from error

        found = replace(found, warnings=(*found.warnings, *left_out))
        progress.show_result(found.sheet)
        sheet = from_pil([found.sheet])
        record = json.dumps(found.as_dict(), indent=1, ensure_ascii=False)
        return io.NodeOutput(found.text(), record, sheet, ui=preview(sheet, cls))


def _pictures(what: str, folder: str, images: Tensor | None, left_out: list[str]) -> list[Picture]:
    """The pictures in the folder that the user typed, and those of the IMAGE batch.

    A sentence on the files that are not read joins `left_out`.
    """
    path = named_folder(folder)
    files: list[Path] = []
    if path is not None:
        scanned = PictureFolder.scan(path)
        files = scanned.paths
        if scanned.skipped:
            left_out.append(
                f"{len(scanned.skipped)} of the {what} cannot be read (first: {scanned.skipped[0]})."
            )
        if scanned.left_out:
            left_out.append(f"Left out of the {what}: {scanned.left_out}.")
    return [*files, *to_pil(images, f"The batch of {what}", PICTURE_SOCKETS[what])]
