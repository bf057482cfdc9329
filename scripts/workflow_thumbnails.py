"""Make the thumbnails of the workflows in ComfyUI's template browser by running the workflows.

    COMFYUI_PATH=… COMFYUI_PYTHON=… python -m scripts.workflow_thumbnails [NAME …]

Starts a ComfyUI server with this pack, runs each `workflows/api/NAME.json` with the pictures that ship, and
writes `workflows/NAME.jpg`. Run it again when the default weights or the style library change.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError
from urllib.parse import urlencode

import av
import numpy as np
from PIL import Image, ImageOps, ImageSequence

from brushwork.base.files import sha256_of
from brushwork.base.shipped import (
    DEFAULT_CHECKPOINT,
    EXAMPLE_FILM,
    EXAMPLE_PREFIX,
    SHIPPED_INPUTS,
    WORKFLOWS_DIR,
    example_pictures,
)
from brushwork.pictures.reading import read_picture
from tests.comfyui_server import COMFYUI, ComfyUIServer

SIDE = 512
RUN_SECONDS = 1800
PHOTOS = [f"{EXAMPLE_PREFIX}photo-{name}.jpg" for name in (
    "city-singapore", "landscape-lake-sherburne", "stilllife-spices",
)]  # fmt: skip
PAINTINGS = [f"{EXAMPLE_PREFIX}art-{name}.jpg" for name in (
    "vangogh-starry-night", "hokusai-great-wave", "engraving-dore",
)]  # fmt: skip


class ThumbnailError(Exception):
    """A workflow that does not run, or has no node of that title."""


class WorkflowRunner:
    """A server, the example pictures as squares in its input folder, and the workflows."""

    def __init__(self, server: ComfyUIServer):
        self.server = server
        self.input = server.base / "input"
        for name, path in example_pictures().items():
            with Image.open(path) as picture:
                ImageOps.fit(picture, (768, 768)).save(self.input / name, quality=95)

    def run(self, name: str, result: str, **settings: object) -> list[Image.Image]:
        """The pictures on the node titled `result` after a run; `settings` as in `shown`."""
        return self.shown(name, result, **settings)[0]

    def shown(self, name: str, *results: str, **settings: object) -> list[list[Image.Image]]:
        """The pictures on each of the nodes with the titles `results` after one run: of a second one, which
        has nothing to do, newer servers show none. `settings` go by the input's name; `photo` and `painting`
        are files for the nodes whose titles begin with these words."""
        # Set the inputs.
        workflow = json.loads((WORKFLOWS_DIR / "api" / f"{name}.json").read_text(encoding="utf-8"))
        for node in workflow.values():
            first = node["_meta"]["title"].partition(":")[0].lower()
            if node["class_type"] == "LoadImage" and first in settings:
                node["inputs"]["image"] = settings[first]
            node["inputs"] |= {key: value for key, value in settings.items() if key in node["inputs"]}
        # Find the nodes, with one that saves its pictures for each that shows none itself.
        ids = [titled(workflow, result) for result in results]
        for i, id_ in enumerate(ids):
            if workflow[id_]["class_type"] in ("PaintVideo", "ImageAddNoise"):
                inputs = {"images": [id_, 0], "filename_prefix": "frames"}
                ids[i] = f"frames{i}"
                workflow[ids[i]] = {"class_type": "SaveImage", "inputs": inputs}
        # Run it, and fetch the pictures.
        outputs = self._outputs(workflow)
        return [self._pictures(outputs[id_]["images"]) for id_ in ids]

    def _pictures(self, files: list[dict[str, str]]) -> list[Image.Image]:
        """All frames of the files."""
        pictures = []
        for file in files:
            whole = Image.open(io.BytesIO(self.server.get("/view?" + urlencode(file))))
            pictures += [frame.convert("RGB") for frame in ImageSequence.Iterator(whole)]
        return pictures

    def film(self, name: str) -> list[Image.Image]:
        """The frames of the film that a run of the workflow saves."""
        workflow = json.loads((WORKFLOWS_DIR / "api" / f"{name}.json").read_text(encoding="utf-8"))
        (id_,) = (id_ for id_, node in workflow.items() if node["class_type"] == "SaveVideo")
        (file,) = self._outputs(workflow)[id_]["images"]
        with av.open(io.BytesIO(self.server.get("/view?" + urlencode(file))), "r") as container:
            return [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]

    def _outputs(self, workflow: dict[str, Any]) -> dict[str, Any]:
        """What the nodes show after a run. Raises ThumbnailError with the server's message."""
        try:
            entry = self.server.queue(workflow, RUN_SECONDS)
        except HTTPError as error:  # an older server that has not all of its nodes
            raise ThumbnailError(f"the server refused it: {error.read().decode()}") from error
        if entry["status"]["status_str"] == "success":
            return cast("dict[str, Any]", entry["outputs"])
        event, details = entry["status"]["messages"][-1]
        node, message = details.get("node_type", "the run"), details.get("exception_message", event)
        raise ThumbnailError(f"{node} failed: {message.strip()}")


