"""Build the ledger, a row per sampled frame with the stage that decided on it, and check it against all tables."""

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from scripts.core.errors import UserError
from scripts.core.layout import FILTER_TABLE
from scripts.core.row_types import CopyRow, FilterRow, LedgerRow
from scripts.core.tables import read_rows
from scripts.inputs.gathered import Shards

DECIDING_STAGES = (
    "extract_frames",
    "filter_frames",
    "deduplicate",
    "export_dataset",
)  # one of them decides on each frame
DECIDED = ("video", "frame", "pts_s", "keep", "passed", "reason", "value", "threshold")  # columns of filter.parquet


def check_totals(
    ledger: Iterable[LedgerRow], copies: Iterable[CopyRow], shards: Shards, videos: Collection[str]
) -> None:
    """Raise UserError if a frame has two rows, or if a table of a stage has another number of frames than the ledger.

    `shards` holds the gathered tables of the filter and of the labels.
    """
    rows = list(ledger)
    frames = Counter((row["video"], row["frame"]) for row in rows)
    if doubles := [key for key, count in frames.items() if count > 1]:
        video, frame = doubles[0]
        raise UserError(f"{video}/{frame} is twice in the ledger: delete results/filtered/{video} and run again")
    decided = Counter((row["video"], row["stage"]) for row in rows)
    checked = list(copies)
    passed = Counter(row["video"] for row in checked)
    kept = Counter(row["video"] for row in checked if row["keep"])
    if unknown := sorted(set(passed) - set(videos)):
        raise UserError(f"results/dedup names {unknown[0]}, which is not in this run: delete it and run again")
    filtered, labelled = count_by_video(shards.filter_tables()), count_by_video(shards.label_tables())
    for video in videos:
        by_stage = {stage: decided[video, stage] for stage in DECIDING_STAGES}
        totals = {
            FILTER_TABLE: (filtered[video], sum(by_stage.values())),
            "dedup/copies.parquet": (passed[video], by_stage["deduplicate"] + by_stage["export_dataset"]),
            "dedup/copies.parquet with keep": (kept[video], by_stage["export_dataset"]),
            "detections": (labelled[video], by_stage["export_dataset"]),
        }
        for table, (in_table, in_ledger) in totals.items():
            if in_table != in_ledger:
                raise UserError(
                    f"{video}: {in_table} rows in {table}, but {in_ledger} frames in the ledger: delete results/dedup,"
                    f" results/filtered/{video} and results/detections/{video}.parquet, and run again"
                )


def count_by_video(tables: Iterable[Path]) -> Counter[str]:
    """Return the number of rows of each video in tables."""
    found: Counter[str] = Counter()
    for table in tables:
        found.update(row["video"] for row in read_rows(table, ["video"]))
    return found


def build_ledger(filter_tables: Iterable[Path], copies: Iterable[CopyRow], max_distance_bits: int) -> list[LedgerRow]:
    """Return the rows of all sampled frames; `split`, `file` and the decisions of the export are still missing."""
    by_frame = {f"{row['video']}/{row['frame']}": row for row in copies}
    ledger = []
    for table in filter_tables:
        candidates: list[FilterRow] = read_rows(table, DECIDED)
        for row in candidates:
            ledger.append(ledger_row(row, by_frame.get(f"{row['video']}/{row['frame']}"), max_distance_bits))
    return sorted(ledger, key=lambda row: row["video"])


def ledger_row(row: FilterRow, copy: CopyRow | None, max_distance_bits: int) -> LedgerRow:
    """Return the row of a sampled frame: the stage that decided on it, and why. `copy` is its row in copies.parquet."""
    found: LedgerRow = {
        "video": row["video"],
        "frame": row["frame"],
        "pts_s": row["pts_s"],
        "stage": "export_dataset",
        "reason": row["reason"],
        "value": row["value"],
        "threshold": row["threshold"],
        "split": "",
        "file": "",
    }
    if not row["keep"]:
        found["stage"] = "extract_frames"
    elif not row["passed"]:
        found["stage"] = "filter_frames"
    elif copy is None:
        raise KeyError(f"{row['video']}/{row['frame']} passed the filter but is not in results/dedup/copies.parquet")
    elif not copy["keep"]:
        found["stage"], found["reason"] = "deduplicate", f"duplicate of {copy['representative']}"
        found["value"], found["threshold"] = copy["distance_bits"], max_distance_bits
    return found
