"""The filter keeps a few of the frames that it drops, for the report."""

from scripts.detection.filter_frames import DROPPED_KEPT, pick_dropped


def test_a_few_dropped_frames_are_picked_over_the_whole_length() -> None:
    reasons = ["blurred", *["too_few_objects"] * 99, ""]
    judged = [{"frame": f"{number:09d}.jpg", "reason": reason} for number, reason in enumerate(reasons)]
    assert pick_dropped(judged) == ["000000017.jpg", "000000050.jpg", "000000083.jpg"]
    assert pick_dropped(judged[:2]) == ["000000001.jpg"] and pick_dropped(judged[-1:]) == []
    assert [len(pick_dropped(judged[: n + 1])) for n in range(5)] == [min(n, DROPPED_KEPT) for n in range(5)]
