"""The tables of the page count everything and start with the worst; the page loads nothing else."""

import base64
import hashlib
from typing import Any

from scripts.report.page import (
    FOLDER,
    MAX_ROWS,
    class_rows,
    failures,
    flattened,
    funnel,
    losses,
    render,
    shown_rows,
    templates,
)


def test_failures_are_grouped_by_status_and_at_most_1000_rows_are_shown() -> None:
    rows = [{"video": str(n), "status": "blocked" if n % 3 else "forbidden"} for n in range(3000)]
    found = failures([*rows, {"video": "x", "status": "ok"}])
    assert [(f["status"], f["n"], f["transient"]) for f in found] == [
        ("blocked", 2000, True),
        ("forbidden", 1000, False),
    ]
    assert sum(len(f["videos"]) for f in found) == MAX_ROWS


def test_the_rows_shown_of_many_videos_are_spread_over_the_table() -> None:
    names = ("frames", "looked_at", "passed", "kept", "exported", "objects", "duration_s")
    rows = [{"video": n} | dict.fromkeys(names, n) for n in range(10_000)]
    shown, n_hidden = shown_rows(rows)
    assert len(shown) + n_hidden == 10_000 and len(shown) <= MAX_ROWS
    assert shown[0]["video"] == 0 and shown[-1]["video"] >= 9_980 and shown[-1]["fill"]["frames"] == 1.0
    assert shown_rows(rows[:5])[1] == 0 and shown_rows([]) == ([], 0)


def test_losses_count_each_frame_outside_the_dataset() -> None:
    ledger: list[Any] = [
        {"stage": "deduplicate", "reason": "duplicate of a/1.jpg", "file": ""},
        {"stage": "deduplicate", "reason": "duplicate of a/2.jpg", "file": ""},
        {"stage": "extract_frames", "reason": "dark", "file": ""},
        {"stage": "export_dataset", "reason": "", "file": "images/train/a.jpg"},
    ]
    assert [(loss["reason"], loss["n"], loss["key"]) for loss in losses(ledger)] == [
        ("duplicate", 2, "dedup.max_distance_bits"),
        ("dark", 1, "frames.min_brightness"),
    ]


def test_classes_are_counted_per_split_the_most_frequent_first() -> None:
    dog, cat = class_rows({("cat", "val"): 1, ("dog", "train"): 4, ("dog", "val"): 2})
    assert (dog["name"], dog["total"], cat["total"]) == ("dog", 6, 1)
    assert cat["splits"]["val"] == {"n": 1, "fill": 0.5} and cat["splits"]["test"]["n"] == 0


def test_nested_settings_become_dotted_keys() -> None:
    tree = {"b": {"y": [1, 2], "x": {}}, "a": None}
    assert flattened(tree) == [("a", "None"), ("b.x", "{}"), ("b.y", "1, 2")]


def test_the_funnel_counts_the_frames_that_each_stage_lost() -> None:
    row = {"frames": 50, "looked_at": 40, "passed": 20, "kept": 10, "exported": 9}
    stages = [(stage["n"], stage["lost"], stage["share"]) for stage in funnel([row, row])]
    assert stages == [(100, 0, 1.0), (80, 20, 0.8), (40, 40, 0.4), (20, 20, 0.2), (18, 2, 0.18)]
    assert [stage["n"] for stage in funnel([])] == [0] * 5


def test_a_page_runs_its_own_script_only_and_loads_nothing() -> None:
    page = render("times.html.jinja", {"stages": []})
    digest = base64.b64encode(hashlib.sha256((FOLDER / "page.js").read_bytes()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in page and "default-src &#39;none&#39;" in page
    assert (FOLDER / "page.js").read_text() in page and (FOLDER / "page.css").read_text() in page


def test_templates_escape_values_and_write_shares_in_percent() -> None:
    template = templates().from_string("{{ name }} {{ share | percent }} {{ none | percent }}")
    assert template.render(name="<b>", share=0.1234, none=None) == "&lt;b&gt; 12.3 % "
