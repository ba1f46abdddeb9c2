"""Say in a few lines how a run ended."""

import csv
import sys
from collections import Counter
from pathlib import Path

MOST_FAILED = 20  # lines of failed videos; the registry has them all
FUNNEL = ("frames", "passed", "kept", "exported", "objects")


def summary(registry: Path, report: Path) -> str:
    """Return the closing summary of a finished run from its registry."""
    with registry.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    failed = [row for row in rows if row["status"] != "ok"]
    totals = Counter({name: sum(int(row[name] or 0) for row in rows) for name in FUNNEL})
    lines = [
        f"reelsieve: {len(rows) - len(failed)} of {len(rows)} videos ok",
        *(f"  {row['video']}: {row['status']}: {row['message']}" for row in failed[:MOST_FAILED]),
        *([f"  and {len(failed) - MOST_FAILED} more, in {registry}"] if len(failed) > MOST_FAILED else []),
        f"frames: {totals['frames']} extracted, {totals['passed']} passed the filter, {totals['kept']} unique,"
        f" {totals['exported']} in the dataset with {totals['objects']} objects",
        f"dataset: {report.parent / 'dataset'}",
        f"report:  {report}",
    ]
    return "\n".join(lines)


def print_summary(results: Path, started: float) -> None:
    """Print how the run ended, if it wrote the registry since `started` (seconds since the epoch)."""
    registry, page = (results / "registry.tsv").absolute(), (results / "report.html").absolute()
    if registry.exists() and registry.stat().st_mtime >= started:
        print(summary(registry, page), file=sys.stderr)


def print_failure(log: str) -> None:
    """Say where to look and how to go on."""
    print(
        "reelsieve: the run did not finish. What is done is kept: mend the cause and run the same command again.\n"
        f"The failed jobs and their logs are named above; everything is in {log}",
        file=sys.stderr,
    )
