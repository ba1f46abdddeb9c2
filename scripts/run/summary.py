"""Say in a few lines how a run ended."""

import csv
import json
import re
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from scripts.core.text import one_line
from scripts.download.faults import TRANSIENT
from scripts.inputs.videos import SPLITS
from scripts.job.disk import REMEDY, WORDS, fault_of_room
from scripts.report.advice import describe_absent_classes, describe_dropped, mostly_dropped

MOST_FAILED = 20  # lines of failed videos; the registry has them all
MOST_CAUSES = 5
KILLED = re.compile(r"died with <Signals\.SIGKILL|non-zero exit status 137")  # Snakemake's words
STOPPED = re.compile(r"^(Terminating processes on user request|Will exit after finishing)", re.MULTILINE)
FUNNEL = ("frames", "looked_at", "passed", "kept", "exported", "objects")


def summary(registry: Path, report: Path, warnings: Sequence[str] = (), absent: Sequence[str] = ()) -> str:
    """Return the closing summary of a finished run from its registry, its audit's warnings and its absent classes."""
    with registry.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
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
    registry, page = (results / "registry.tsv").absolute(), (results / "report.html").absolute()
    if registry.exists() and registry.stat().st_mtime >= started:
        audit = json.loads((results / "dataset/audit.json").read_text(encoding="utf-8"))
        print(summary(registry, page, audit["warnings"], audit["absent_classes"]), file=sys.stderr)


def print_last_summary(results: Path) -> None:
    """Print how the last run ended, if its results are all there."""
    if all((results / name).exists() for name in ("registry.tsv", "report.html", "dataset/audit.json")):
        print_summary(results, 0.0)


def print_failure(logs: Sequence[str]) -> None:
    """Repeat the causes, and say where to look and how to go on."""
    found = [Path(log) for log in logs if Path(log).is_file()]
    text = "\n".join(log.read_text(encoding="utf-8", errors="replace") for log in found)
    causes = dict.fromkeys(re.findall(r"^\S+ \S+ ERROR (.*)$", text, re.MULTILINE))
    if not any(REMEDY in cause for cause in causes) and (WORDS.search(text) or fault_of_room(Path.cwd())):
        causes[f"the disk is full: {REMEDY}"] = None  # Snakemake itself met it
    if KILLED.search(text):
        causes["a job was killed: by the system, if memory was short (run with fewer --cores), else by somebody"] = None
    stopped = STOPPED.search(text) is not None
    lines = [
        f"reelsieve: the run {'was stopped' if stopped else 'did not finish'}.",
        *(f"  {one_line(cause, 1000)}" for cause in list(causes)[:MOST_CAUSES]),
    ]
    if Path("results/report.html").exists() and not stopped:
        lines.append("results/report.html is of an earlier run.")
    lines += [
        f"Finished jobs are kept: {'to go on,' if stopped else 'mend the cause and'} run the same command again.",
        f"Everything is in {', '.join(map(str, found))}",
    ]
    print("\n".join(lines), file=sys.stderr)
