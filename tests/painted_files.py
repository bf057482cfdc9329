"""What `brushwork paint` left in a folder, and what it said when it left nothing."""

from __future__ import annotations


def refused(result, message):
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("brushwork paint: ")
    assert message in err
    assert err.count("\n") == 1


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
