"""What deserves a look is said, and no more."""

from scripts._notices import mostly_dropped
from scripts.filter_frames import DROPPED_SHOWN, pick_dropped


def row(video: str, looked_at: int, passed: int) -> dict[str, object]:
    return {"video": video, "looked_at": looked_at, "passed": passed}


def test_videos_that_lost_most_to_the_filter_are_named_the_worst_first() -> None:
    rows = [row("half", 40, 20), row("tenth", 40, 4), row("none", 40, 0), row("short", 9, 0), row("over", 40, 5)]
    told = mostly_dropped([*rows, {"video": "failed", "looked_at": "0", "passed": ""}])
    assert told == "the filter dropped nine in ten frames or more of 2 videos: none (40 of 40), tenth (36 of 40)"
    assert mostly_dropped([rows[0]]) == ""
    assert len(mostly_dropped([row(f"video-{n}", 100, 0) for n in range(1000)])) < 300


def test_a_few_of_the_frames_that_the_filter_drops_are_picked_over_the_whole_length() -> None:
    reasons = ["blurred", *["too_few_objects"] * 99, ""]
    judged = [{"frame": f"{number:09d}.jpg", "reason": reason} for number, reason in enumerate(reasons)]
    assert pick_dropped(judged) == ["000000017.jpg", "000000050.jpg", "000000083.jpg"]
    assert pick_dropped(judged[:2]) == ["000000001.jpg"] and pick_dropped(judged[-1:]) == []
    assert [len(pick_dropped(judged[: n + 1])) for n in range(5)] == [min(n, DROPPED_SHOWN) for n in range(5)]
