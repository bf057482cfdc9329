"""The result of a survey of pictures: facts, text for people, JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..base.counts import counted
from ..base.excerpt import excerpt
from ..base.text_files import one_line
from .picture_facts import PictureFacts
from .splits import SPLITS
from .unreadable import UnreadableFile

MIN_SIDE = 128
"""A shorter side under this many pixels is called tiny, unless the user says otherwise."""
BLANK = 3.0
"""A picture of less contrast is nearly one colour: fainter than any painting or drawing (docs/history.md)."""
MONOCHROME = 2.5
"""A picture of less colour spread is ink, chalk, sepia or nearly so; dark portraits begin a little above."""

LISTED = 10
"""A finding names this many files; JSON names all."""

WARNING, NOTE = "warning", "note"
# Endings of pictures that Pillow does not read without more packages.
_FOREIGN = (
    *(".heic", ".heif", ".avif", ".jxl", ".svg", ".pdf", ".kra", ".xcf", ".clip", ".procreate"),
    *(".eps", ".ps", ".ai", ".wmf", ".emf", ".exr", ".hdr", ".psb"),
    *(".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".dng", ".raw"),
)


@dataclass(frozen=True)
class Finding:
    """Something to put right (a warning) or to know (a note), and the files it is about."""

    level: str
    text: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class DatasetReport:
    """The pictures of a folder, the files that are not pictures, and the findings."""

    name: str
    """The folder's name."""
    pictures: tuple[PictureFacts, ...]
    """Sorted by name; a picture's number in text and sheet is its position here, from 1."""
    unreadable: tuple[UnreadableFile, ...]
    group_of: tuple[int, ...]
    """For each picture the index of the first one that it equals or nearly equals; otherwise its own."""
    split_of: tuple[str, ...]
    """'train', 'val' or 'test' for each picture; empty where the split does not name it."""
    min_side: int = MIN_SIDE
    other_files: tuple[str, ...] = ()
    """Files whose ending is not that of a picture: their endings in lower case, one entry per file."""
    left_out: str = ""
    """Hidden pictures and closed folders, in a few words; empty if there are none."""

    @cached_property
    def duplicates(self) -> list[list[int]]:
        """Indices of pictures that are equal or nearly so, group by group."""
        groups: dict[int, list[int]] = {}
        for index, first in enumerate(self.group_of):
            groups.setdefault(first, []).append(index)
        return [group for group in groups.values() if len(group) > 1]

    @cached_property
    def leaks(self) -> list[list[int]]:
        """Groups of duplicates where some are trained on and others judge the training."""
        splits = [{self.split_of[i] for i in group} for group in self.duplicates]
        return [
            g for g, s in zip(self.duplicates, splits, strict=True) if "train" in s and s & {"val", "test"}
        ]

    @cached_property
    def flags(self) -> list[tuple[str, ...]]:
        """The flags of each picture, most serious first.

        They are 'leak', 'duplicate', 'blank', 'tiny', 'monochrome', 'animated' and 'transparent'.
        """
        leaking, doubled = (
            {i for group in groups for i in group} for groups in (self.leaks, self.duplicates)
        )

        def flags_of(index: int, facts: PictureFacts) -> tuple[str, ...]:
            blank = facts.contrast < BLANK
            found = {
                "leak": index in leaking,
                "duplicate": index in doubled and index not in leaking,
                "blank": blank,
                "tiny": facts.shorter < self.min_side,
                "monochrome": not blank and facts.color_spread < MONOCHROME,
                "animated": facts.frames > 1,
                "transparent": facts.transparent,
            }
            return tuple(name for name, is_so in found.items() if is_so)

        return [flags_of(*item) for item in enumerate(self.pictures)]

    def flagged(self, flag: str) -> list[int]:
        """Indices of the pictures that have this flag."""
        return [i for i, flags in enumerate(self.flags) if flag in flags]

    def split_counts(self) -> dict[str, int]:
        """How many pictures are in train, val and test."""
        counts = Counter(self.split_of)
        return {name: counts[name] for name in SPLITS}

    def label(self, index: int) -> str:
        """A picture's number and name, on one line."""
        return f"#{index + 1} {one_line(self.pictures[index].name)}"

    def rows(self) -> list[tuple[str, str]]:
        """The overview: rows of name and value."""
        # What pictures are there, and how large are they?
        formats = Counter(facts.format for facts in self.pictures).most_common()
        kinds = ", ".join(f"{name} {count}" for name, count in formats)
        rows = [("pictures", f"{len(self.pictures)} ({kinds})" if kinds else "none")]
        if self.pictures:
            by_size = sorted(
                range(len(self.pictures)),
                key=lambda i: (self.pictures[i].width * self.pictures[i].height, i),
            )
            middle = by_size[len(by_size) // 2]
            rows += [
                ("smallest", f"{self._size(by_size[0])} px, {self.label(by_size[0])}"),
                ("median", f"{self._size(middle)} px"),
                ("largest", f"{self._size(by_size[-1])} px, {self.label(by_size[-1])}"),
            ]

        # How are they split, and which other files are there?
        if any(self.split_of):
            counts = self.split_counts().items()
            rows.append(("split", ", ".join(f"{k} {n}" for k, n in counts if n or k != "test")))
        if self.other_files:
            endings = Counter(self.other_files).most_common()
            rows.append(
                ("other files", ", ".join(f"{n} {excerpt(e, 20) or 'without ending'}" for e, n in endings))
            )
        if self.left_out:
            rows.append(("left out", self.left_out))
        return rows

    def findings(self) -> list[Finding]:
        """Warnings first, then notes."""
        return [finding for finding in (*self._warnings(), *self._notes()) if finding.items]

    def as_text(self) -> str:
        """Overview and findings for people; long lists are cut."""
        lines = [one_line(self.name), ""]
        lines += [f"{name:<12}{value}" for name, value in self.rows()]
        for finding in self.findings():
            lines += ["", f"{finding.level.upper()}: {finding.text}"]
            lines += [f"  {item}" for item in finding.items[:LISTED]]
            if len(finding.items) > LISTED:
                lines.append(f"  … and {len(finding.items) - LISTED} more")
        if not self.findings():
            lines += ["", "No problems found."]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Everything except the thumbnails, for JSON."""
        return {
            "name": self.name,
            "min_side": self.min_side,
            "overview": dict(self.rows()),
            "split": self.split_counts() if any(self.split_of) else None,
            "findings": [{"level": f.level, "text": f.text, "items": list(f.items)} for f in self.findings()],
            "duplicates": [
                {"pictures": [self.pictures[i].name for i in group], "identical": self._identical(group)}
                for group in self.duplicates
            ],
            "unreadable": [{"name": file.name, "reason": file.reason} for file in self.unreadable],
            "pictures": [self._picture_dict(i) for i in range(len(self.pictures))],
        }

    def _warnings(self) -> Sequence[Finding]:
        foreign = [ending for ending in self.other_files if ending in _FOREIGN]
        tiny, blank = self.flagged("tiny"), self.flagged("blank")
        doubled = sum(len(group) for group in self.duplicates)
        # Findings without items are left out later.
        return (
            # Files that cannot be read.
            Finding(
                WARNING,
                f"{counted(len(self.unreadable), 'file')} cannot be read and will be left out.",
                tuple(map(str, self.unreadable)),
            ),
            Finding(
                WARNING,
                f"{counted(len(foreign), 'file')} in formats that are not read; convert to PNG or JPEG.",
                tuple(f"{n} {ending}" for ending, n in Counter(foreign).most_common()),
            ),
            Finding(
                WARNING,
                f"Duplicates in train and also in val or test: {counted(len(self.leaks), 'group')}. The test "
                "then scores pictures that were learned; keep one of each.",
                tuple(self._group_text(group, splits=True) for group in self.leaks),
            ),
            Finding(
                WARNING,
                f"{counted(doubled, 'picture')} in {counted(len(self.duplicates), 'group')} of duplicates "
                "(=) or near-duplicates (~). They weigh more than the others in training; keep one of each.",
                tuple(self._group_text(group) for group in self.duplicates),
            ),
            Finding(
                WARNING,
                f"{counted(len(blank), 'picture')} of nearly one colour, contrast under {BLANK:g} Lab units. "
                "Training learns nothing from them.",
                tuple(self.label(i) for i in blank),
            ),
            Finding(
                WARNING,
                f"{counted(len(tiny), 'picture')} with a shorter side under {self.min_side} px. Training "
                "enlarges them and learns their blur.",
                tuple(f"{self.label(i)}, {self._size(i)} px" for i in tiny),
            ),
        )

    def _notes(self) -> Sequence[Finding]:
        monochrome, animated, transparent = map(self.flagged, ("monochrome", "animated", "transparent"))
        counts = self.split_counts()
        unsplit = [i for i, name in enumerate(self.split_of) if not name] if any(self.split_of) else []
        without = any(self.split_of) and counts["train"] > 0 and counts["val"] == 0
        return (
            Finding(
                NOTE,
                f"{counted(len(monochrome), 'picture')} near-monochrome: colour strays less than "
                f"{MONOCHROME:g} Lab units from what lightness predicts. That is right for engravings and "
                "ink, but wrong for a painting reproduced in grey.",
                tuple(self.label(i) for i in monochrome),
            ),
            Finding(
                NOTE,
                f"{counted(len(animated), 'file')} of several frames or pages; the first is used.",
                tuple(f"{self.label(i)}, {counted(self.pictures[i].frames, 'frame')}" for i in animated),
            ),
            Finding(
                NOTE,
                f"{counted(len(transparent), 'picture')} with transparency; it is laid over white.",
                tuple(self.label(i) for i in transparent),
            ),
            Finding(
                NOTE,
                f"{counted(len(unsplit), 'picture')} not named by the split file; not used.",
                tuple(self.label(i) for i in unsplit),
            ),
            Finding(
                NOTE,
                "No picture is kept for validation, so training cannot tell when it begins to learn the "
                "others by heart.",
                (f"train {counts['train']}, val 0, test {counts['test']}",) if without else (),
            ),
        )

    def _size(self, index: int) -> str:
        return f"{self.pictures[index].width}x{self.pictures[index].height}"

    def _identical(self, group: Sequence[int]) -> bool:
        return len({self.pictures[i].digest for i in group}) == 1

    def _group_text(self, group: Sequence[int], splits: bool = False) -> str:
        """Copies of one file side by side, with '=' between equal files and '~' between similar ones."""
        copies: dict[str, list[str]] = {}
        for i in group:
            name = self.label(i) + (f" ({self.split_of[i] or 'none'})" if splits else "")
            copies.setdefault(self.pictures[i].digest, []).append(name)
        return " ~ ".join(" = ".join(names) for names in copies.values())

    def _picture_dict(self, index: int) -> Mapping[str, Any]:
        facts = self.pictures[index]
        return {
            "number": index + 1,
            "name": facts.name,
            "width": facts.width,
            "height": facts.height,
            "format": facts.format,
            "frames": facts.frames,
            "sha256": facts.digest,
            "perceptual_hash": facts.hash and f"{facts.hash.bits:016x}",
            "contrast": round(facts.contrast, 2),
            "colour_spread": round(facts.color_spread, 2),
            "split": self.split_of[index] or None,
            "flags": list(self.flags[index]),
        }
