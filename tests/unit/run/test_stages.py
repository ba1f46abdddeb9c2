"""The counts of jobs and frames in each stage."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scripts.run.stages import StageCounts, count_frames, describe_duration, describe_stage, stage_of


def frames_of(rule: str, video: str) -> int:
    return {"extract_frames": 40, "filter_frames": 10}[rule]


def test_jobs_after_the_checkpoint_are_detections() -> None:
    counts = StageCounts(frames_of)
    counts.plan({"deduplicate": 1, "export_dataset": 1, "all": 1})
    counts.plan_in_all(3)
    assert [stage.name for stage in counts.stages()] == ["deduplicate", "export_dataset"]
    counts.plan_in_all(8)
    assert {stage.name: stage.total for stage in counts.stages()}["detect_objects"] == 5


def test_gathering_is_not_shown_and_counts_as_no_detection() -> None:
    counts = StageCounts(frames_of)
    counts.plan({"gather_videos": 2, "deduplicate": 1, "gather_detections": 2, "all": 1})
    counts.start(1, "gather_videos", "", 1)
    counts.finish(1, 2)
    counts.plan_in_all(6)
    assert [stage.name for stage in counts.stages()] == ["deduplicate"]
    counts.plan_in_all(13)
    assert {stage.name: stage.total for stage in counts.stages()}["detect_objects"] == 7


def test_frames_and_rates_come_from_finished_jobs() -> None:
    counts = StageCounts(frames_of)
    counts.plan({"extract_frames": 2, "filter_frames": 2})
    counts.start(1, "extract_frames", "a", 100)
    counts.finish(1, 110)
    counts.start(2, "filter_frames", "a", 110)
    counts.finish(2, 114)
    extract, check = counts.stages()
    assert (extract.frames_out, extract.frames_per_s(), extract.left_s(110)) == (40, 4, 10)
    assert describe_stage(check, 114) == "filter_frames: 1 of 2, 10 of 40 frames passed, 10/s, about 4 s left"


def test_a_failed_and_restarted_job_counts_once() -> None:
    counts = StageCounts(frames_of)
    counts.plan({"filter_frames": 1})
    for job_ends in (counts.fail, counts.fail):
        counts.start(1, "filter_frames", "a", 1)
        job_ends(1)
    assert len(counts.stages()[0].failed) == 1
    counts.start(1, "filter_frames", "a", 3)
    counts.finish(1, 4)
    assert (counts.stages()[0].done, counts.stages()[0].failed, counts.stages()[0].left()) == (1, set(), 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["start", "finish", "fail"]))))
def test_no_order_of_events_makes_more_done_than_planned(events: list[tuple[int, str]]) -> None:
    counts = StageCounts(frames_of)
    counts.plan({"extract_frames": 3})
    for at, (job, what) in enumerate(events):
        if what == "start":
            counts.start(job, "extract_frames", f"v{job}", at)
        elif what == "finish":
            counts.finish(job, at)
        else:
            counts.fail(job)
    for stage in counts.stages():
        assert stage.done + len(stage.failed) + len(stage.running) <= stage.total
        assert vars(stage_of(counts.state(0)[0])) == vars(stage)


def test_a_missing_folder_has_no_frames(tmp_path: Path) -> None:
    assert count_frames(tmp_path, "extract_frames", "a") == 0
    (tmp_path / "frames/a").mkdir(parents=True)
    (tmp_path / "frames/a/000000000.jpg").touch()
    (tmp_path / "frames/a/frames.parquet").touch()
    assert count_frames(tmp_path, "extract_frames", "a") == 1


def test_durations_have_at_most_two_units() -> None:
    assert [describe_duration(s) for s in (0.2, 65, 100, 5400, 9000)] == [
        "1 s",
        "65 s",
        "2 min",
        "1 h 30 min",
        "2 h 30 min",
    ]


def test_a_stage_that_took_no_time_has_no_rate() -> None:
    counts = StageCounts(frames_of)
    counts.start(1, "extract_frames", "a", 5)
    counts.finish(1, 5)
    (stage,) = counts.stages()
    assert stage.frames_per_s() == 0 and describe_stage(stage, 5) == "extract_frames: 1 of 1, 40 frames"
