"""Write the report of a run: one self-contained page, and a registry with one row per video."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from scripts.core.characters import printable
from scripts.core.files import read_json, write_text
from scripts.core.layout import LEDGER_TABLE, RESULTS, filter_table
from scripts.core.row_types import DetectionRow, LedgerRow
from scripts.core.tables import read_rows
from scripts.core.tsv import tsv_text
from scripts.inputs.columns import REGISTRY_COLUMNS
from scripts.inputs.gathered import Gathered, Shards, read_gathered
from scripts.inputs.redact import credits_of
from scripts.inputs.videos import SPLITS
from scripts.job.start import start_job
from scripts.report.advice import describe_absent_classes, describe_crowded, describe_dropped, mostly_dropped
from scripts.report.charts import Drawing, Histogram, draw_histogram, draw_map
from scripts.report.gallery import (
    CopyGroup,
    Labels,
    Sample,
    read_audit,
    read_copies,
    read_dropped,
    read_groups,
    read_samples,
)
from scripts.report.histograms import crowded, distance_histogram, frame_histograms, object_histograms, positions
from scripts.report.page import (
    ClassCounts,
    Failure,
    FunnelStage,
    Loss,
    RegistryRow,
    class_rows,
    failures,
    flattened,
    funnel,
    losses,
    render,
    shown_rows,
)
from scripts.report.thumbnails import Picture, Pictures
from scripts.report.times import write_times

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


@dataclass(frozen=True)
class Sources:
    """Inputs of the report: what was gathered, the filter's folder of each video, and results of all videos."""

    shards: Shards
    filtered: Mapping[str, Path]
    copies: Path
    distances: Path
    dataset: Path
    settings: Mapping[str, Any]
    provenance: Path


class PageContent(TypedDict):
    """The values that page.html.jinja shows."""

    rows: list[RegistryRow]
    shown: list[RegistryRow]
    n_hidden: int
    funnel: list[FunnelStage]
    losses: list[Loss]
    failures: list[Failure]
    dropped_message: str
    dropped: list[Picture]
    absent_message: str
    crowded_message: str
    classes: list[ClassCounts]
    images: Mapping[str, int]
    splits: Sequence[str]
    names: list[str]
    histograms: dict[str, Histogram]
    drawings: dict[str, Drawing]
    samples: list[Sample]
    copies: dict[str, Any]
    groups: list[CopyGroup]
    audit: dict[str, Any]
    provenance: list[tuple[str, str]]


def report(videos: Mapping[str, Mapping[str, Any]], sources: Sources, page: Path, registry: Path) -> list[RegistryRow]:
    """Write the registry and the page, and return the rows of the registry."""
    ledger = read_rows(sources.dataset / LEDGER_TABLE)
    by_video: dict[str, list[LedgerRow]] = {video: [] for video in videos}
    for entry in ledger:
        by_video[entry["video"]].append(entry)
    gathered, detections = read_gathered(sources.shards.videos), read_labels(sources.shards)
    rows = [registry_row(v, videos[v], gathered[v], by_video[v], detections.get(v, [])) for v in videos]
    labels = {(row["video"], row["frame"]): row for video in videos for row in detections.get(video, [])}
    write_text(registry, registry_tsv(rows))
    write_text(page, render("page.html.jinja", page_content(rows, ledger, labels, sources)))
    logging.info("%s", page)
    return rows


def page_content(rows: list[RegistryRow], ledger: list[LedgerRow], labels: Labels, sources: Sources) -> PageContent:
    """Return the content of the page; `rows` are those of the registry."""
    exported = [entry for entry in ledger if entry["file"]]
    in_dataset = [labels[entry["video"], entry["frame"]] for entry in exported]
    counts = Counter(
        (name, entry["split"]) for entry, row in zip(exported, in_dataset, strict=True) for name in row["classes"]
    )
    names = sorted({name for name, _ in counts})
    pictures = Pictures(sources.filtered, {f"{entry['video']}/{entry['frame']}": entry["pts_s"] for entry in ledger})
    copies = read_copies(sources.distances, pictures)
    shown, n_hidden = shown_rows(rows)
    tables = sources.shards.filter_tables()
    histograms = histograms_of(tables, in_dataset, copies, sources.settings)
    audit, mostly_lost = read_audit(sources.dataset), mostly_dropped(rows)
    return {
        "rows": rows,
        "shown": shown,
        "n_hidden": n_hidden,
        "funnel": funnel(rows),
        "losses": losses(ledger),
        "failures": failures(rows),
        "dropped_message": describe_dropped(mostly_lost),
        "dropped": read_dropped(pictures, [row["video"] for row in mostly_lost]),
        "absent_message": describe_absent_classes(audit["absent_classes"]),
        "crowded_message": describe_crowded(crowded(tables, labels.values(), sources.settings), sources.settings),
        "classes": class_rows(counts),
        "images": Counter(entry["split"] for entry in exported),
        "splits": SPLITS,
        "names": names,
        "histograms": histograms,
        "drawings": {name: draw_histogram(histogram) for name, histogram in histograms.items()}
        | {"positions": draw_map("positions", "Where objects are in the image", positions(in_dataset))},
        "samples": read_samples(exported, labels, sources.dataset, names),
        "copies": copies,
        "groups": read_groups(read_rows(sources.copies), pictures),
        "audit": audit,
        "provenance": flattened(read_provenance(sources.provenance)),
    }


