"""Reruns whose jobs only a real run shows; what else runs again after which change is in test_rerun_matrix.py."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core.tables import read_rows
from scripts.dataset.digest import digest_of
from tests._run import PAIR, Finished, LayOut, Run
from tests._server import FaultServer
from tests.conftest import DOWNLOAD


def test_an_added_video_runs_its_own_chain_and_no_other_detection(finished: Finished, tmp_path: Path) -> None:
    run = finished[0].copy(tmp_path / "run")
    with (run.folder / "config/videos.tsv").open("a") as table:
        table.write("night_again\tclips/night.mp4\t0.5\t\ttest\tcity\n")
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    chain = (
        "download_video",
        "extract_frames",
        "filter_frames",
        "hash_frames",
        "gather_videos",
        "deduplicate",
        "detect_objects",
        "gather_detections",
        "export_dataset",
        "report",
        "record_provenance",
    )
    assert outcome.jobs == dict.fromkeys(chain, 1)
    assert "wildcards: video=night_again" in outcome.text and "7 of 9 videos ok" in outcome.text


def test_a_threshold_moved_and_moved_back_detects_only_where_kept_frames_changed_and_leaves_no_trace(
    finished: Finished, tmp_path: Path
) -> None:
    run = finished[0].copy(tmp_path / "run")
    config = run.read_config()
    before = digest_of(run.folder / "results")
    together = dict.fromkeys(("deduplicate", "export_dataset", "report", "record_provenance"), 1)
    run.write_config(config | {"dedup": {"max_distance_bits": 9}})
    assert run.snakemake().jobs == together
    assert digest_of(run.folder / "results") != before
    run.write_config(config)
    assert run.snakemake().jobs == together
    assert digest_of(run.folder / "results") == before


def test_other_formats_are_only_written_and_backgrounds_need_the_filter(finished: Finished, tmp_path: Path) -> None:
    run = finished[0].copy(tmp_path / "run")
    config = run.read_config() | {"cleanup_raw_frames": False}
    config["dataset"] = {"formats": ["parquet", "imagefolder"]}
    run.write_config(config)
    outcome = run.snakemake("results/dataset")
    assert outcome.code == 0 and outcome.jobs == {"export_dataset": 1}, outcome.text[-3000:]
    dataset = run.folder / "results/dataset"
    assert (dataset / "croissant.json").exists() and not (dataset / "labels").exists()
    config["dataset"]["negatives_share"] = 0.1
    run.write_config(config)
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    assert outcome.jobs["filter_frames"] == 8 and outcome.jobs["download_video"] == 0
    # Detection runs where a background was kept beside the frames of before: nothing was seen in these two alone.
    assert outcome.jobs["detect_objects"] == 2 and outcome.jobs["export_dataset"] == 1
    rows = read_rows(dataset / "ledger.parquet")
    without = [r for r in rows if r["file"] and r["video"] == "empty"]
    assert len(without) == 1 and {r["reason"] for r in rows if r["stage"] == "export_dataset"} == {
        "", "surplus_background",
    }  # fmt: skip


def test_raw_frames_and_media_do_not_wait_for_the_other_videos(fresh: Run) -> None:
    fresh.write_config(fresh.read_config() | {"cleanup_raw_frames": True, "keep_media": False})
    assert fresh.snakemake("--until", "filter_frames").code == 0
    assert (fresh.folder / "results/filtered/night/filter.parquet").exists()
    assert not (fresh.folder / "results/frames/night").exists()
    assert not (fresh.folder / "results/download/night/media").exists()
    outcome = fresh.snakemake()
    assert outcome.code == 0 and outcome.jobs["deduplicate"] == 1
    assert not {"download_video", "extract_frames", "filter_frames"} & set(outcome.jobs)


@pytest.fixture(params=["beside", "on another file system"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Return a folder for the store, which is linked to in one way or the other."""
    if request.param == "beside":
        yield tmp_path / "run/store"
    elif Path("/dev/shm").is_dir() and Path("/dev/shm").stat().st_dev != tmp_path.stat().st_dev:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            yield Path(folder)
    else:
        pytest.skip("no second file system")


