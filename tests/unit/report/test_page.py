"""The page's tables: all is counted, the worst comes first, and every status and reason has its advice."""

import re

import yaml

from scripts.download import faults as _faults
from scripts.report.page import ROWS_SHOWN, class_rows, failures, flattened, losses, shown_rows
from scripts.report.remedies import FRAME_REASONS, VIDEO_REMEDIES
from tests.conftest import REPO

REHYDRATE = ("retake_frames", "rehydrate")  # its reasons are those of published frames


def test_every_status_and_reason_that_the_code_knows_has_its_advice() -> None:
    readme = (REPO / "README.md").read_text()
    told = re.findall(r"`(\w+)`", readme[readme.index("Its status says why") : readme.index("which another attempt")])
    assert set(VIDEO_REMEDIES) == set(told) >= {status for status, _ in _faults.MESSAGES} | _faults.TRANSIENT
    code = "".join(path.read_text() for path in (REPO / "scripts").rglob("*.py") if path.stem not in REHYDRATE)
    reasons = set(re.findall(r'"reason": f?"(\w+)', code))
    reasons |= set(re.findall(r'^    yield "(\w+)", \w+, limits\.', code, re.MULTILINE))
    assert len(reasons) >= 10 and reasons <= set(FRAME_REASONS)


def test_advice_names_keys_that_there_are() -> None:
    schema = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())["properties"]
    named = ", ".join([*(key for _, key in FRAME_REASONS.values() if key), *VIDEO_REMEDIES.values()])
    keys = re.findall(r"\b(frames|filter|dedup|dataset|download)\.([a-z_]+)", named)
    assert len(keys) >= 12 and all(key in schema[section]["properties"] for section, key in keys)


def test_failures_are_grouped_bounded_and_say_how_many_there_are() -> None:
    rows = [{"video": str(n), "status": "blocked" if n % 3 else "forbidden"} for n in range(3000)]
    found = failures([*rows, {"video": "x", "status": "ok"}])
    assert [(f["status"], f["n"], f["again"]) for f in found] == [("blocked", 2000, True), ("forbidden", 1000, False)]
    assert sum(len(f["videos"]) for f in found) == ROWS_SHOWN


def test_so_many_videos_are_spread_over_the_table() -> None:
    names = ("frames", "looked_at", "passed", "kept", "exported", "objects", "duration_s")
    rows = [{"video": n} | dict.fromkeys(names, n) for n in range(10_000)]
    shown, n_hidden = shown_rows(rows)
    assert len(shown) + n_hidden == 10_000 and len(shown) <= ROWS_SHOWN
    assert shown[0]["video"] == 0 and shown[-1]["video"] >= 9_980 and shown[-1]["fill"]["frames"] == 1.0
    assert shown_rows(rows[:5])[1] == 0 and shown_rows([]) == ([], 0)


def test_losses_count_each_frame_that_is_not_in_the_dataset() -> None:
    ledger = [
        {"stage": "deduplicate", "reason": "duplicate of a/1.jpg", "file": ""},
        {"stage": "deduplicate", "reason": "duplicate of a/2.jpg", "file": ""},
        {"stage": "extract_frames", "reason": "dark", "file": ""},
        {"stage": "export_dataset", "reason": "", "file": "images/train/a.jpg"},
    ]
    assert [(loss["reason"], loss["n"], loss["key"]) for loss in losses(ledger)] == [
        ("duplicate", 2, "dedup.max_distance_bits"),
        ("dark", 1, "frames.min_brightness"),
    ]


def test_classes_have_their_counts_in_each_split_the_most_frequent_first() -> None:
    dog, cat = class_rows({("cat", "val"): 1, ("dog", "train"): 4, ("dog", "val"): 2})
    assert (dog["name"], dog["total"], cat["total"]) == ("dog", 6, 1)
    assert cat["splits"]["val"] == {"n": 1, "fill": 0.5} and cat["splits"]["test"]["n"] == 0


def test_nested_settings_become_dotted_rows() -> None:
    tree = {"b": {"y": [1, 2], "x": {}}, "a": None}
    assert flattened(tree) == [("a", "None"), ("b.x", "{}"), ("b.y", "1, 2")]
