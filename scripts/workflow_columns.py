"""Which nodes of the workflows stand where: in columns of titled groups."""

from __future__ import annotations

from dataclasses import dataclass

# Light: a title has the group's colour, on a quarter of it over a dark canvas.
GRAY, BLUE, PURPLE, GREEN, GOLD = "#aaa", "#7ab4dc", "#c89bdc", "#8cc88c", "#dcb45a"


@dataclass(frozen=True)
class Block:
    """A group of nodes, one below the other or side by side."""

    title: str
    color: str
    nodes: tuple[int, ...]
    """Their ids, from the top or from the left."""
    drop: int = 0
    """Pixels of room above it, for wires that pass there."""
    in_a_row: bool = False


Stack = list[Block]
Column = list[Block | tuple[Block, Block | Stack]]
"""What stands below each other: blocks, and pairs that stand side by side. The second may be a stack."""


def block(title: str, color: str, *nodes: int, drop: int = 0) -> Block:
    return Block(title, color, nodes, drop)


def row(title: str, color: str, *nodes: int, drop: int = 0) -> Block:
    """A chain of nodes, whose wires lead from each to the next."""
    return Block(title, color, nodes, drop, in_a_row=True)


def read_me(*nodes: int, drop: int = 0) -> Block:
    return Block("Read me first", GRAY, nodes or (1,), drop)


# Columns of blocks. A wire leads to the next column, or through room that the columns between leave.
LAYOUTS: dict[str, list[Column]] = {
    "paint_photo": [
        [read_me()],
        [block("What to paint", BLUE, 2)],
        [block("In which style", PURPLE, 3)],
        [block("Result", GOLD, 4)],
    ],
    "compare_before_after": [
        [read_me()],
        [block("What to paint", BLUE, 2)],
        [block("In which style", PURPLE, 3, drop=100)],
        [block("To compare", GOLD, 5), block("Result", GOLD, 4)],
    ],
    "paint_in_library_style": [
        [read_me(), block("Network", GRAY, 2)],
        [block("In which style", PURPLE, 4), block("What to paint", BLUE, 3, drop=130)],
        [block("Painting", GREEN, 6, drop=438)],
        [block("Result", GOLD, 7, drop=220)],
    ],
    "refine_painting": [
        [read_me(), block("What to paint", BLUE, 2)],
        [block("In which style", PURPLE, 4), block("The photo's size", BLUE, 3)],
        [block("Painting", GREEN, 8, drop=590)],
        [block("Before", GOLD, 10, drop=650)],
        [block("Refining", GREEN, 9)],
        [block("Result", GOLD, 11), block("How it went", GRAY, 12)],
    ],
    "mix_library_styles": [
        [read_me(), block("Second style", PURPLE, 5)],
        [block("First style", PURPLE, 4), block("Third style", PURPLE, 6, drop=200)],
        [block("What to paint", BLUE, 3), block("Mixing", PURPLE, 7)],
        [block("Painting", GREEN, 9, drop=330)],
        [block("Result", GOLD, 10, drop=330)],
    ],
    "random_styles_grid": [
        [read_me()],
        [block("In which styles", PURPLE, 4), block("What to paint", BLUE, 3)],
        [block("Painting", GREEN, 6)],
        [block("Result", GOLD, 7)],
    ],
    "structure_and_color": [
        [read_me()],
        [block("Two styles", PURPLE, 4, 5)],
        [block("Mixing", PURPLE, 6), block("What to paint", BLUE, 3)],
        [block("Painting", GREEN, 8, drop=250)],
        [block("Result", GOLD, 9, drop=250)],
    ],
    "styles_by_region": [
        [read_me(), block("The rest", PURPLE, 4)],
        [block("Region 1: style", PURPLE, 5), block("Region 1: where", PURPLE, 7, drop=223)],
        [
            block("Region 2: style", PURPLE, 6),
            block("Style 1 into region 1", GREEN, 9, drop=-10),
            block("Region 2: where", PURPLE, 8, drop=-10),
        ],
        [block("Style 2 into region 2", GREEN, 10, drop=470), block("What to paint", BLUE, 3, drop=-10)],
        [block("Painting", GREEN, 12, drop=400)],
        [block("Result", GOLD, 13, drop=400)],
    ],
    "style_animation": [
        [read_me(), block("Second style", PURPLE, 6)],
        [block("First style", PURPLE, 5), block("Third style", PURPLE, 7, drop=200)],
        [block("What to paint", BLUE, 3), block("From style to style", PURPLE, 8, drop=80)],
        [block("The photo's size", BLUE, 4)],
        [block("Painting", GREEN, 10, drop=250)],
        [block("Result", GOLD, 11, drop=250)],
    ],
    "paint_film": [
        [read_me()],
        [block("What to paint", BLUE, 3), block("In which style", PURPLE, 4)],
        [block("Painting", GREEN, 5, drop=200)],
        [block("Result", GOLD, 6, drop=200)],
    ],
    "steady_video": [
        [
            (read_me(), block("In which style", PURPLE, 4)),
            (
                block("Example photo", BLUE, 3),
                [
                    row("Example frames", BLUE, 5, 6, 7),
                    row("Or your own video: off, Ctrl+M switches it on", GRAY, 11, 12),
                ],
            ),
        ],
        [block("Painting", GREEN, 8, drop=300)],
        [row("Result", GOLD, 9, 10, drop=300)],
    ],
    "train_and_paint": [
        [read_me(), block("Your pictures", BLUE, 3)],
        [block("Training", PURPLE, 4)],
        [block("What to paint", BLUE, 6, drop=160), block("How it went", GRAY, 5)],
        [block("Painting", GREEN, 8)],
        [block("Result", GOLD, 9)],
    ],
    "evaluate_checkpoint": [
        [read_me()],
        [block("Network", BLUE, 2)],
        [block("Scoring", GREEN, 3)],
        [block("Report", GOLD, 4)],
    ],
    "batch_for_queue": [
        [read_me()],
        # Pages list what Paint must have first: the style.
        [block("In which style", PURPLE, 4), block("What to paint", BLUE, 3)],
        [block("Reading", GREEN, 6, 5, drop=200)],
        [block("Painting", GREEN, 7, drop=200)],
        [block("Result", GOLD, 8, drop=200)],
    ],
}
