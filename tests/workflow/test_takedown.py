"""A video that is taken down leaves no byte in results/, logs/ and benchmarks/, and its copies step in."""

import csv
import hashlib
import json
import re
from pathlib import Path

import pytest

from scripts.core.tables import read_rows
from scripts.download.store import entry_of
from scripts.download.store_users import read_used_entries
from scripts.inputs.gathered import GATHERING
from tests._run import Finished, Run
from tests._server import FaultServer
from tests.conftest import DOWNLOAD

FOLDERS = ("results", "logs", "benchmarks")


def files(run: Run) -> list[Path]:
    return sorted(p for folder in FOLDERS for p in (run.folder / folder).rglob("*") if p.is_file())


def naming(run: Run, video: str) -> list[Path]:
    """Return the files whose name or content names a video; what tables compress is read."""
    word = re.compile(
        rf"(?<![A-Za-z0-9._-]){video}(?![A-Za-z0-9_-]|\.[A-Za-z0-9])|(?<![A-Za-z0-9._-]){video}(__|\.\w+$)"
    )

    def text(path: Path) -> str:
        name = str(path.relative_to(run.folder))
        content = str(read_rows(path)) if path.suffix == ".parquet" else path.read_text(errors="replace")
        return f"{name}\n{content}".replace("\\_", "_")  # as Markdown has it

    return [path for path in files(run) if word.search(text(path))]


def digests(paths: list[Path]) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.stat().st_size}


def test_an_excluded_and_a_removed_video_leave_nothing_and_the_copy_steps_in(
    finished: Finished, tmp_path: Path
) -> None:
    run = finished[0].copy(tmp_path / "run")
    own = [path for path in files(run) if re.search(r"/(avenue|empty)(/|__|\.)", str(path))]
    shared = digests([path for path in files(run) if path not in own])  # such as tables without rows
    before, table = digests(own) - shared, (run.folder / "config/videos.tsv").read_text()
    assert len(before) > 20 and naming(run, "avenue") and naming(run, "empty")
    run.write_config(run.read_config() | {"exclude": ["avenue"]})
    (run.folder / "config/videos.tsv").write_text(re.sub(r"(?m)^empty\t.*\n", "", table))
    everything = files(run)
    assert run.snakemake("-n").code == 0 and files(run) == everything, "a dry run deletes nothing"
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    assert re.search(r"^reelsieve: taken down: avenue \(excluded\): \d+ files deleted$", outcome.text, re.MULTILINE)
    assert (
        "taken down: empty (no longer in the table)" in outcome.text and "taken down: avenue_copy" not in outcome.text
    )
    made_anew = (*GATHERING, "deduplicate", "detect_objects", "export_dataset", "report", "record_provenance")
    assert outcome.jobs == dict.fromkeys(made_anew, 1)
    assert naming(run, "avenue") == naming(run, "empty") == []
    assert digests(files(run)) & before == set()
    assert (run.folder / "clips/avenue.mp4").exists(), "local files are the user's"
    ledger = read_rows(run.folder / "results/dataset/ledger.parquet")
    exported = {f"{row['video']}/{row['frame']}" for row in ledger if row["stage"] == "export_dataset"}
    groups: dict[str, set[str]] = {}
    for row in read_rows(finished[0].folder / "results/dedup/copies.parquet"):
        groups.setdefault(row["group"], set()).add(f"{row['video']}/{row['frame']}")
    freed = [group for name, group in groups.items() if name.startswith("avenue/")]
    assert len(freed) >= 5
    stands_for = {
        f"{row['video']}/{row['frame']}": row["representative"]
        for row in read_rows(run.folder / "results/dedup/copies.parquet")
    }
    for group in freed:
        copies = [frame for frame in group if frame.startswith("avenue_copy/")]
        assert copies and {stands_for[frame] for frame in copies} <= exported, "itself, or another one that is as near"
    standing = {stands_for[frame] for group in freed for frame in group if frame in stands_for}
    assert len(standing) >= 5
    images = {path.name for path in (run.folder / "results/dataset/images/train").glob("avenue_copy__*.jpg")}
    assert len(images) == len(standing)
    assert run.snakemake("-n").nothing_to_do


def test_another_table_in_the_same_folder_deletes_nothing(finished: Finished, tmp_path: Path) -> None:
    run = finished[0].copy(tmp_path / "run")
    run.write_table("night\tclips/night.mp4\t\t\ttest\tcity", "park2\tclips/park.mp4\t\t\ttrain\tpark")
    before = {path: path.stat().st_mtime_ns for path in files(run)}
    outcome = run.snakemake()
    assert outcome.code == 1 and "7 of 8 videos of this run folder are no longer in the table" in outcome.text
    assert "Is it the right table?" in outcome.text and "max_removed_share=1" in outcome.text
    assert {path: path.stat().st_mtime_ns for path in files(run)} == before
    run.write_config(run.read_config() | {"exclude": ["nigth"]})
    outcome = run.snakemake("-n")
    assert outcome.code == 1 and "config key exclude: 'nigth' is not in config/videos.tsv; allowed:" in outcome.text
    assert "such as night" in outcome.text


