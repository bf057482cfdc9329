"""`brushwork` as a process of its own that validates at 64 pixels, like the tests' own process."""

from __future__ import annotations

import sys

from brushwork.cli.main import main
from brushwork.training import validation

if __name__ == "__main__":
    validation.SIDE = 64
    sys.exit(main())
