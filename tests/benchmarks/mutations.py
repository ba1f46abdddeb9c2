"""Break the code in 20 places, one at a time, and see which test fails: at least one per room.

python -m tests.benchmarks.mutations      five minutes; prints a table
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


MUTATIONS = (
    Mutation("core/code.py", '"job", "warm", "run", ', '"warm", "run", ', "core/test_code.py"),
    Mutation("core/locks.py", "fallback_to_soft=False", "fallback_to_soft=True", "core/test_locks.py"),
    Mutation("core/files.py", "except OSError:  # each", "except PermissionError:  # each", "core/test_files.py"),
    Mutation("job/suggestions.py", "SIMILAR = 0.7", "SIMILAR = 0.3", "job/test_suggestions.py"),
    Mutation("job/budget.py", "STEP = 0.02", "STEP = 0.0", "job/test_budget.py"),
    Mutation("inputs/rows.py", "max(1, max_removed_share", "max(9, max_removed_share"),
    Mutation("media/probe.py", "MAX_SIDE_PX = 16_384", "MAX_SIDE_PX = 65_536", "media/test_probe.py"),
    Mutation("media/clip.py", "{clip.start_s - SLACK_S!r}", "{clip.start_s + SLACK_S!r}", "media/test_clip.py"),
    Mutation("frames/quality.py", "<= settings.similar_bits", "< settings.similar_bits", "frames/test_quality.py"),
    Mutation("download/completeness.py", "LONGEST_GAP_S = 1.0", "LONGEST_GAP_S = 3.0", "download/test_completeness.py"),
    Mutation(
        "download/attempts.py", "idle >= options.attempts", "idle > options.attempts", "download/test_attempts.py"
    ),
    Mutation("model/decode.py", "> scale * input_px", ">= scale * input_px", "model/test_decode.py"),
    Mutation("warm/devices.py", 'not in ("", "-1")', 'not in ("",)', "warm/test_devices.py"),
    Mutation(
        "detection/filter_frames.py", "len(objects) >= min", "len(objects) > min", "detection/test_filter_frames.py"
    ),
    Mutation("dedup/same_objects.py", "SAME_LOOK = 18.5", "SAME_LOOK = 999.0", "dedup/test_same_objects.py"),
    Mutation("dedup/same_objects.py", "COUNTERPART_IOU = 0.3", "COUNTERPART_IOU = 0.9", "dedup/test_same_objects.py"),
    Mutation("dedup/hashing.py", "UNEVEN = 0.03", "UNEVEN = 0.3", "dedup/test_hashing.py"),
    Mutation("dataset/splits.py", "return min(names, key=", "return max(names, key=", "dataset/test_splits.py"),
    Mutation("report/advice.py", "FEW_PASSED = 0.1", "FEW_PASSED = 0.9", "report/test_advice.py"),
    Mutation("rehydrate/retake_frames.py", "SHARE = 0.1", "SHARE = 0.6", "rehydrate/test_retake_frames.py"),
    Mutation("run/preflight.py", "OLD_DAYS = 60", "OLD_DAYS = 500", "run/test_preflight.py"),
)


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