def test_media_go_once_they_are_filtered_and_come_again_when_needed(
    demo: LayOut, compiled_demo: Path, tmp_path: Path, store: Path
) -> None:
    run = demo(tmp_path / "run")
    config = (
        run.read_config()
        | {"keep_media": False, "cleanup_raw_frames": False, "store": str(store)}
        | {"download": DOWNLOAD}
    )
    run.write_config(config)
    shutil.copytree(compiled_demo / "store/models", store / "models", dirs_exist_ok=True)
    with FaultServer() as server:
        url = server.add("/night.mp4", run.folder / "clips/night.mp4")
        run.write_table(f"start\t{url}\t\t3\ttrain", f"end\t{url}\t3\t\ttrain", "mine\tclips/night.mp4\t\t2\ttest")
        # What follows the filter is the same on any file system.
        target = () if store.is_relative_to(run.folder) else ("--until", "hash_frames")
        assert run.snakemake(*target).code == 0
        assert not [p for folder in (store, run.folder / "results") for p in folder.rglob("media.*")]
        assert (run.folder / "clips/night.mp4").exists()
        again = run.snakemake("-n", *target)
        assert again.code == 0 and not again.jobs
        asked = server.requests["/night.mp4"]
        run.write_config(config | {"filter": config["filter"] | {"confidence": 0.6}})
        assert run.snakemake("-n").jobs["download_video"] == 0
        outcome = run.snakemake("--until", "filter_frames")
        assert outcome.jobs["filter_frames"] == 3 and outcome.jobs["download_video"] == 0, outcome.text[-3000:]
        run.write_config(config | {"frames": {"interval_s": 0.5, "similar_bits": -1}})
        outcome = run.snakemake(*target)
        assert outcome.code == 0 and outcome.jobs["download_video"] == outcome.jobs["filter_frames"] == 3
        assert server.requests["/night.mp4"] > asked
    assert not [p for folder in (store, run.folder / "results") for p in folder.rglob("media.*")]
    assert len(list((run.folder / "results/frames/start").glob("*.jpg"))) == 6


def test_detection_alone_can_be_asked_for_again(finished: Finished, tmp_path: Path) -> None:
    run = finished[0].copy(tmp_path / "run")
    asked = run.snakemake("results/detections/night.parquet", "--forcerun", "detect_objects", "-n")
    assert asked.jobs == {"detect_objects": 1}, asked.text


def test_damaged_outputs_are_made_again(finished_pair: Run, tmp_path: Path) -> None:
    run = finished_pair.copy(tmp_path / "run")
    before = digest_of(run.folder / "results")
    [table, _] = sorted(run.folder.glob("results/filtered/*/filter.parquet"))
    [detections, _] = sorted(run.folder.glob("results/detections/*.parquet"))
    kept = run.folder / "results/dedup/kept.json"
    for path in (table, detections):
        path.write_bytes(path.read_bytes()[:200])
    kept.write_text("garbage")
    planned = run.snakemake("-n", "--quiet", "progress")
    assert planned.code == 0 and table.stat().st_size == 200, "a dry run changes nothing"
    outcome = run.snakemake()
    assert outcome.code == 0, outcome.text[-3000:]
    assert "results/dedup/kept.json is damaged: the run makes results/dedup/kept.json again" in outcome.text
    assert outcome.jobs["filter_frames"] == 1 and outcome.jobs["deduplicate"] == 1
    assert digest_of(run.folder / "results") == before
    assert run.snakemake().nothing_to_do


def inferences(run: Run) -> list[str]:
    """Return what the detectors of all runs of a folder say about their inferences."""
    logs = sorted((run.folder / ".snakemake").glob("detector-*.log"))
    return [line for log in logs for line in log.read_text().splitlines() if " images in " in line]


def test_moved_thresholds_infer_nothing_and_give_what_a_fresh_run_gives(
    finished_pair: Run, fresh: Run, tmp_path: Path
) -> None:
    run = finished_pair.copy(tmp_path / "moved")
    config = run.read_config()
    before, inferred = digest_of(run.folder / "results"), inferences(run)
    assert len(inferred) == 2, "by the filter of two videos: detection has the same model and asks for no more"
    moved = {
        "filter": config["filter"] | {"confidence": 0.15, "classes": ["car", "dog"], "min_objects": 2},
        "detect": config["detect"] | {"confidence": 0.3, "max_objects": 4},
    }
    for one in (run, fresh):
        one.write_config(config | moved)
    fresh.write_table(*PAIR)
    outcome = run.snakemake()
    assert outcome.code == 0 and outcome.jobs["filter_frames"] == outcome.jobs["detect_objects"] == 2, outcome.text
    assert inferences(run) == inferred
    assert fresh.snakemake().code == 0 and len(inferences(fresh)) == 2
    assert digest_of(run.folder / "results") == digest_of(fresh.folder / "results") != before
    run.write_config(config)
    assert run.snakemake().code == 0 and inferences(run) == inferred
    assert digest_of(run.folder / "results") == before


def test_labels_need_an_inference_only_if_detection_asks_for_more_than_the_filter_saw(
    finished_clip: Run, tmp_path: Path
) -> None:
    run = finished_clip.copy(tmp_path / "run")
    config, inferred = run.read_config(), inferences(run)
    for change in ({"confidence": 0.02}, {"iou": 0.5}):
        run.write_config(config | {"detect": config["detect"] | change})
        assert run.snakemake().code == 0
        assert len(inferences(run)) == len(inferred) + 1
        inferred = inferences(run)
    run.write_config(config | {"detect": config["detect"] | {"iou": 0.5, "confidence": 0.3}})
    assert run.snakemake().code == 0 and inferences(run) == inferred