def painted_with() -> str:
    """What a thumbnail says of the weights, so that a test finds those of older weights."""
    return f"Painted with weights {sha256_of(DEFAULT_CHECKPOINT)[:16]}"


def titled(workflow: dict[str, Any], title: str) -> str:
    """The id of the first node whose title begins with `title`."""
    titles = {id_: node["_meta"]["title"] for id_, node in workflow.items()}
    for id_, whole in titles.items():
        if whole.startswith(title):
            return id_
    raise ThumbnailError(f"no node is titled {title!r}; the titles are {', '.join(titles.values())}")


def single(name: str, **settings: object) -> Callable[[WorkflowRunner], Image.Image]:
    return lambda runner: runner.run(name, "Result", **settings)[0]


def grid(pictures: list[Image.Image], columns: int) -> Image.Image:
    """Squares without gaps, row by row."""
    side = SIDE * 2 // columns
    sheet = Image.new("RGB", (columns * side, -(-len(pictures) // columns) * side))
    for i, picture in enumerate(pictures):
        sheet.paste(ImageOps.fit(picture, (side, side)), (i % columns * side, i // columns * side))
    return sheet


def strips(pictures: list[Image.Image]) -> Image.Image:
    """One picture of upright strips, each from the next of `pictures`."""
    width, height = pictures[0].size
    edges = [round(i * width / len(pictures)) for i in range(len(pictures) + 1)]
    mixed = Image.new("RGB", (width, height))
    for picture, left, right in zip(pictures, edges, edges[1:], strict=False):
        mixed.paste(picture.crop((left, 0, right, height)), (left, 0))
    return mixed


def top_square(picture: Image.Image) -> Image.Image:
    """The upper part of a sheet that is higher than wide."""
    return picture.crop((0, 0, picture.width, min(picture.width, picture.height)))


def on_white(picture: Image.Image) -> Image.Image:
    return ImageOps.pad(picture, (SIDE, SIDE), color="white")


def random_styles(runner: WorkflowRunner) -> Image.Image:
    return grid(runner.run("random_styles_grid", "Results"), 3)


def animation(runner: WorkflowRunner) -> Image.Image:
    return strips(runner.run("style_animation", "Animation"))


GRAINY_AND_PAINTED = "Add new grain", "Paint the frames"


def video(runner: WorkflowRunner) -> Image.Image:
    """The last grainy frame, painted from the middle on."""
    grainy, painted = runner.shown("steady_video", *GRAINY_AND_PAINTED, amount=4)
    return strips([grainy[-1], painted[-1]])


def film(runner: WorkflowRunner) -> Image.Image:
    """The last frame of a pan like that of the example film, but square, painted from the middle on."""
    with Image.open(runner.input / PHOTOS[0]) as picture:
        frames = [picture.crop((32 * i, 32 * i, 32 * i + SIDE, 32 * i + SIDE)) for i in range(4)]
    with av.open(str(runner.input / f"{EXAMPLE_PREFIX}{EXAMPLE_FILM.name}"), "w") as container:
        stream = container.add_stream("libx264", rate=4, options={"crf": "10"})
        stream.width = stream.height = SIDE
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")))
        container.mux(stream.encode(None))
    painted = runner.film("paint_film")
    return strips([frames[-1], painted[-1]])


def refinement(runner: WorkflowRunner) -> Image.Image:
    """What Generate painted, from the middle on refined."""
    (before,), (after,) = runner.shown("refine_painting", "Before", "Result")
    return strips([before, after])


def before_and_after(runner: WorkflowRunner) -> Image.Image:
    """The photo, and from the middle on its painting, as the line in the comparison shows them."""
    (painted,) = runner.run("compare_before_after", "Result")
    workflow = json.loads((WORKFLOWS_DIR / "compare_before_after.json").read_text(encoding="utf-8"))
    (photo,) = (node["widgets_values"][0] for node in workflow["nodes"] if node["type"] == "LoadImage")
    with Image.open(runner.input / photo) as picture:
        return strips([picture.convert("RGB"), painted])


def training(runner: WorkflowRunner) -> Image.Image:
    """The progress sheet of a short training on parts of one painting, as in help_pictures.py."""
    folder = runner.input / "my_style"
    folder.mkdir()
    painting = read_picture(example_pictures()[PAINTINGS[0]])
    side = min(painting.size) // 2
    for i in range(12):
        left, top = (painting.width - side) * (i % 4) // 3, (painting.height - side) * (i // 4) // 2
        painting.crop((left, top, left + side, top + side)).save(folder / f"{i}.png")
    settings: dict[str, float] = {"steps": 80, "batch_size": 2, "resolution": 96, "preview_every": 16}
    settings |= {"learning_rate": 0.0006, "style_weight": 60.0}  # so that so few steps show
    return on_white(runner.run("train_and_paint", "Train", **settings)[0])


def evaluation(runner: WorkflowRunner) -> Image.Image:
    folder = runner.input / "paintings"
    folder.mkdir()
    for path in SHIPPED_INPUTS.glob("art-*.jpg"):
        (folder / path.name).write_bytes(path.read_bytes())
    return top_square(runner.run("evaluate_checkpoint", "Score", samples=12)[0])


def batch(runner: WorkflowRunner) -> Image.Image:
    couples = [(photo, painting) for photo in PHOTOS for painting in PAINTINGS]
    run = (single("batch_for_queue", photo=photo, painting=painting) for photo, painting in couples)
    return grid([paint(runner) for paint in run], 3)


THUMBNAILS: dict[str, Callable[[WorkflowRunner], Image.Image]] = {
    "paint_photo": single("paint_photo"),
    "paint_in_library_style": single("paint_in_library_style"),
    "compare_before_after": before_and_after,
    "refine_painting": refinement,
    "mix_library_styles": single("mix_library_styles"),
    "random_styles_grid": random_styles,
    "structure_and_color": single("structure_and_color"),
    "styles_by_region": single("styles_by_region"),
    "style_animation": animation,
    "paint_film": film,
    "steady_video": video,
    "train_and_paint": training,
    "evaluate_checkpoint": evaluation,
    "batch_for_queue": batch,
}


def made(name: str, runner: WorkflowRunner) -> bool:
    """Write the thumbnail of the workflow. A failure is printed, since the others can still be made."""
    try:
        picture = THUMBNAILS[name](runner)
    except ThumbnailError as error:
        print(f"{name}: {error}", flush=True)
        return False
    path = WORKFLOWS_DIR / f"{name}.jpg"
    square = ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.LANCZOS)
    square.save(path, quality=85, optimize=True, comment=painted_with())
    print(f"{path}  {path.stat().st_size // 1024} kB", flush=True)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m scripts.workflow_thumbnails", description=__doc__.splitlines()[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(THUMBNAILS)} (default: all)")
    names = parser.parse_args().names or list(THUMBNAILS)
    if unknown := set(names) - set(THUMBNAILS):
        parser.error(
            f"there is no workflow {', '.join(sorted(unknown))}; choose from {', '.join(THUMBNAILS)}"
        )
    if not COMFYUI:
        parser.error("COMFYUI_PATH is not set; set it to the path of a ComfyUI checkout.")

    # Start a server, run the workflows in it, and write what they show.
    with tempfile.TemporaryDirectory() as folder:
        server = ComfyUIServer(Path(folder) / "base")
        server.start()
        try:
            server.wait_until_up()
            runner = WorkflowRunner(server)
            failed = [name for name in names if not made(name, runner)]
        finally:
            server.stop()
    if failed:
        sys.exit(f"Not made: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
