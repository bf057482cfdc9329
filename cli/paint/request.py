"""What the user asks of `brushwork paint`, typed: all that travels further than the parser."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...base.choices import PSI
from ...base.excerpt import excerpt
from ...base.folders import lost_link_above
from ...base.seeds import LARGEST_SEED
from ...painting.engines.environment import Cluster
from ...painting.films.options import SteadyOptions
from ...painting.options import RefineOptions, StylizeOptions

DEFAULT_OUT = Path("painted")
DEFAULT_FORMAT = "png"
FORMATS = ("png", "jpg", "webp")
ENGINES = ("local", "ray")
DEFAULT_CPUS = Cluster.cpus
LARGEST_PSI = 2
# With one photo these take a quarter of an hour, and nobody looks at more.
MOST_RANDOM = 1000


@dataclass(frozen=True)
class PaintRequest:
    """The arguments of one `brushwork paint`; None is what was not given."""

    photos: tuple[str, ...]
    styles: tuple[str, ...] = ()
    out: Path = DEFAULT_OUT
    out_is_folder: bool = False
    """Whether `out` was typed as a folder, such as 'x.png/', whatever its ending."""
    format: str | None = None
    overwrite: bool = False
    pairs: str = "cross"
    mix: bool = False
    weights: tuple[float, ...] | None = None
    """Of the styles that are mixed; None: equal."""
    random: int | None = None
    seed: int = StylizeOptions.seed
    """Of the strokes, and of the first random style."""
    psi: float = PSI
    strength: float = StylizeOptions.strength
    preserve_color: str = StylizeOptions.preserve_color
    stroke_size: float = StylizeOptions.stroke_size
    strokes: str = StylizeOptions.strokes
    refine: str | None = None
    """The quality; None: the network's picture as it is."""
    refine_changes: Mapping[str, object] = field(default_factory=dict)
    """The options of `RefineOptions` that were given, by name."""
    tile: int = 0
    """The side of the tiles of a large picture; 0: from the free memory."""
    statistics: str = SteadyOptions.statistics
    window: int = SteadyOptions.window
    follow: float = SteadyOptions.follow
    device: str = "auto"
    checkpoint: Path | None = None
    engine: str = "local"
    address: str | None = None
    """Of the Ray cluster."""
    cpus: int | None = None
    """Of each process of the engine ray that has no GPU."""

    def check(self) -> None:
        """Raise ValueError, one sentence, for what is missing, out of range, or does not go together."""
        # Is there something to paint, and a style?
        if not self.photos:
            raise ValueError(
                "There is no photo; name some before the options: brushwork paint PHOTO --style STYLE."
            )
        if not self.styles and self.random is None:
            raise ValueError(
                "There is no style; give --style with a painting, a style file or the name of a library "
                "style, such as --style hokusai-great-wave (brushwork styles lists all), or --random 3."
            )
        self._check_numbers()
        if self.checkpoint is not None and not self.checkpoint.is_file():
            raise ValueError(
                f"--checkpoint: There is no checkpoint at {excerpt(str(self.checkpoint), 300)}; check the "
                "path."
            )
        # Options that do not go together.
        if self.refine_changes and self.refine is None:
            flag = next(iter(self.refine_changes)).replace("_", "-")
            raise ValueError(f"--{flag} is an option of refining; add --refine.")
        self._check_engine()
        if self.format is not None and self.file is not None:
            raise ValueError(f"--format is for folders, and --out {self.out} is a file; leave one out.")
        if self.file is None and self.out.exists() and not self.out.is_dir():
            if self.out_is_folder:
                typed = f"{self.out}{os.sep}"
                raise ValueError(
                    f"--out {typed} means a folder, and {self.out} is a file; name another place."
                )
            raise ValueError(f"--out {self.out} is a file; name a folder, or a .png, .jpg, .webp or .tif.")
        if self.file is None and (lost := lost_link_above(self.out)):
            raise ValueError(
                f"--out {self.out}: {lost} is a link to what is not there; mend the link, or name "
                "another folder."
            )

    def _check_numbers(self) -> None:
        if self.random is not None and not 1 <= self.random <= MOST_RANDOM:
            raise ValueError(f"--random is {self.random}; give a whole number from 1 to {MOST_RANDOM}.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise ValueError(f"--seed is {self.seed}; give a whole number from 0 to {LARGEST_SEED}.")
        if self.seed + (self.random or 0) > LARGEST_SEED + 1:
            raise ValueError(
                f"--random {self.random} with --seed {self.seed} needs seeds above {LARGEST_SEED}; give a "
                "smaller --seed."
            )
        if not 0 <= self.psi <= LARGEST_PSI:
            raise ValueError(f"--psi is {self.psi:g}; give a number from 0 to {LARGEST_PSI}.")
        if self.weights is not None and not any(self.weights):
            shown = " ".join(f"{each:g}" for each in self.weights)
            raise ValueError(f"--mix is {shown}; give weights of 0 or more, at least one above 0.")

    def _check_engine(self) -> None:
        for name, value in (("address", self.address), ("cpus", self.cpus)):
            if value is not None and self.engine != "ray":
                raise ValueError(f"--{name} is an option of the engine ray; add --engine ray.")
        if self.cpus is not None and self.cpus < 1:
            raise ValueError(f"--cpus is {self.cpus}; give 1 or more.")
        if self.engine == "ray" and self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(
                f"--device {self.device} is for the local engine; with --engine ray give auto, cpu or cuda."
            )
        if self.address is not None and self.address.startswith("ray://"):
            raise ValueError(
                f"--address {self.address} is for Ray's client, and this command has to run on a machine of "
                "the cluster; give HOST:PORT, or auto."
            )

    @property
    def file(self) -> Path | None:
        """The one file to write, if --out names one.

        Raises ValueError, one sentence, for the ending of a picture or film that is not written."""
        from PIL import Image

        from ...pictures.films import CONTAINERS, FILM_ENDINGS
        from ...pictures.metadata import ENDINGS

        ending = self.out.suffix.lower()
        if self.out_is_folder or self.out.is_dir():
            return None
        if ending in ENDINGS or ending in CONTAINERS:
            return self.out
        if ending in FILM_ENDINGS:
            raise ValueError(f"--out {self.out}: choose a folder, or an ending of {', '.join(CONTAINERS)}.")
        # The list loads all of Pillow's plug-ins, and most folders have no ending.
        if ending and ending in Image.registered_extensions():
            raise ValueError(f"--out {self.out}: choose a folder, or an ending of {', '.join(ENDINGS)}.")
        return None

    def options(self) -> StylizeOptions:
        """How photos are painted. Raises ValueError, one sentence, for a value out of range."""
        refine = None
        if self.refine is not None:
            changes = {"quality": self.refine, "tile": self.tile, **self.refine_changes}
            refine = RefineOptions.from_dict(changes)
        return StylizeOptions(
            self.strength, self.preserve_color, self.stroke_size, refine, self.seed, self.strokes
        )

    def steady(self) -> SteadyOptions:
        """How films are held steady. Raises ValueError, one sentence, for a value out of range."""
        return SteadyOptions(self.statistics, self.window, self.follow)
