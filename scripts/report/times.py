"""Write the page of times per stage from the usage of each job; it is outside results/, because times differ."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from scripts.core.files import write_text
from scripts.core.tsv import read_tsv
from scripts.report.page import RegistryRow, render

# What each stage works on: a column of the registry, the unit shown, and how many of the column make one unit.
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


class StageTimes(TypedDict):
    """The jobs of a stage, with their total work and its rate per second."""

    stage: str
    n_jobs: int
    total_s: float
    mean_s: float
    longest_s: float
    max_rss_mb: float | None
    work: float
    unit: str
    rate: float | None
    share: float  # of the time of the slowest stage


def write_times(benchmarks: Path, rows: Sequence[RegistryRow], page: Path) -> None:
    """Write the page of times; `rows` are those of the registry."""
    write_text(page, render("times.html.jinja", {"stages": times_of(benchmarks, rows)}))


def times_of(benchmarks: Path, rows: Sequence[RegistryRow]) -> list[StageTimes]:
    """Return the times, memory and rate of each stage, the slowest stage first."""
    names = {path.relative_to(benchmarks).parts[0].removesuffix(".tsv") for path in benchmarks.rglob("*.tsv")}
    names.discard("report")  # this job has no file yet; an earlier run may have left one
    stages = [_stage_times(name, list(_jobs(benchmarks, name)), rows) for name in sorted(names)]
    slowest = max((stage["total_s"] for stage in stages), default=0) or 1
    for stage in stages:
        stage["share"] = stage["total_s"] / slowest
    return sorted(stages, key=lambda stage: (-stage["total_s"], stage["stage"]))


def _jobs(benchmarks: Path, stage: str) -> Iterator[Mapping[str, str]]:
    for file in [benchmarks / f"{stage}.tsv", *sorted((benchmarks / stage).glob("*.tsv"))]:
        if file.is_file():
            yield from read_tsv(file)[-1:]


def _stage_times(stage: str, jobs: Sequence[Mapping[str, str]], rows: Sequence[RegistryRow]) -> StageTimes:
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
        "share": 0.0,
    }
