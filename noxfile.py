"""The tasks of a developer, each in its own virtual environment. `nox -l` lists them, `nox -s lint` runs one.

Arguments after `--` go to the tool: `nox -s tests -- tests/cli -k render`. `nox -R -s tests` keeps the
environment of the last time and installs nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "tests"]

ROOT = Path(__file__).parent
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
PYTEST = ("python", "-m", "pytest", "-c", "tests/pytest.ini")


def install(session: nox.Session, extras: str) -> None:
    """Install Brushwork from this folder with `extras`, a list such as "test,benchmarks"."""
    session.install(f".[{extras}]")
    # setuptools leaves its copy of the package here, and the next build would include files removed since.
    shutil.rmtree(ROOT / "build", ignore_errors=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Look for mistakes and check the layout of the code. `nox -s lint -- --fix` mends what it can."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    session.install(*(need for need in project["optional-dependencies"]["test"] if need.startswith("ruff")))
    session.run("ruff", "check", ".", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types."""
    install(session, "test")
    session.run("python", ".ci/check_types.py", *session.posargs)


@nox.session(python=PYTHONS, default=False)
def all_pythons(session: nox.Session) -> None:
    """Run the tests on every Python that Brushwork supports and that this machine has."""
    install(session, "test")
    session.run(*PYTEST, *(session.posargs or ["tests"]))


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and print how much of the code they run."""
    install(session, "test")
    session.run(*PYTEST, *(session.posargs or ["tests", "--cov"]))


@nox.session
def docs(session: nox.Session) -> None:
    """Check the documents and the English of the code: links, paths, examples, help pages, translations."""
    install(session, "test")
    files = "documents or code_english or architecture_page or python_page or readme or doctests"
    pages = "help or locales or options_table"
    session.run(*PYTEST, "-n0", "-k", f"{files} or {pages}", "tests", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Run a benchmark: `nox -s benchmarks -- quality --data DIR`. Without a name, run their tests."""
    install(session, "benchmarks,test")
    if session.posargs:
        name, *options = session.posargs
        session.run("python", "-m", f"benchmarks.{name}", *options)
    else:
        session.run(*PYTEST, "tests/benchmarks")


@nox.session
def audit(session: nox.Session) -> None:
    """Look up known weaknesses of the packages that Brushwork installs, with all extras of users."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    extras = project["optional-dependencies"]
    needs = project["dependencies"] + [
        need for name in ("headless", "large", "queue", "ray", "train", "video") for need in extras[name]
    ]
    listed = Path(session.create_tmp()) / "requirements.txt"
    listed.write_text("\n".join(needs))
    session.install("pip-audit")
    session.run("pip-audit", "--requirement", str(listed), *session.posargs)


@nox.session(python=["3.12"])
def fuzz(session: nox.Session) -> None:
    """Run every reader of files under atheris, ten minutes in all. `nox -s fuzz -- key --minutes 1` runs one.

    Linux only, like atheris.
    """
    install(session, "test")
    session.install("atheris")
    session.run("python", "-m", "fuzz", *(session.posargs or ["all", "--minutes", "10"]))


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and the source archive into dist/, check both, and test the wheel."""
    install(session, "test")
    session.install("build", "twine")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build")
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    session.run("twine", "check", "--strict", *(str(file) for file in sorted((ROOT / "dist").iterdir())))
    session.run(*PYTEST, "tests/test_wheel.py")
