"""Run one reader, or all, under atheris: `python -m fuzz all --minutes 10`.

Each reader starts from whole files and from the cases in tests/fuzz_cases/. What it finds is left in
fuzz-found/READER: put the small ones into tests/fuzz_cases/READER, where a test holds them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "tests" / "fuzz_cases"
LARGEST = 128 * 1024


def fuzz(name: str, seconds: int, found: Path) -> None:
    """Fuzz one reader until the time is over, then end this process: with 0 if nothing is found."""
    import atheris

    # What is imported here tells the fuzzer which lines it reaches.
    with atheris.instrument_imports(include=["brushwork", "json", "csv"]):
        from fuzz.readers import READERS
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as folder:
        corpus, scratch = Path(folder) / "corpus", Path(folder) / "scratch"
        for place in (corpus, scratch, found):
            place.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(reader.seeds()):
            (corpus / f"seed{number}").write_bytes(data)
        known = [str(CASES / name)] if (CASES / name).is_dir() else []
        limits = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-rss_limit_mb=3000", "-timeout=20"]
        atheris.Setup(
            [sys.argv[0], *limits, f"-artifact_prefix={found}/", str(corpus), *known],
            lambda data: reader.attempt(scratch, data),
        )
        atheris.Fuzz()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m fuzz", description="Readers of files, under atheris.")
    parser.add_argument("reader", help="the reader, or 'all': one after the other")
    parser.add_argument(
        "--minutes", type=float, default=10.0, metavar="X", help="for all together (default: 10)"
    )
    args = parser.parse_args(arguments)
    found = ROOT / "fuzz-found"
    if args.reader != "all":
        fuzz(args.reader, max(1, round(args.minutes * 60)), found / args.reader)
        return 0
    from fuzz.readers import READERS

    failed = []
    for name in READERS:
        minutes = str(args.minutes / len(READERS))
        # Fuzzing ends the process, so each reader gets one of its own.
        if subprocess.run([sys.executable, "-m", "fuzz", name, "--minutes", minutes], cwd=ROOT).returncode:
            failed.append(name)
    print(f"{len(READERS)} readers; something was found in: {', '.join(failed) or 'none'}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