def read_provenance(path: Path) -> dict[str, Any]:
    """Return the provenance of the dataset without the commit, which can change while the code does not."""
    provenance: dict[str, Any] = read_json(path)
    return provenance | {"workflow": {"code": provenance["workflow"]["code"]}}


def histograms_of(
    tables: Sequence[Path], in_dataset: list[DetectionRow], copies: dict[str, Any], settings: Mapping[str, Any]
) -> dict[str, Histogram]:
    """Return the histograms by name; `in_dataset` are the labels of the dataset's images."""
    histograms = [
        *frame_histograms(tables, settings),
        *object_histograms(in_dataset, settings["detect"]["confidence"]),
        distance_histogram(copies["counts"], copies["max_distance_bits"]),
    ]
    return {histogram.name: histogram for histogram in histograms}


def read_labels(shards: Shards) -> dict[str, list[DetectionRow]]:
    """Return the labels of each video that has any."""
    found: dict[str, list[DetectionRow]] = {}
    for table in shards.label_tables():
        for row in read_rows(table):
            found.setdefault(row["video"], []).append(row)
    return found


def registry_row(
    video: str, row: Mapping[str, Any], gathered: Gathered, ledger: list[LedgerRow], labels: list[DetectionRow]
) -> RegistryRow:
    """Return the row of a video: its status, and how many frames reached each stage."""
    record = gathered["record"]
    media: Mapping[str, Any] = record["media"] or {}
    stages = Counter(entry["stage"] for entry in ledger)
    passed = stages["deduplicate"] + stages["export_dataset"]
    return {
        "video": video,
        "url": record["url"],
        "split": row["split"] or next((entry["split"] for entry in ledger if entry["split"]), ""),
        "status": record["status"],
        "message": record["message"] or gathered["note"],
        "duration_s": media.get("duration_s"),
        "media_bytes": media.get("bytes"),
        "frames": len(ledger),
        "looked_at": len(ledger) - stages["extract_frames"],
        "passed": passed,
        "kept": len(labels),
        "exported": sum(entry["file"] != "" for entry in ledger),
        "objects": sum(len(item["classes"]) for item in labels),
        **{name: text for name, text in credits_of(record, row["extra"]).items() if name in REGISTRY_COLUMNS},
        **{name: text for name, text in row["extra"].items() if name not in REGISTRY_COLUMNS},
    }


def registry_tsv(rows: list[RegistryRow]) -> str:
    """Return the registry as TSV: the fixed columns, then the user's own columns."""
    columns = [*REGISTRY_COLUMNS, *(k for k in (rows[0] if rows else {}) if k not in REGISTRY_COLUMNS)]
    cells = [
        {c: "" if row.get(c) is None else " ".join(printable(str(row[c])).split()) for c in columns} for row in rows
    ]
    return tsv_text(columns, cells)


if __name__ == "__main__":
    start_job(snakemake.log[0])
    videos, given, out = snakemake.params.videos, snakemake.input, snakemake.output
    shards = Shards.of(given.shards, given.detections)
    filtered = {video: filter_table(RESULTS, video).parent for video in videos}
    files = {name: Path(given[name]) for name in ("copies", "distances", "dataset", "provenance")}
    sources = Sources(shards, filtered, settings=snakemake.params.settings, **files)
    write_times(Path("benchmarks"), report(videos, sources, Path(out.page), Path(out.registry)), Path(out.times))
