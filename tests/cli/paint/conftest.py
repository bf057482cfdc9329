"""Running `brushwork paint` as a user does."""

from __future__ import annotations

import pytest

from brushwork.cli.main import main


@pytest.fixture
def paint(tmp_path, pictures, monkeypatch, capsys):
    """`brushwork paint …` beside photo.png and painting.png: exit code, output, error."""
    monkeypatch.chdir(pictures)

    def run(*arguments):
        code = main(["paint", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run
