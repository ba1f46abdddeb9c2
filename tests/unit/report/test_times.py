"""The page of times adds up what the jobs say of their time and memory."""

from pathlib import Path
from typing import Any

from scripts.core.tsv import tsv_text
from scripts.job.usage import COLUMNS
from scripts.report.times import times_of, write_times


def benchmark(path: Path, seconds: float, rss_mb: float) -> None:
    """Write the usage of a job."""
    path.parent.mkdir(parents=True, exist_ok=True)
    row = dict.fromkeys(COLUMNS, "") | {"s": str(seconds), "max_rss": str(rss_mb)}
    path.write_text(tsv_text(COLUMNS, [row]))


def test_a_stage_has_the_sum_of_its_jobs_and_the_rate_of_its_work(tmp_path: Path) -> None:
    benchmark(tmp_path / "extract_frames/a.tsv", 2.0, 100)
    benchmark(tmp_path / "extract_frames/b.tsv", 6.0, 300)
    benchmark(tmp_path / "export_dataset.tsv", 0.5, 50)
    rows: list[dict[str, Any]] = [{"frames": 30, "exported": 0}, {"frames": 50, "exported": None}]
    first, second = times_of(tmp_path, rows)
    assert (first["stage"], first["n_jobs"], first["total_s"], first["mean_s"], first["longest_s"]) == (
        "extract_frames", 2, 8.0, 4.0, 6.0,
    )  # fmt: skip
    assert (first["share"], second["share"]) == (1.0, 0.0625)
    assert (first["rate"], first["unit"], first["max_rss_mb"]) == (10.0, "frames", 300.0)
    assert second["stage"] == "export_dataset" and second["rate"] is None
    write_times(tmp_path, rows, tmp_path / "times.html")
    page = (tmp_path / "times.html").read_text()
    assert "extract_frames" in page and "10.0 frames" in page


def test_without_benchmarks_there_is_an_empty_table(tmp_path: Path) -> None:
    assert times_of(tmp_path, []) == []
    write_times(tmp_path, [], tmp_path / "times.html")
    assert "<tbody>\n</tbody>" in (tmp_path / "times.html").read_text()
