"""The summary at the end of a run, and the message after a failed one."""

import json
import os
from pathlib import Path

import pytest

from scripts.core.tsv import tsv_text
from scripts.inputs.columns import REGISTRY_COLUMNS
from scripts.report.report import registry_tsv
from scripts.run.summary import print_failure, print_last_summary, print_summary, summary

EMPTY: dict[str, object] = dict.fromkeys(REGISTRY_COLUMNS, "")
OK = EMPTY | {
    "video": "a", "status": "ok", "split": "train", "frames": 20, "looked_at": 20, "passed": 12, "kept": 3,
    "exported": 2, "objects": 5,
}  # fmt: skip


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_registry(*rows: dict[str, object]) -> Path:
    path = Path("registry.tsv")
    path.write_text(tsv_text(REGISTRY_COLUMNS, rows))
    return path


def failed(video: str, status: str) -> dict[str, object]:
    return EMPTY | {"video": video, "status": status, "message": "HTTP Error"}


def test_the_summary_counts_videos_frames_and_splits() -> None:
    registry = write_registry(
        OK, OK | {"video": "b", "exported": 0}, failed("c", "blocked"), failed("d", "invalid_media")
    )
    lines = summary(registry, Path("report.html"), absent=["dog"]).splitlines()
    assert lines == [
        "reelsieve: 2 of 4 videos ok",
        "  c: blocked: HTTP Error",
        "  d: invalid_media: HTTP Error",
        "a retry may fetch 1 of them: snakemake retry_failed, with the options of this run",
        "ok, but no frame of it in the dataset: b",
        lines[5],
        "frames: 40 extracted, 40 looked at, 24 passed the filter, 6 unique, 2 in the dataset with 10 objects",
        "splits: 2 train, 0 val, 0 test",
        "dataset: dataset",
        "report:  report.html",
    ]
    assert "dog" in lines[5]


def test_long_lists_of_failed_videos_are_cut() -> None:
    registry = write_registry(*(failed(f"v{number}", "unavailable") for number in range(22)))
    text = summary(registry, Path("report.html"))
    assert "v19: " in text and "v20: " not in text and "  and 2 more, in registry.tsv" in text


def test_videos_that_lost_nearly_all_frames_and_a_yolo_dataset_are_named() -> None:
    Path("my results/dataset").mkdir(parents=True)
    Path("my results/dataset/data.yaml").touch()
    registry = write_registry(OK | {"passed": 2})
    text = summary(registry, Path("my results/report.html"), ["val is empty"])
    assert "see the report, section Lost" in text and "(report, section Splits): val is empty" in text
    assert text.endswith("train:   yolo detect train model=yolo26n.pt data='my results/dataset/data.yaml'")


def test_only_the_results_of_this_run_are_summarised(capsys: pytest.CaptureFixture[str]) -> None:
    write_registry(OK)
    Path("report.html").touch()
    print_last_summary(Path())  # without a dataset
    Path("report.html").unlink()
    Path("registry.tsv").unlink()
    print_last_summary(Path())
    Path("dataset").mkdir()
    Path("dataset/audit.json").write_text(json.dumps({"warnings": [], "absent_classes": []}))
    os.utime(write_registry(OK), (1000, 1000))
    print_last_summary(Path())
    print_summary(Path(), 1001)
    assert capsys.readouterr().err == ""
    print_summary(Path(), 1000)
    assert "1 of 1 videos ok" in capsys.readouterr().err
    Path("report.html").touch()
    print_last_summary(Path())
    assert "1 of 1 videos ok" in capsys.readouterr().err


def test_a_failed_run_repeats_each_cause_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path("log").write_text("2026 10:00 ERROR no class 'cat'\n" * 2 + "job died with <Signals.SIGKILL: 9>\n")
    print_failure(["log", "missing"])
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["reelsieve: the run did not finish.", "  no class 'cat'"]
    assert "a job was killed" in lines[2]
    assert lines[3:] == [
        "Finished jobs are kept. Fix the cause, then run the same command again.", "All messages are in log"
    ]  # fmt: skip


def test_a_full_disk_is_a_cause_unless_a_job_reported_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("log").write_text("OSError: No space left on device\n")
    print_failure(["log"])
    assert "  the disk is full: free some space" in capsys.readouterr().err
    Path("log").write_text(
        "2026 10:00 ERROR a: free some space, then run the same command again\nNo space left on device\n"
    )
    print_failure(["log"])
    assert capsys.readouterr().err.count("free some space") == 1


def test_a_stopped_run_is_not_called_failed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("results").mkdir()
    Path("results/report.html").touch()
    Path("log").write_text("Terminating processes on user request\n")
    print_failure(["log"])
    text = capsys.readouterr().err
    assert "the run was stopped.\nFinished jobs are kept. To continue, run" in text and "earlier" not in text
    Path("log").write_text("")
    print_failure(["log"])
    assert "results/report.html is of an earlier run." in capsys.readouterr().err


def test_registry_and_summary_name_what_failed(tmp_path: Path) -> None:
    rows = [
        {
            "video": "a",
            "status": "ok",
            "split": "train",
            "message": "the last frame is at 1 s of 9 s",
            "frames": 3,
            "looked_at": 3,
            "passed": 2,
            "kept": 1,
            "exported": 1,
            "objects": 4,
            "place": "Lyon",
        },
        {"video": "b", "status": "unavailable", "message": "HTTP\tError\n404", "frames": 0, "place": "x"},
    ]
    registry = tmp_path / "registry.tsv"
    registry.write_text(registry_tsv(rows))
    lines = registry.read_text().splitlines()
    assert len(lines) == 3 and lines[0].endswith("\tplace")
    text = summary(registry, tmp_path / "report.html", ["no image in val", "no image in test"])
    assert "1 of 2 videos ok" in text and "b: unavailable: HTTP Error 404" in text
    assert "a: the last frame is at 1 s of 9 s" in text and "splits: 1 train, 0 val, 0 test" in text
    assert "  look at the splits (report, section Splits): no image in val; no image in test\n" in text
    registry.write_text(registry_tsv([rows[0], *([rows[1]] * 25)]))
    many = summary(registry, tmp_path / "report.html")
    assert "and 5 more, in" in many and "look at the splits" not in many
    assert "3 extracted, 3 looked at, 2 passed the filter, 1 unique, 1 in the dataset with 4 objects" in text


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\r\nb"])
def test_names_from_the_internet_do_not_steer_the_terminal(name: str, tmp_path: Path) -> None:
    (tmp_path / "registry.tsv").write_text("video\tstatus\n")
    text = summary(tmp_path / "registry.tsv", tmp_path / "report.html", [f"both are of channel {name}"])
    (line,) = [line for line in text.split("\n") if "channel a" in line]
    assert line.isprintable()
