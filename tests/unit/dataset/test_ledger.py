"""Each frame has one row in the ledger, and the tables of all stages agree with it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.core.errors import UserError
from scripts.core.layout import FILTER_TABLE
from scripts.core.row_types import CopyRow, FilterRow, LedgerRow
from scripts.core.schemas import DETECTIONS, FILTER
from scripts.core.tables import write_table
from scripts.dataset.ledger import DECIDING_STAGES as STAGES
from scripts.dataset.ledger import check_totals, ledger_row
from scripts.inputs.gathered import DETECTIONS_TABLE, Shards
from tests._dataset_rows import copy_row, filter_row, ledger_row_of

STAGED = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(STAGES)), min_size=1, max_size=12)


def lay_out(folder: Path, ledger: list[LedgerRow]) -> tuple[list[CopyRow], Shards]:
    """Write the gathered tables of a run with this ledger; return the rows of copies.parquet and the shards."""
    shards = Shards([folder / v for v in "ab"], [folder / v for v in "ab"])
    for video, shard in zip("ab", shards.videos, strict=True):
        own = [{"video": video, "frame": row["frame"]} for row in ledger if row["video"] == video]
        kept = [row for row in ledger if row["video"] == video and row["stage"] == "export_dataset"]
        write_table(shard / FILTER_TABLE, own, FILTER)
        write_table(shard / DETECTIONS_TABLE, [{"video": video, "frame": row["frame"]} for row in kept], DETECTIONS)
    passed = [row for row in ledger if row["stage"] in ("deduplicate", "export_dataset")]
    return [copy_row(f"{r['video']}/{r['frame']}", keep=r["stage"] == "export_dataset") for r in passed], shards


def ledger_of(staged: list[tuple[str, str]]) -> list[LedgerRow]:
    return [ledger_row_of(v, f"{i:09d}.jpg", stage) for i, (v, stage) in enumerate(staged)]


@settings(max_examples=30, deadline=None)
@given(STAGED, st.data())
def test_a_missing_added_or_moved_frame_is_an_error(staged: list[tuple[str, str]], data: st.DataObject) -> None:
    ledger = ledger_of(staged)
    at = data.draw(st.integers(0, len(ledger) - 1))
    row, rest = ledger[at], ledger[:at] + ledger[at + 1 :]
    passed_before = STAGES.index(row["stage"]) >= 2
    other = data.draw(st.sampled_from([s for s in STAGES if s != row["stage"] and (passed_before or s in STAGES[2:])]))
    with tempfile.TemporaryDirectory() as folder:
        copies, shards = lay_out(Path(folder), ledger)
        check_totals(ledger, copies, shards, "ab")
        with pytest.raises(UserError, match="is twice in the ledger"):
            check_totals([*ledger, row], copies, shards, "ab")
        with pytest.raises(UserError, match="rows in filter.parquet.*frames in the ledger"):
            check_totals(rest, copies, shards, "ab")
        with pytest.raises(UserError, match="in the ledger"):
            check_totals([*rest, ledger_row_of(row["video"], row["frame"], other)], copies, shards, "ab")


def test_tables_of_an_earlier_run_are_an_error(tmp_path: Path) -> None:
    ledger = ledger_of([("a", "export_dataset"), ("a", "deduplicate")])
    copies, shards = lay_out(tmp_path, ledger)
    with pytest.raises(UserError, match="names c, which is not in this run"):
        check_totals(ledger, [*copies, copy_row("c/x")], shards, "ab")
    with pytest.raises(UserError, match="a: 1 rows in dedup/copies.parquet, but 2 frames in the ledger: delete"):
        check_totals(ledger, copies[:1], shards, "ab")
    write_table(shards.detections[0] / DETECTIONS_TABLE, [], DETECTIONS)
    with pytest.raises(UserError, match="a: 0 rows in detections, but 1 frames"):
        check_totals(ledger, copies, shards, "ab")


@pytest.mark.parametrize(
    ("frame", "copy", "stage", "reason", "value"),
    [
        (filter_row(keep=False, passed=False, reason="dark", value=3.0), None, "extract_frames", "dark", 3.0),
        (filter_row(passed=False, reason="few_objects", value=0.0), None, "filter_frames", "few_objects", 0.0),
        (filter_row(), copy_row("v/f", "w/g", distance_bits=3), "deduplicate", "duplicate of w/g", 3),
        (filter_row(), copy_row("v/f"), "export_dataset", "", None),
    ],
)  # fmt: skip
def test_one_stage_decides_on_each_frame(
    frame: FilterRow, copy: CopyRow | None, stage: str, reason: str, value: float | None
) -> None:
    found = ledger_row(frame, copy, 8)
    assert (found["stage"], found["reason"], found["value"]) == (stage, reason, value)
    assert found["threshold"] == (8 if stage == "deduplicate" else frame["threshold"])


def test_a_passed_frame_that_is_missing_in_the_table_of_copies_is_an_error() -> None:
    with pytest.raises(KeyError, match="v/f passed the filter but is not in results/dedup/copies.parquet"):
        ledger_row(filter_row(), None, 8)
