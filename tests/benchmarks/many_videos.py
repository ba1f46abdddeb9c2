"""Measure what many videos cost Snakemake and the workflow themselves: reading, planning, scheduling, summing up.

python -m tests.benchmarks.many_videos [--counts 100,1000,10000] [--write]      an hour or more

The stages of a video only copy what was made before; deduplicate, export_dataset and report are the real ones. Whole
runs are measured up to 1,000 videos; a finished folder of more is laid by hand and declared finished by --touch.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.benchmarks._measure import Measured, measure
from tests.benchmarks._stubs import lay_out_videos, lay_results, list_videos, stubbed_checkout
from tests.conftest import REPO

COUNTS = (100, 1000, 10_000)
MOST_RUN_WHOLE = 1000
AT_ONCE = 500  # jobs declared finished at a time
READ = (
    "import os, sys; os.chdir(sys.argv[1]); from scripts.inputs.videos import *; read_videos(Path('config/videos.tsv'))"
)
# Snakemake sleeps 0.1 s for each job that it declares finished.
TOUCH = "import snakemake.executors.touch as t; t.Executor.SLEEPING_TIME = 0; from snakemake.cli import main; main()"
HEAD = """# Many videos

## What they cost

CPU seconds and peak memory of Snakemake itself, on {cpus} cores. Wall time is about the same. Stages of single videos
only copy files; deduplicate, export_dataset and report are real (`python -m tests.benchmarks.many_videos --write`).

| what | {columns} |
|---|{lines}|
"""


class Bench:
    """A run folder with many videos, and what was measured on it."""

    def __init__(self, folder: Path, count: int) -> None:
        self.run, self.count, self.log = folder / "run", count, folder / "log"
        self.checkout = stubbed_checkout(folder / "checkout")
        self.measured: dict[str, Measured] = {}
        lay_out_videos(self.run, count)

    def snakemake(self, name: str, *arguments: str, prefix: tuple[str, ...] = ("-m", "snakemake")) -> None:
        """Measure a call of snakemake under a name."""
        where = ["-s", str(self.checkout / "Snakefile"), "--directory", str(self.run), "--quiet", "rules", "progress"]
        cores = [] if "--cores" in arguments else ["--cores", "2", "--resources", "gpu=1"]
        self._measure(name, [sys.executable, *prefix, *arguments, *where, *cores])

    def read_table(self) -> None:
        """Measure reading and checking the table alone."""
        self._measure("the table read and checked", [sys.executable, "-c", READ, str(self.run)])

    def finish(self) -> None:
        """Run everything, or declare it finished."""
        if self.count <= MOST_RUN_WHOLE:
            self.snakemake("a whole run")
            return
        lay_results(self.run, self.count)
        many = ("--touch", "--cores", str(AT_ONCE), "--scheduler-subsample", str(AT_ONCE))
        slots = ("--resources", *(f"{slot}={AT_ONCE}" for slot in ("gpu", "download", "extract")))
        hashed = ("--forcerun", "download_video", "compile_model", "--until", "hash_frames")
        self.snakemake("", *many, *slots, *hashed, prefix=("-c", TOUCH))
        self.snakemake("", "deduplicate")
        labelled = ("--forcerun", "detect_objects", "--until", "detect_objects")
        self.snakemake("", *many, *slots, *labelled, prefix=("-c", TOUCH))
        self.snakemake("only export_dataset and report")

    def _measure(self, name: str, command: list[str]) -> None:
        seen = measure(command, self.log)
        print(f"{self.count} {name}: {_cell(seen)}", flush=True)
        self.measured[name] = seen


def measure_count(count: int, folder: Path) -> dict[str, Measured]:
    """Measure all that is done with so many videos."""
    bench = Bench(folder, count)
    bench.read_table()
    bench.snakemake("dry run from nothing", "-n")
    bench.finish()
    bench.snakemake("a run with nothing to do")
    if "Nothing to be done" not in bench.measured["a run with nothing to do"].text:
        raise SystemExit(f"{count}: something was left to do: the folder was not finished")
    bench.snakemake("dry run of retry_failed", "retry_failed", "-n")
    list_videos(bench.run, count + 1)
    bench.snakemake("dry run with one video added", "-n")
    bench.snakemake("run with one video added")
    return bench.measured


def table(found: dict[int, dict[str, Measured]]) -> str:
    """Return a row per thing measured and a column per count."""
    names = list(dict.fromkeys(name for measured in found.values() for name in measured if name))
    rows = [[name, *(_cell(of[name]) if name in of else "" for of in found.values())] for name in names]
    columns = " | ".join(f"{count:,}" for count in found)
    head = HEAD.format(cpus=os.cpu_count(), columns=columns, lines="|".join(["---"] * len(found)))
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(seen: Measured) -> str:
    return f"{seen.cpu_s:.1f} s, {seen.peak_mb:.0f} MB"


def main() -> None:
    """Measure each count; print or write the table, above what is written by hand."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help="into docs/")
    options.add_argument("--counts", default=",".join(map(str, COUNTS)))
    asked = options.parse_args()
    found = {}
    for count in map(int, asked.counts.split(",")):
        folder = Path(tempfile.mkdtemp(prefix="many-"))
        try:
            found[count] = measure_count(count, folder)
        finally:
            shutil.rmtree(folder)
    print(table(found))
    if asked.write:
        page = REPO / "docs/many_videos.md"
        by_hand = page.read_text(encoding="utf-8").partition("\n## What to set")
        page.write_text(table(found) + "".join(by_hand[1:]), encoding="utf-8")


if __name__ == "__main__":
    main()
