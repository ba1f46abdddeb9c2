"""Show what a run gave, what was lost and why: one self-contained page, and one row per video."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.core.files import read_json, write_text
from scripts.core.layout import FILTER_TABLE, LEDGER_TABLE
from scripts.core.tables import read_note, read_rows
from scripts.core.tsv import tsv_text
from scripts.inputs.columns import REGISTRY_COLUMNS
from scripts.inputs.redact import credits_of
from scripts.inputs.videos import SPLITS, stage_outputs
from scripts.job.start import start_job
from scripts.report.charts import draw_histogram, draw_map
from scripts.report.gallery import Labels, Pictures, read_audit, read_copies, read_dropped, read_groups, read_samples
from scripts.report.histograms import distance_histogram, frame_histograms, object_histograms, positions
from scripts.report.notices import mostly_dropped, tell_absent, tell_dropped
from scripts.report.page import class_rows, failures, flattened, funnel, losses, render, shown_rows
from scripts.report.times import write_times

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


Row = dict[str, Any]


@dataclass(frozen=True)
class Sources:
    """What the page is made of: folders and tables of each video, and what was made of all."""

    folders: Mapping[str, Mapping[str, Path]]
    manifest: Path
    distances: Path
    dataset: Path
    settings: Mapping[str, Any]
    provenance: Path


def report(videos: Mapping[str, Row], sources: Sources, page: Path, registry: Path) -> list[Row]:
    """Write the registry and the page; return the registry's rows."""
    ledger = read_rows(sources.dataset / LEDGER_TABLE)
    by_video: dict[str, list[Row]] = {video: [] for video in videos}
    for entry in ledger:
        by_video[entry["video"]].append(entry)
    detections = {video: read_rows(sources.folders[video]["detections"]) for video in videos}
    rows = [registry_row(v, videos[v], sources.folders[v], by_video[v], detections[v]) for v in videos]
    labels = {(row["video"], row["frame"]): row for found in detections.values() for row in found}
    write_text(registry, registry_tsv(rows))
    write_text(page, render("page.html.jinja", page_content(rows, ledger, labels, sources)))
    logging.info("%s", page)
    return rows


def page_content(rows: list[Row], ledger: list[Row], labels: Labels, sources: Sources) -> Row:
    """Return what the template shows: `rows` of the registry, `labels` by video and frame."""
    exported = [entry for entry in ledger if entry["file"]]
    in_dataset = [labels[entry["video"], entry["frame"]] for entry in exported]
    counts = Counter(
        (name, entry["split"]) for entry, row in zip(exported, in_dataset, strict=True) for name in row["classes"]
    )
    names = sorted({name for name, _ in counts})
    filtered = {video: paths["filtered"] for video, paths in sources.folders.items()}
    pictures = Pictures(filtered, {f"{entry['video']}/{entry['frame']}": entry["pts_s"] for entry in ledger})
    copies = read_copies(sources.distances, pictures)
    shown, n_hidden = shown_rows(rows)
    audit, thinned = read_audit(sources.dataset), mostly_dropped(rows)
    return {
        "rows": rows,
        "shown": shown,
        "n_hidden": n_hidden,
        "funnel": funnel(rows),
        "losses": losses(ledger),
        "failures": failures(rows),
        "mostly_dropped": tell_dropped(thinned),
        "dropped": read_dropped(pictures, [row["video"] for row in thinned]),
        "absent": tell_absent(audit["absent_classes"]),
        "classes": class_rows(counts),
        "images": Counter(entry["split"] for entry in exported),
        "splits": SPLITS,
        "names": names,
        "charts": charts_of(filtered, in_dataset, copies, sources.settings),
        "samples": read_samples(exported, labels, sources.dataset, names),
        "copies": copies,
        "groups": read_groups(read_rows(sources.manifest), pictures),
        "audit": audit,
        "provenance": flattened(read_provenance(sources.provenance)),
    }


def read_provenance(path: Path) -> Row:
    """Return what the dataset was made with, but for the commit, which may be another for the same code."""
    told: Row = read_json(path)
    return told | {"workflow": {"code": told["workflow"]["code"]}}


def charts_of(
    filtered: Mapping[str, Path], in_dataset: list[Row], copies: Row, settings: Mapping[str, Any]
) -> dict[str, Row]:
    """Return the charts by their names, each with its bins for a table; `in_dataset` are the dataset's labels."""
    tables = [folder / FILTER_TABLE for folder in filtered.values()]
    charts = [
        *frame_histograms(tables, settings),
        *object_histograms(in_dataset, settings["detect"]["confidence"]),
        distance_histogram(copies["counts"], copies["max_distance_bits"]),
    ]
    drawn: dict[str, Row] = {chart.name: {"chart": chart, "svg": draw_histogram(chart)} for chart in charts}
    return drawn | {
        "positions": {"svg": draw_map("positions", "Where in the picture objects are", positions(in_dataset))}
    }


def registry_row(video: str, row: Row, paths: Mapping[str, Path], ledger: list[Row], labels: list[Row]) -> Row:
    """Return one video's row: its status, and how many frames reached each stage."""
    record = read_json(paths["record"])
    media, note = record["media"] or {}, read_note(paths["filtered"] / FILTER_TABLE)
    stages = Counter(entry["stage"] for entry in ledger)
    passed = stages["deduplicate"] + stages["export_dataset"]
    return {
        "video": video,
        "url": record["url"],
        "split": row["split"] or next((entry["split"] for entry in ledger if entry["split"]), ""),
        "status": record["status"],
        "message": record["message"] or note,
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


def registry_tsv(rows: list[Row]) -> str:
    """Return the registry as TSV: the fixed columns, then the user's own."""
    columns = [*REGISTRY_COLUMNS, *(k for k in (rows[0] if rows else {}) if k not in REGISTRY_COLUMNS)]
    cells = [{c: "" if row.get(c) is None else " ".join(str(row[c]).split()) for c in columns} for row in rows]
    return tsv_text(columns, cells)


if __name__ == "__main__":
    start_job(snakemake.log[0])
    registry_rows = report(
        videos=snakemake.params.videos,
        sources=Sources(
            folders=stage_outputs(
                snakemake.params.videos,
                record=snakemake.input.records,
                filtered=snakemake.input.filtered,
                detections=snakemake.input.detections,
            ),
            manifest=Path(snakemake.input.copies),
            distances=Path(snakemake.input.distances),
            dataset=Path(snakemake.input.dataset),
            settings=snakemake.params.settings,
            provenance=Path(snakemake.input.provenance),
        ),
        page=Path(snakemake.output.page),
        registry=Path(snakemake.output.registry),
    )
    write_times(Path("benchmarks"), registry_rows, Path(snakemake.output.times))
