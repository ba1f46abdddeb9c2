"""Say in a few lines how a run ended."""

import re
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from scripts.core.files import read_json
from scripts.core.layout import AUDIT, RESULTS, dataset_folder, registry_path, report_path
from scripts.core.text import one_line
from scripts.core.tsv import read_tsv
from scripts.download.faults import TRANSIENT
from scripts.inputs.videos import SPLITS
from scripts.job.disk import REMEDY, WORDS, full_disk_fault
from scripts.report.advice import describe_absent_classes, describe_dropped, mostly_dropped
from scripts.run.snakemake_internals import KILLED_IN_LOG, STOPPED_IN_LOG

MOST_FAILED = 20  # lines of failed videos; the registry has them all
MOST_CAUSES = 5
FUNNEL = ("frames", "looked_at", "passed", "kept", "exported", "objects")


def summary(registry: Path, report: Path, warnings: Sequence[str] = (), absent: Sequence[str] = ()) -> str:
    """Return the closing summary of a finished run from its registry, its audit's warnings and its absent classes."""
    rows = read_tsv(registry)
    failed = [row for row in rows if row["status"] != "ok"]
    totals = Counter({name: sum(int(row[name] or 0) for row in rows) for name in FUNNEL})
    transient = [row for row in failed if row["status"] in TRANSIENT]
    said = [row for row in rows if row["status"] == "ok" and row["message"]]
    useless = [row["video"] for row in rows if row["status"] == "ok" and row["exported"] == "0"]
    data = report.parent / "dataset/data.yaml"
    exported = {split: sum(int(row["exported"] or 0) for row in rows if row["split"] == split) for split in SPLITS}
    lines = [
        f"reelsieve: {len(rows) - len(failed)} of {len(rows)} videos ok",
        *(f"  {row['video']}: {row['status']}: {one_line(row['message'])}" for row in failed[:MOST_FAILED]),
        *([f"  and {len(failed) - MOST_FAILED} more, in {registry}"] if len(failed) > MOST_FAILED else []),
        *(
            [f"{len(transient)} of them may come now: snakemake retry_failed, and then the options of this run"]
            if transient
            else []
        ),
        *(f"  {row['video']}: {one_line(row['message'])}" for row in said[:MOST_FAILED]),
        *([f"ok, but no frame of it in the dataset: {shorten(', '.join(useless), 300)}"] if useless else []),
        *([f"{told}; see the report, section Lost"] if (told := describe_dropped(mostly_dropped(rows))) else []),
        *([told] if (told := describe_absent_classes(absent)) else []),
        f"frames: {totals['frames']} extracted, {totals['looked_at']} looked at,"
        f" {totals['passed']} passed the filter, {totals['kept']} unique,"
        f" {totals['exported']} in the dataset with {totals['objects']} objects",
        "splits: " + ", ".join(f"{count} {split}" for split, count in exported.items()),
        *([f"  look at the splits (report, section Splits): {one_line('; '.join(warnings))}"] if warnings else []),
        f"dataset: {report.parent / 'dataset'}",
        f"report:  {report}",
        *([f"train:   yolo detect train model=yolo26n.pt data={shlex.quote(str(data))}"] if data.exists() else []),
    ]
    return "\n".join(lines)


def print_summary(results: Path, started: float) -> None:
    """Print how the run ended, if it wrote the registry since `started` (seconds since the epoch)."""
    registry, page = registry_path(results).absolute(), report_path(results).absolute()
    if registry.exists() and registry.stat().st_mtime >= started:
        audit = read_json(dataset_folder(results) / AUDIT)
        print(summary(registry, page, audit["warnings"], audit["absent_classes"]), file=sys.stderr)


def print_last_summary(results: Path) -> None:
    """Print how the last run ended, if its results are all there."""
    if all(path.exists() for path in (registry_path(results), report_path(results), dataset_folder(results) / AUDIT)):
        print_summary(results, 0.0)


def print_failure(logs: Sequence[str]) -> None:
    """Repeat the causes, and say where to look and how to go on."""
    found = [Path(log) for log in logs if Path(log).is_file()]
    text = "\n".join(log.read_text(encoding="utf-8", errors="replace") for log in found)
    causes = dict.fromkeys(re.findall(r"^\S+ \S+ ERROR (.*)$", text, re.MULTILINE))
    if not any(REMEDY in cause for cause in causes) and (WORDS.search(text) or full_disk_fault(Path.cwd())):
        causes[f"the disk is full: {REMEDY}"] = None  # Snakemake itself met it
    if KILLED_IN_LOG.search(text):
        causes["a job was killed: by the system, if memory was short (run with fewer --cores), else by somebody"] = None
    stopped = STOPPED_IN_LOG.search(text) is not None
    lines = [
        f"reelsieve: the run {'was stopped' if stopped else 'did not finish'}.",
        *(f"  {one_line(cause, 1000)}" for cause in list(causes)[:MOST_CAUSES]),
    ]
    if report_path(RESULTS).exists() and not stopped:
        lines.append("results/report.html is of an earlier run.")
    lines += [
        f"Finished jobs are kept: {'to go on,' if stopped else 'mend the cause and'} run the same command again.",
        f"Everything is in {', '.join(map(str, found))}",
    ]
    print("\n".join(lines), file=sys.stderr)
