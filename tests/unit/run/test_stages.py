"""What the board of a run counts."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scripts.run.progress import failure
from scripts.run.stages import Board, duration, pictures_in, plain_line, stage_of


def counts(rule: str, video: str) -> int:
    return {"extract_frames": 40, "filter_frames": 10}[rule]


def test_jobs_that_the_checkpoint_adds_are_detections() -> None:
    board = Board(counts)
    board.plan({"deduplicate": 1, "export_dataset": 1, "all": 1})
    board.plan_in_all(3)
    assert [stage.name for stage in board.stages()] == ["deduplicate", "export_dataset"]
    board.plan_in_all(8)
    assert {stage.name: stage.total for stage in board.stages()}["detect_objects"] == 5


def test_pictures_and_rates_come_from_jobs_that_are_done() -> None:
    board = Board(counts)
    board.plan({"extract_frames": 2, "filter_frames": 2})
    board.start(1, "extract_frames", "a", 100)
    board.finish(1, 110)
    board.start(2, "filter_frames", "a", 110)
    board.finish(2, 114)
    extract, check = board.stages()
    assert (extract.pictures_out, extract.pictures_per_s(), extract.left_s(110)) == (40, 4, 10)
    assert plain_line(check, 114) == "filter_frames: 1 of 2, 10 of 40 frames passed, 10/s, about 4 s left"


def test_a_job_that_failed_and_is_tried_again_counts_once() -> None:
    board = Board(counts)
    board.plan({"filter_frames": 1})
    for job_ends in (board.fail, board.fail):
        board.start(1, "filter_frames", "a", 1)
        job_ends(1)
    assert len(board.stages()[0].failed) == 1
    board.start(1, "filter_frames", "a", 3)
    board.finish(1, 4)
    assert (board.stages()[0].done, board.stages()[0].failed, board.stages()[0].left()) == (1, set(), 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["start", "finish", "fail"]))))
def test_no_order_of_events_makes_more_done_than_planned(events: list[tuple[int, str]]) -> None:
    board = Board(counts)
    board.plan({"extract_frames": 3})
    for at, (job, what) in enumerate(events):
        if what == "start":
            board.start(job, "extract_frames", f"v{job}", at)
        elif what == "finish":
            board.finish(job, at)
        else:
            board.fail(job)
    for stage in board.stages():
        assert stage.done + len(stage.failed) + len(stage.running) <= stage.total
        assert vars(stage_of(board.state(0)[0])) == vars(stage)


def test_frames_that_are_gone_count_as_none(tmp_path: Path) -> None:
    assert pictures_in(tmp_path, "extract_frames", "a") == 0
    (tmp_path / "frames/a").mkdir(parents=True)
    (tmp_path / "frames/a/000000000.jpg").touch()
    (tmp_path / "frames/a/frames.parquet").touch()
    assert pictures_in(tmp_path, "extract_frames", "a") == 1


def test_a_failed_job_shows_the_end_of_its_log_without_what_moves_the_cursor(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("\n".join(f"line {n}" for n in range(50)) + "\nERROR \x1b[2Jtitle\n")
    lines = failure({"rule_name": "filter_frames", "log": [str(log)]}, "a")
    assert lines[0] == "filter_frames failed on video a" and lines[-1] == f"  log: {log}"
    assert "  line 49" in lines and "  line 20" not in lines and "\x1b" not in "".join(lines)
    member = {"rule_name": "hash_frames", "log": [str(log)], "indent": True}
    assert failure(member, "a")[0] == "hash_frames failed on video a"
    log.write_text("INFO all is well")
    assert failure(member, "a") == [], "another job of the submission failed"
    log.write_text("2026-11-25 10:00:00,000 INFO 3 frames\n2026-11-25 10:00:01,000 INFO interrupted\n")
    assert failure({"rule_name": "filter_frames", "log": [str(log)]}, "a") == [], "it was stopped with its run"
    assert failure({"rule_name": "report", "log": [str(tmp_path / "none.log")]}, "")[1].startswith("  it wrote no log")


def test_durations_are_said_as_people_do() -> None:
    assert [duration(s) for s in (0.2, 65, 100, 5400, 9000)] == ["1 s", "65 s", "2 min", "1 h 30 min", "2 h 30 min"]
