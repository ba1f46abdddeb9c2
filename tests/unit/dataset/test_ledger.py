"""The ledger is refused if it tells another story than the tables of the stages."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.core.errors import UserError
from scripts.core.schemas import DETECTIONS, FILTER
from scripts.core.tables import write_table
from scripts.dataset.ledger import STAGES, check_totals

Row = dict[str, Any]
fates = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(STAGES)), min_size=1, max_size=12)


def lay_out(folder: Path, ledger: list[Row]) -> tuple[list[Row], dict[str, dict[str, Path]]]:
    """Write the tables of a run that gave this ledger; return the manifest's rows and the videos' paths."""
    paths = {v: {"filtered": folder / v, "detections": folder / f"{v}.parquet"} for v in "ab"}
    for video, files in paths.items():
        own = [{"video": video, "frame": row["frame"]} for row in ledger if row["video"] == video]
        kept = [row for row in ledger if row["video"] == video and row["stage"] == "export_dataset"]
        write_table(files["filtered"] / "filter.parquet", own, FILTER)
        write_table(files["detections"], [{"video": video, "frame": row["frame"]} for row in kept], DETECTIONS)
    passed = [row for row in ledger if row["stage"] in ("deduplicate", "export_dataset")]
    return [row | {"keep": row["stage"] == "export_dataset"} for row in passed], paths


def ledger_of(given_fates: list[tuple[str, str]]) -> list[Row]:
    return [{"video": v, "frame": f"{i:09d}.jpg", "stage": stage} for i, (v, stage) in enumerate(given_fates)]


@settings(max_examples=30, deadline=None)
@given(fates, st.data())
def test_one_frame_too_many_or_too_few_or_moved_is_noticed(
    given_fates: list[tuple[str, str]], data: st.DataObject
) -> None:
    ledger = ledger_of(given_fates)
    at = data.draw(st.integers(0, len(ledger) - 1))
    row, rest = ledger[at], ledger[:at] + ledger[at + 1 :]
    passed_before = STAGES.index(row["stage"]) >= 2
    other = data.draw(st.sampled_from([s for s in STAGES if s != row["stage"] and (passed_before or s in STAGES[2:])]))
    with tempfile.TemporaryDirectory() as folder:
        manifest, paths = lay_out(Path(folder), ledger)
        check_totals(ledger, manifest, paths)
        with pytest.raises(UserError, match="more than one fate"):
            check_totals([*ledger, row], manifest, paths)
        with pytest.raises(UserError, match="rows in filter.parquet.*frames in the ledger"):
            check_totals(rest, manifest, paths)
        with pytest.raises(UserError, match="in the ledger"):
            check_totals([*rest, row | {"stage": other}], manifest, paths)


def test_tables_of_an_earlier_run_are_noticed(tmp_path: Path) -> None:
    ledger = ledger_of([("a", "export_dataset"), ("a", "deduplicate")])
    manifest, paths = lay_out(tmp_path, ledger)
    with pytest.raises(UserError, match="names c, which is not in this run"):
        check_totals(ledger, [*manifest, {"video": "c", "frame": "x", "keep": True}], paths)
    with pytest.raises(UserError, match="a: 1 rows in dedup/copies.parquet, but 2 frames in the ledger: delete"):
        check_totals(ledger, manifest[:1], paths)
    write_table(paths["a"]["detections"], [], DETECTIONS)
    with pytest.raises(UserError, match="a: 0 rows in detections, but 1 frames"):
        check_totals(ledger, manifest, paths)