def reconcile(run: Run) -> None:
    """Hold every frame's fate against the tables of all stages."""
    results = run.folder / "results"
    ledger = read_rows(results / "dataset/ledger.parquet")
    manifest = read_rows(results / "dedup/copies.parquet")
    kept = json.loads((results / "dedup/kept.json").read_text())
    published = read_rows(results / "dataset/manifest.parquet")
    with (results / "registry.tsv").open(newline="") as file:
        registry = {row["video"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert {row["video"] for row in ledger} <= set(registry) and len(ledger) > 10
    for video, told in registry.items():
        of = [row for row in ledger if row["video"] == video]
        raw = {row["frame"] for row in read_rows(results / f"frames/{video}/frames.parquet")}
        stages: dict[str, set[str]] = {}
        for row in of:
            stages.setdefault(row["stage"], set()).add(row["frame"])
            assert (row["reason"] == "") == (row["file"] != "") and (
                row["stage"] == "export_dataset" or not row["file"]
            )
        assert {row["frame"] for row in of} == raw and len(of) == len(raw) == sum(map(len, stages.values()))
        filtered = read_rows(results / f"filtered/{video}/filter.parquet")
        verdicts = [row for row in manifest if row["video"] == video]
        exported = stages.get("export_dataset", set())
        assert {row["frame"] for row in filtered if not row["keep"]} == stages.get("extract_frames", set())
        assert {row["frame"] for row in filtered if row["keep"] and not row["passed"]} == stages.get(
            "filter_frames", set()
        )
        assert {row["frame"] for row in verdicts if not row["keep"]} == stages.get("deduplicate", set())
        assert {row["frame"] for row in verdicts if row["keep"]} == exported == set(kept[video]["frames"])
        assert {row["frame"] for row in read_rows(results / f"detections/{video}.parquet")} == exported
        images = {row["frame"] for row in of if row["file"]}
        assert {row["frame"] for row in published if row["video"] == video} == images
        assert int(told["frames"]) == len(raw) and int(told["exported"]) == len(images)
    laid_out = {f"images/{p.parent.name}/{p.name}" for p in (results / "dataset/images").rglob("*.jpg")}
    assert laid_out == {row["file"] for row in ledger if row["file"]} == {row["file"] for row in published}


@pytest.fixture
def urls(fresh: Run) -> Run:
    """Return a run folder that may fetch from this machine and keeps all frames."""
    fresh.write_config(fresh.read_config() | {"download": DOWNLOAD, "cleanup_raw_frames": False})
    return fresh


def test_totals_reconcile_and_the_store_is_purged_of_what_was_taken_down(urls: Run) -> None:
    with FaultServer() as server:
        night, park = (server.add(f"/{name}.mp4", urls.folder / f"clips/{name}.mp4") for name in ("night", "park"))
        rows = [f"night\t{night}\t\t\ttest", f"end\t{night}\t4\t\ttest", f"park\t{park}\t\t\ttrain"]
        urls.write_table(*rows, "mine\tclips/avenue.mp4\t\t5\ttrain")
        outcome = urls.snakemake()
        assert outcome.code == 0, outcome.text[-3000:]
        reconcile(urls)
        store = urls.folder / "store"
        assert read_used_entries(store, urls.folder) == {entry_of(store, night).name, entry_of(store, park).name}
        urls.write_config(urls.read_config() | {"exclude": ["night", "park"]})
        dry = urls.snakemake("purge_excluded", "-n")
        assert dry.code == 0 and dry.jobs == {"purge_excluded": 1} and "deleted" not in dry.text
        assert entry_of(store, park).exists() and (urls.folder / "results/download/park").exists()
        outcome = urls.snakemake("purge_excluded")
        assert outcome.code == 0, outcome.text[-3000:]
        assert re.search(r"deleted: \S*/media\.mp4, 0\.\d MB", outcome.text) and "taken down: park" in outcome.text
        assert not entry_of(store, park).exists()
        assert entry_of(store, night).exists(), "the row `end` uses the same URL"
        asked = server.requests["/night.mp4"]
        outcome = urls.snakemake()
        assert outcome.code == 0 and outcome.jobs["download_video"] == 0, outcome.text[-3000:]
        assert server.requests["/night.mp4"] == asked
        reconcile(urls)
