"""Break the code in 20 places, one at a time, and see which test fails: at least one per room.

python -m tests.benchmarks.mutations      some minutes; prints a table
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPO

PARTS = ("scripts", "rules", "config", "profiles", "envs", "docs", "tests")
FILES = ("Snakefile", "pyproject.toml", "README.md", "requirements.txt", "Makefile")


@dataclass(frozen=True)
class Mutation:
    """A text in a file of scripts/ that occurs there once, and what takes its place; `tests` under tests/unit."""

    file: str
    old: str
    new: str
    tests: str = ""

    def room(self) -> str:
        """Return the tests to run: those of the file's room unless others are named."""
        return self.tests or self.file.split("/")[0]


MUTATIONS: tuple[Mutation, ...] = ()


def copy_checkout(folder: Path) -> None:
    """Copy what the tests need of this checkout."""
    for name in PARTS:
        shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy2(REPO / name, folder)
    (folder / ".venv").symlink_to((REPO / ".venv").resolve())


def killer(folder: Path, mutation: Mutation) -> str:
    """Return the first test that fails under a mutation, or nothing."""
    path = folder / "scripts" / mutation.file
    text = path.read_text()
    assert text.count(mutation.old) == 1, f"{mutation.file}: {mutation.old!r} occurs {text.count(mutation.old)} times"
    path.write_text(text.replace(mutation.old, mutation.new))
    command = [sys.executable, "-m", "pytest", "-n0", "-x", "-q", "--no-header", f"tests/unit/{mutation.room()}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    path.write_text(text)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0].split("tests/unit/")[-1] if failed else ""


def main() -> None:
    """Print a row per mutation."""
    killed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "checkout"
        folder.mkdir()
        copy_checkout(folder)
        print("| file | change | first test that fails |\n|---|---|---|")
        for mutation in MUTATIONS:
            test = killer(folder, mutation)
            killed += bool(test)
            change = f"`{mutation.old.strip()}` -> `{mutation.new.strip()}`"
            print(f"| {mutation.file} | {change} | {test or '**survives**'} |", flush=True)
    print(f"\n{killed} of {len(MUTATIONS)} killed")


if __name__ == "__main__":
    main()
