"""Say what each stage took, from Snakemake's benchmark files: apart from results/, since no two runs take the same."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.core.files import write_text
from scripts.core.tsv import read_tsv
from scripts.report.page import render

Row = dict[str, Any]

# By stage, what it works on: a column of the registry, its unit, and how many of the column make one.
WORK = {
    "download_video": ("media_bytes", "MB", 1e6),
    "extract_frames": ("frames", "frames", 1),
    "filter_frames": ("looked_at", "frames", 1),
    "hash_frames": ("passed", "frames", 1),
    "embed_frames": ("passed", "frames", 1),
    "deduplicate": ("passed", "frames", 1),
    "detect_objects": ("kept", "frames", 1),
    "export_dataset": ("exported", "images", 1),
}


def write_times(benchmarks: Path, rows: Sequence[Row], page: Path) -> None:
    """Write the page of times and rates per stage; `rows` are those of the registry."""
    write_text(page, render("times.html.jinja", {"stages": times_of(benchmarks, rows)}))


def times_of(benchmarks: Path, rows: Sequence[Row]) -> list[Row]:
    """Return per stage its jobs, their seconds, memory and rate, in the order of the longest."""
    stages = {path.relative_to(benchmarks).parts[0].removesuffix(".tsv") for path in benchmarks.rglob("*.tsv")}
    stages.discard("report")  # the job that asks has no file yet, but perhaps one of an earlier run
    told = [_told(stage, list(_jobs(benchmarks, stage)), rows) for stage in sorted(stages)]
    longest = max((stage["total_s"] for stage in told), default=0) or 1
    return [
        stage | {"share": stage["total_s"] / longest}
        for stage in sorted(told, key=lambda stage: (-stage["total_s"], stage["stage"]))
    ]


def _jobs(benchmarks: Path, stage: str) -> Iterator[Mapping[str, str]]:
    for file in [benchmarks / f"{stage}.tsv", *sorted((benchmarks / stage).glob("*.tsv"))]:
        if file.is_file():
            yield from read_tsv(file)[-1:]


def _told(stage: str, jobs: Sequence[Mapping[str, str]], rows: Sequence[Row]) -> Row:
    seconds = [float(job["s"]) for job in jobs]
    memory = [float(job["max_rss"]) for job in jobs if job["max_rss"] not in ("-", "NA", "")]
    total_s = sum(seconds)
    column, unit, size = WORK.get(stage, ("", "", 1))
    work = sum(row[column] or 0 for row in rows) / size if column else 0
    return {
        "stage": stage,
        "n_jobs": len(jobs),
        "total_s": total_s,
        "mean_s": total_s / max(1, len(jobs)),
        "longest_s": max(seconds, default=0),
        "max_rss_mb": max(memory, default=None),
        "work": work,
        "unit": unit,
        "rate": work / total_s if total_s and work else None,
    }
