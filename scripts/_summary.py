"""Say in a few lines how a run ended."""

import csv
from collections import Counter
from pathlib import Path

FUNNEL = ("frames", "passed", "kept", "exported", "objects")


def summary(registry: Path, report: Path) -> str:
    """Return the closing summary of a finished run from its registry."""
    with registry.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    failed = [row for row in rows if row["status"] != "ok"]
    totals = Counter({name: sum(int(row[name] or 0) for row in rows) for name in FUNNEL})
    lines = [
        f"reelsieve: {len(rows) - len(failed)} of {len(rows)} videos ok",
        *(f"  {row['video']}: {row['status']}: {row['message']}" for row in failed),
        f"frames: {totals['frames']} extracted, {totals['passed']} passed the filter, {totals['kept']} unique,"
        f" {totals['exported']} in the dataset with {totals['objects']} objects",
        f"dataset: {report.parent / 'dataset'}",
        f"report:  {report}",
    ]
    return "\n".join(lines)
