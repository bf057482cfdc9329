"""Every reader of files from strangers: one sentence or a load, whatever is in the file.

The readers are those of fuzz/readers.py. Here hypothesis damages whole files, the same ones in every run;
found cases are kept in tests/fuzz_cases/.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brushwork.base.tensor_header import join_header, split_header
from fuzz.readers import READERS

CASES = Path(__file__).parent / "fuzz_cases"
OF_TENSORS = ("checkpoint", "style", "state", "film_state")

brief = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Pieces that readers trip over.
PIECES = [
    *(
        b"",
        b"\0",
        b"\xff\xfe",
        b"\x80\x04",
        b"\n",
        b",",
        b";",
        b'"',
        b"{",
        b"[",
        b"]",
        b"NaN",
        b"1e999",
        b"-1",
    ),
    *(
        b"null",
        b"true",
        b"[" * 5000,
        b"9" * 5000,
        b"\\ud800",
        b"\xf0\x9f\x8e\xa8",
        b'{"a":1,"a":2}',
        b"../",
        b"%",
    ),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("x" * 5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def check(name: str, folder: Path, data: bytes) -> None:
    began = time.process_time()
    READERS[name].attempt(folder, data)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("name", READERS)
def test_whole_files_are_read(name: str, tmp_path: Path) -> None:
    said = READERS[name].attempt(tmp_path, READERS[name].seeds()[0])
    assert (said is None) == (
        name != "vgg"
    )  # its own file has 3 MB: tests/models/perception/test_vgg_file.py


@pytest.mark.parametrize(
    "case", sorted(CASES.rglob("*.bin")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_found_cases(case: Path, tmp_path: Path) -> None:
    check(case.parent.name, tmp_path, case.read_bytes())


@pytest.mark.parametrize("name", READERS)
@brief
@given(data=st.data())
def test_damaged_bytes(name: str, tmp_path: Path, data: st.DataObject) -> None:
    file = bytearray(data.draw(st.sampled_from(READERS[name].seeds())))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(file)))
        length = data.draw(st.sampled_from([0, 1, 8, len(file)]))
        file[start : start + length] = data.draw(st.sampled_from(PIECES) | st.binary(max_size=8))
    check(name, tmp_path, bytes(file))


@pytest.mark.parametrize("name", OF_TENSORS)
@brief
@given(data=st.data())
def test_headers_of_another_meaning(name: str, tmp_path: Path, data: st.DataObject) -> None:
    header, tensors = split_header(READERS[name].seeds()[0])
    texts = header["__metadata__"]
    if data.draw(st.booleans()):  # a text of the header
        key = data.draw(st.sampled_from(sorted(texts)))
        value = data.draw(VALUES)
        texts[key] = data.draw(st.sampled_from([json.dumps(value), str(value), f"[{texts[key]}]", ""]))
    else:  # what it says about a tensor
        described = header[data.draw(st.sampled_from(sorted(set(header) - {"__metadata__"})))]
        key = data.draw(st.sampled_from(["dtype", "shape", "data_offsets"]))
        types = ["F64", "I64", "BOOL", "C64", "F8_E5M2", "F4", "", "BF16"]
        described[key] = data.draw(st.sampled_from(types) | st.lists(st.integers(), max_size=6) | VALUES)
    try:
        file = join_header(header, tensors)
        file.decode(errors="ignore")
    except (ValueError, UnicodeEncodeError):
        return  # not JSON
    check(name, tmp_path, file)


@brief
@given(data=st.data())
def test_states_of_another_meaning(tmp_path: Path, data: st.DataObject) -> None:
    """Deeper in the header of a state, which is JSON within a text."""
    header, tensors = split_header(READERS["state"].seeds()[0])
    known = json.loads(header["__metadata__"]["header"])
    place = known
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(VALUES)
        break
    header["__metadata__"]["header"] = json.dumps(known)
    check("state", tmp_path, join_header(header, tensors))
