"""`brushwork` as a process of its own that validates as small as the tests' own process."""

from __future__ import annotations

import sys

from small_run import VALIDATION_SIDE

from brushwork.cli.main import main
from brushwork.training import validation

if __name__ == "__main__":
    validation.SIDE = VALIDATION_SIDE
    sys.exit(main())
