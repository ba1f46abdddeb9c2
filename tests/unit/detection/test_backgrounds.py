"""Backgrounds pass and stay at random, up to their share, and never replace frames with objects."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scripts.core.row_types import FilterRow
from scripts.core.tables import read_rows
from scripts.detection.backgrounds import drop_backgrounds, pass_backgrounds
from tests._exported import export, settings

SHARES = st.floats(0, 0.5)


def judged(video: str, kinds: list[str]) -> list[FilterRow]:
    """Return the filter's rows: `objects`, `few` (too few), `empty`, `unreadable`, or `gone` before the filter."""
    reasons = {"objects": "", "few": "too_few_objects", "empty": "too_few_objects", "gone": "dark"}
    return [
        {
            "video": video,
            "frame": f"{i:09d}.jpg",
            "pts_s": i / 1000,
            "keep": kind != "gone",
            "boxes_xyxy_px": [],
            "classes": ["car"] if kind in ("objects", "few") else [],
            "confidences": [],
            "passed": kind == "objects",
            "background": False,
            "reason": reasons.get(kind, kind),
            "value": 0.0,
            "threshold": 1.0,
        }
        for i, kind in enumerate(kinds)
    ]


KINDS = st.lists(st.sampled_from(["objects", "few", "empty", "unreadable", "gone"]), max_size=60)


@given(KINDS, SHARES)
def test_only_empty_frames_pass_as_backgrounds_and_enough_of_them(kinds: list[str], share: float) -> None:
    rows = pass_backgrounds(judged("v", kinds), share)
    chosen = [i for i, row in enumerate(rows) if row["background"]]
    assert all(kinds[i] == "empty" and rows[i]["passed"] and rows[i]["reason"] == "" for i in chosen)
    assert [row for row in rows if not row["background"]] == [
        row for i, row in enumerate(judged("v", kinds)) if i not in chosen
    ]
    # What a dataset of this share could take of the video alone is there, if the video has it.
    needed = kinds.count("objects") * share / (1 - share)
    assert len(chosen) >= min(kinds.count("empty"), int(needed + 1e-9))
    assert share or not chosen


def test_backgrounds_are_chosen_at_random_and_a_larger_share_adds_to_them() -> None:
    kinds = ["empty"] * 100

    def chosen(video: str, share: float) -> set[int]:
        return {i for i, row in enumerate(pass_backgrounds(judged(video, kinds), share)) if row["background"]}

    few, more = chosen("v", 0.1), chosen("v", 0.3)
    assert len(chosen("v", 0.005)) == 1, "rounded up, so that short videos give one, too"
    assert (len(few), len(more)) == (10, 30) and few < more
    assert few != set(range(10)) and few != chosen("w", 0.1)


@given(KINDS, SHARES, st.integers(0, 3))
def test_the_share_limits_backgrounds_and_is_used_up(kinds: list[str], share: float, seed: int) -> None:
    rows = judged("v", kinds)
    dropped = drop_backgrounds(rows, share, seed)
    kept = [row for row in rows if ("v", row["frame"]) not in dropped]
    full, empty = sum(bool(row["classes"]) for row in kept), sum(not row["classes"] for row in kept)
    assert full == sum(bool(row["classes"]) for row in rows)
    assert empty <= share * len(kept) + 1e-6
    if dropped:
        assert empty + 1 > share * (len(kept) + 1) - 1e-6
    reason = "surplus_background" if share else "no_objects"
    assert all(why["reason"] == reason for why in dropped.values())


def test_seeds_choose_other_backgrounds() -> None:
    rows = judged("v", ["objects"] * 9 + ["empty"] * 30)
    chosen = [set(drop_backgrounds(rows, 0.25, seed)) for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2] and len(chosen[2]) == 27


def test_the_ledger_says_why_backgrounds_are_not_in_the_dataset(tmp_path: Path) -> None:
    for share, reason, missed in ((0.0, "no_objects", {(0.0, 1.0)}), (0.2, "surplus_background", {(2.0, 1.0)})):
        folder = export(tmp_path / reason, settings(share, ["yolo"]))
        rows = read_rows(folder / "ledger.parquet")
        without = [row for row in rows if not row["file"]]
        assert {(row["stage"], row["reason"], row["split"]) for row in without} == {("export_dataset", reason, "")}
        assert {(row["value"], row["threshold"]) for row in without} == missed
        assert len(without) == (2 if share == 0 else 1)
        files = {row["file"] for row in rows} - {""}
        assert files == {str(p.relative_to(folder)) for p in folder.rglob("*.jpg")}
        assert len(list(folder.rglob("labels/*/*.txt"))) == len(files)
