"""Build the ledger, a row per sampled frame with the stage that decided on it, and check it against all tables."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.core.errors import UserError
from scripts.core.layout import FILTER_TABLE
from scripts.core.row_types import CopyRow, FilterRow, LedgerRow
from scripts.core.tables import count_rows, read_rows

DECIDING_STAGES = (
    "extract_frames",
    "filter_frames",
    "deduplicate",
    "export_dataset",
)  # one of them decides on each frame


def check_totals(
    ledger: Iterable[LedgerRow], copies: Iterable[CopyRow], folders: Mapping[str, Mapping[str, Path]]
) -> None:
    """Raise UserError if a frame has two rows, or if a table of a stage has another number of frames than the ledger.

    `folders` holds the filtered folder and the detections table of each video.
    """
    rows = list(ledger)
    frames = Counter((row["video"], row["frame"]) for row in rows)
    if doubles := [key for key, count in frames.items() if count > 1]:
        video, frame = doubles[0]
        raise UserError(f"{video}/{frame} is twice in the ledger: delete {folders[video]['filtered']} and run again")
    decided = Counter((row["video"], row["stage"]) for row in rows)
    checked = list(copies)
    passed = Counter(row["video"] for row in checked)
    kept = Counter(row["video"] for row in checked if row["keep"])
    if unknown := sorted(set(passed) - set(folders)):
        raise UserError(f"results/dedup names {unknown[0]}, which is not in this run: delete it and run again")
    for video, paths in folders.items():
        by_stage = {stage: decided[video, stage] for stage in DECIDING_STAGES}
        totals = {
            FILTER_TABLE: (count_rows(paths["filtered"] / FILTER_TABLE), sum(by_stage.values())),
            "dedup/copies.parquet": (passed[video], by_stage["deduplicate"] + by_stage["export_dataset"]),
            "dedup/copies.parquet with keep": (kept[video], by_stage["export_dataset"]),
            "detections": (count_rows(paths["detections"]), by_stage["export_dataset"]),
        }
        for table, (in_table, in_ledger) in totals.items():
            if in_table != in_ledger:
                raise UserError(
                    f"{video}: {in_table} rows in {table}, but {in_ledger} frames in the ledger: delete results/dedup,"
                    f" {paths['filtered']} and {paths['detections']}, and run again"
                )


def build_ledger(
    folders: Mapping[str, Mapping[str, Path]], copies: Iterable[CopyRow], max_distance_bits: int
) -> list[LedgerRow]:
    """Return the rows of all sampled frames; `split`, `file` and the decisions of the export are still missing."""
    by_frame = {f"{row['video']}/{row['frame']}": row for row in copies}
    ledger = []
    for video, paths in folders.items():
        candidates: list[FilterRow] = read_rows(paths["filtered"] / FILTER_TABLE)
        for row in candidates:
            ledger.append(ledger_row(row, by_frame.get(f"{video}/{row['frame']}"), max_distance_bits))
    return ledger


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
