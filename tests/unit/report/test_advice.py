"""Every status and reason has advice, and results that are probably wrong have a message."""

import re

import yaml

from scripts.download import faults
from scripts.report.advice import (
    FRAME_REASONS,
    VIDEO_ADVICE,
    describe_absent_classes,
    describe_crowded,
    describe_dropped,
    mostly_dropped,
)
from tests.conftest import REPO

REHYDRATE = ("retake_frames", "rehydrate")  # their reasons are about published frames


def test_every_status_and_reason_in_the_code_has_advice() -> None:
    readme = (REPO / "README.md").read_text()
    named = re.findall(r"`(\w+)`", readme[readme.index("Its status says why") : readme.index("which may succeed")])
    assert set(VIDEO_ADVICE) == set(named) >= {status for status, _ in faults.MESSAGES} | faults.TRANSIENT
    code = "".join(path.read_text() for path in (REPO / "scripts").rglob("*.py") if path.stem not in REHYDRATE)
    reasons = set(re.findall(r'"reason": f?"(\w+)', code))
    reasons |= set(re.findall(r'^    yield "(\w+)", \w+, limits\.', code, re.MULTILINE))
    assert len(reasons) >= 10 and reasons <= set(FRAME_REASONS)


def test_advice_names_config_keys_that_exist() -> None:
    schema = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())["properties"]
    named = ", ".join([*(key for _, key in FRAME_REASONS.values() if key), *VIDEO_ADVICE.values()])
    keys = re.findall(r"\b(frames|filter|dedup|dataset|download)\.([a-z_]+)", named)
    assert len(keys) >= 12 and all(key in schema[section]["properties"] for section, key in keys)


def row(video: str, looked_at: int, passed: int) -> dict[str, object]:
    return {"video": video, "looked_at": looked_at, "passed": passed}


def test_videos_that_lost_most_frames_to_the_filter_are_named_the_worst_first() -> None:
    rows = [row("half", 40, 20), row("tenth", 40, 4), row("none", 40, 0), row("short", 9, 0), row("over", 40, 5)]
    found = mostly_dropped([*rows, {"video": "failed", "looked_at": "0", "passed": ""}])
    expected = "the filter dropped nearly all frames of none (40 of 40 frames), tenth (36 of 40 frames)"
    assert describe_dropped(found) == expected and describe_dropped(mostly_dropped([rows[0]])) == ""
    many = describe_dropped([row("v" * 300, 100, 0), *(row(f"video-{n}", 100, 0) for n in range(999))])
    assert "v" * 300 in many and many.endswith("video-3 (100 of 100 frames) and 995 more")


def test_classes_without_objects_are_named() -> None:
    message = describe_absent_classes(list("abcdefg"))
    assert (
        message.startswith("no object of class a, b, c, d, e and 2 more in the dataset")
        and describe_absent_classes([]) == ""
    )


def test_a_reached_limit_of_objects_is_said_with_its_key() -> None:
    settings = {"filter": {"max_objects": 300}, "detect": {"max_objects": 500}}
    assert describe_crowded({"filter": 0, "detect": 0}, settings) == ""
    both = describe_crowded({"filter": 1, "detect": 7}, settings)
    assert both == (
        "1 frame has 300 objects, as many as filter.max_objects allows;"
        " 7 frames have 500 objects, as many as detect.max_objects allows: more may be there"
    )
