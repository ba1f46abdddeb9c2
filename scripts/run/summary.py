"""Print how a run ended in a few lines."""

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import shorten

from scripts.core.characters import one_line
from scripts.core.files import read_json
from scripts.core.layout import AUDIT, DATA_YAML, RESULTS, dataset_folder, registry_path, report_path
from scripts.core.tsv import read_tsv
from scripts.download.faults import TRANSIENT
from scripts.inputs.videos import SPLITS
from scripts.job.disk import REMEDY, WORDS, full_disk_fault
from scripts.report.advice import describe_absent_classes, describe_dropped, mostly_dropped
from scripts.run.snakemake_internals import KILLED_IN_LOG, STOPPED_IN_LOG

MOST_NAMED = 20  # videos with a line of their own; the registry has all
MOST_CAUSES = 5
FUNNEL = ("frames", "looked_at", "passed", "kept", "exported", "objects")

Row = dict[str, str]  # of the registry


def summary(registry: Path, report: Path, warnings: Sequence[str] = (), absent: Sequence[str] = ()) -> str:
    """Return the closing summary of a finished run.

    `warnings` and `absent` are the audit's warnings on the splits and the configured classes without any object.
    """
    rows = read_tsv(registry)
    dropped, absent_classes = describe_dropped(mostly_dropped(rows)), describe_absent_classes(absent)
    data = dataset_folder(report.parent) / DATA_YAML
    lines = [
        *_video_lines(rows, registry),
        *([f"{dropped}; see the report, section Lost"] if dropped else []),
        *([absent_classes] if absent_classes else []),
        *_count_lines(rows),
        *([f"  look at the splits (report, section Splits): {one_line('; '.join(warnings))}"] if warnings else []),
        f"dataset: {dataset_folder(report.parent)}",
        f"report:  {report}",
        *([f"train:   yolo detect train model=yolo26n.pt data={shlex.quote(str(data))}"] if data.exists() else []),
    ]
    return "\n".join(lines)


def _video_lines(rows: Sequence[Row], registry: Path) -> Iterator[str]:
    """Yield the videos that failed, those with a message, and those without an image in the dataset."""
    failed = [row for row in rows if row["status"] != "ok"]
    ok = [row for row in rows if row["status"] == "ok"]
    yield f"reelsieve: {len(ok)} of {len(rows)} videos ok"
    yield from (f"  {row['video']}: {row['status']}: {one_line(row['message'])}" for row in failed[:MOST_NAMED])
    if len(failed) > MOST_NAMED:
        yield f"  and {len(failed) - MOST_NAMED} more, in {registry}"
    if transient := [row for row in failed if row["status"] in TRANSIENT]:
        yield f"a retry may fetch {len(transient)} of them: snakemake retry_failed, with the options of this run"
    with_message = [row for row in ok if row["message"]]
    yield from (f"  {row['video']}: {one_line(row['message'])}" for row in with_message[:MOST_NAMED])
    if unused := [row["video"] for row in ok if row["exported"] == "0"]:
        yield f"ok, but no frame of it in the dataset: {shorten(', '.join(unused), 300)}"


def _count_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the numbers of frames after each stage, and of images in each split."""
    totals = {name: sum(int(row[name] or 0) for row in rows) for name in FUNNEL}
    yield (
        f"frames: {totals['frames']} extracted, {totals['looked_at']} looked at,"
        f" {totals['passed']} passed the filter, {totals['kept']} unique,"
        f" {totals['exported']} in the dataset with {totals['objects']} objects"
    )
    images = {split: sum(int(row["exported"] or 0) for row in rows if row["split"] == split) for split in SPLITS}
    yield "splits: " + ", ".join(f"{count} {split}" for split, count in images.items())


def print_summary(results: Path, started: float) -> None:
    """Print the summary of a run that wrote the registry after `started` (seconds since the epoch)."""
    registry, page = registry_path(results).absolute(), report_path(results).absolute()
    if registry.exists() and registry.stat().st_mtime >= started:
        audit = read_json(dataset_folder(results) / AUDIT)
        print(summary(registry, page, audit["warnings"], audit["absent_classes"]), file=sys.stderr)


def print_last_summary(results: Path) -> None:
    """Print the summary of the last run if all its results exist."""
    if all(path.exists() for path in (registry_path(results), report_path(results), dataset_folder(results) / AUDIT)):
        print_summary(results, 0.0)


def print_failure(logs: Sequence[str]) -> None:
    """Print why a run failed or stopped, where its logs are, and how to continue. `logs` are Snakemake's log files."""
    found = [Path(log) for log in logs if Path(log).is_file()]
    text = "\n".join(log.read_text(encoding="utf-8", errors="replace") for log in found)
    stopped = STOPPED_IN_LOG.search(text) is not None
    lines = [
        f"reelsieve: the run {'was stopped' if stopped else 'did not finish'}.",
        *(f"  {one_line(cause, 1000)}" for cause in _causes(text)[:MOST_CAUSES]),
    ]
    if report_path(RESULTS).exists() and not stopped:
        lines.append(f"{report_path(RESULTS)} is of an earlier run.")
    lines += [
        f"Finished jobs are kept. {'To continue,' if stopped else 'Fix the cause, then'} run the same command again.",
        f"All messages are in {', '.join(map(str, found))}",
    ]
    print("\n".join(lines), file=sys.stderr)


def _causes(text: str) -> list[str]:
    """Return the errors in the text of Snakemake's log, without repetitions, and those of which no job knows."""
    causes = list(dict.fromkeys(re.findall(r"^\S+ \S+ ERROR (.*)$", text, re.MULTILINE)))
    if not any(REMEDY in cause for cause in causes) and (WORDS.search(text) or full_disk_fault(Path.cwd())):
        causes.append(f"the disk is full: {REMEDY}")  # Snakemake itself could not write
    if KILLED_IN_LOG.search(text):
        causes.append("a job was killed: by the system if memory ran out (use fewer --cores), else by somebody")
    return causes
