"""Show what a run gave, what was lost and why: one self-contained page, and one row per video."""

import base64
import csv
import io
import json
import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from PIL import Image, ImageDraw

from scripts._files import write_text
from scripts._job import start_job
from scripts._publish import credits_of
from scripts._summary import FUNNEL
from scripts._tables import read_note, read_rows
from scripts._videos import REGISTRY_COLUMNS, stage_outputs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

TEMPLATE = Path(__file__).with_name("report.html.jinja")
SAMPLES = 48
THUMB_PX, PAIR_THUMB_PX = 320, 200
CHART_PX = {"left": 56, "top": 14, "bin": 24, "high": 200}  # 34 bins: 0 to 32 bits, and more
LAST_BITS = 32
COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000", "#000075", "#f032e6")


def registry_row(
    video: str, row: dict[str, Any], paths: dict[str, Path], ledger: list[dict[str, Any]], labels: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return one video's row: its status, and how many frames reached each stage."""
    record = json.loads((paths["record"]).read_text(encoding="utf-8"))
    media, note = record["media"] or {}, read_note(paths["filtered"] / "filter.parquet")
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


def registry_tsv(rows: list[dict[str, Any]]) -> str:
    """Return the registry as TSV: the fixed columns, then the user's own."""
    columns = [*REGISTRY_COLUMNS, *(k for k in (rows[0] if rows else {}) if k not in REGISTRY_COLUMNS)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if row.get(c) is None else " ".join(str(row[c]).split()) for c in columns])
    return text.getvalue()


def draw_sample(image: Path, row: dict[str, Any], colours: dict[str, str]) -> str:
    """Return a JPEG thumbnail with its boxes as a data URL."""
    thumb, factor = thumbnail(image)
    draw = ImageDraw.Draw(thumb)
    for box, label, score in zip(row["boxes_xyxy_px"], row["classes"], row["confidences"], strict=True):
        x1, y1, x2, y2 = (v * factor for v in box)
        draw.rectangle((x1, y1, x2, y2), outline=colours[label], width=2)
        text = f"{label} {score:.2f}"
        width = draw.textlength(text) + 4
        draw.rectangle((x1, max(0, y1 - 12), x1 + width, max(12, y1)), fill=colours[label])
        draw.text((x1 + 2, max(0, y1 - 12)), text, fill="white")
    return data_url(thumb)


def thumbnail(image: Path, side_px: int = THUMB_PX) -> tuple[Image.Image, float]:
    """Return a picture scaled to this longer side, and by which factor it was scaled."""
    with Image.open(image) as picture:
        thumb = picture.convert("RGB")
    factor = side_px / max(thumb.size)
    return thumb.resize((max(1, round(thumb.width * factor)), max(1, round(thumb.height * factor)))), factor


def data_url(thumb: Image.Image) -> str:
    """Return a picture as a JPEG in a data URL."""
    buffer = io.BytesIO()
    thumb.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def read_audit(dataset: Path) -> dict[str, Any]:
    """Return the audit of the splits, and with the closest images of each two splits their thumbnails."""
    audit: dict[str, Any] = json.loads((dataset / "audit.json").read_text(encoding="utf-8"))
    for pair in audit["closest"]:
        pair["sources"] = [data_url(thumbnail(dataset / file)[0]) for file in pair["files"]]
    return audit


def read_copies(distances: Path, filtered: Mapping[str, Path], times_s: Mapping[str, float]) -> dict[str, Any]:
    """Return what deduplicate measured, its histogram, and of the pairs thumbnails and when each was seen.

    `filtered` holds the folder of each video's pictures, `times_s` is by video/frame.
    """
    copies: dict[str, Any] = json.loads(distances.read_text(encoding="utf-8"))
    for pair in (pair for pairs in copies["pairs"].values() for pair in pairs):
        places = [name.rsplit("/", 1) for name in pair["frames"]]
        pair["sources"] = [data_url(thumbnail(filtered[v] / frame, PAIR_THUMB_PX)[0]) for v, frame in places]
        pair["seen"] = [f"{v} at {times_s[f'{v}/{frame}']} s" for v, frame in places]
    return copies | {"chart": histogram(copies["counts"], copies["max_distance_bits"])}


def histogram(counts: Mapping[str, Sequence[int]], max_distance_bits: int) -> dict[str, Any]:
    """Return bars, ticks and the cut of a chart of frames by distance, in its pixels; heights are logarithmic.

    `counts` holds, by kind of frame, how many there are at 0 bits, 1 bit, and so on; those above 32 share a bar.
    """
    bins = {
        kind: [*of[: LAST_BITS + 1], *[0] * (LAST_BITS + 1 - len(of)), sum(of[LAST_BITS + 1 :])]
        for kind, of in counts.items()
    }
    left, top, wide, high = CHART_PX.values()
    most: int = max(max(of) for of in bins.values()) or 1
    scale = high / math.log10(1 + most)
    bars = []
    for bits in range(LAST_BITS + 2):
        kinds = [kind for kind, of in bins.items() if of[bits]]
        for place, kind in enumerate(kinds):
            n, bar_wide = bins[kind][bits], (wide - 4) / len(kinds)
            tall = scale * math.log10(1 + n)
            box = {
                "x": left + wide * bits + 2 + place * bar_wide,
                "y": top + high - tall,
                "wide": bar_wide,
                "tall": tall,
            }
            bars.append({"kind": kind, "bits": bits, "n": n} | {name: round(px, 1) for name, px in box.items()})
    ticks = [{"n": 10**k, "y": round(top + high - scale * math.log10(1 + 10**k), 1)} for k in range(len(str(most)))]
    return CHART_PX | {"bars": bars, "ticks": ticks, "bins": bins, "cut_x": left + wide * (max_distance_bits + 1)}


def pick_samples(exported: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return up to `count` exported frames, taken in turn from each video so that none fills the page."""
    by_video: dict[str, list[dict[str, Any]]] = {}
    for entry in exported:
        by_video.setdefault(entry["video"], []).append(entry)
    turns = [(turn, video, entry) for video, items in by_video.items() for turn, entry in enumerate(items)]
    chosen = sorted(turns, key=lambda item: item[0])[:count]
    return [entry for _, _, entry in chosen]


def report(
    videos: dict[str, Any],
    folders: dict[str, dict[str, Path]],
    distances: Path,
    dataset: Path,
    page: Path,
    registry: Path,
) -> None:
    """Write the registry and the page."""
    ledger = read_rows(dataset / "ledger.parquet")
    by_video: dict[str, list[dict[str, Any]]] = {video: [] for video in videos}
    for entry in ledger:
        by_video[entry["video"]].append(entry)
    detections = {video: read_rows(folders[video]["detections"]) for video in videos}
    rows = [registry_row(v, videos[v], folders[v], by_video[v], detections[v]) for v in videos]
    labels = {(row["video"], row["frame"]): row for found in detections.values() for row in found}
    write_text(registry, registry_tsv(rows))
    times_s = {f"{entry['video']}/{entry['frame']}": entry["pts_s"] for entry in ledger}
    copies = read_copies(distances, {video: paths["filtered"] for video, paths in folders.items()}, times_s)
    write_text(page, render_page(rows, ledger, labels, dataset, copies))
    logging.info("%s", page)


def render_page(
    rows: list[dict[str, Any]],
    ledger: list[dict[str, Any]],
    labels: dict[tuple[str, str], dict[str, Any]],
    dataset: Path,
    copies: dict[str, Any],
) -> str:
    """Return the page: `rows` of the registry, `labels` by video and frame, `copies` as read_copies returns them."""
    exported = [entry for entry in ledger if entry["file"]]
    dropped = [entry for entry in ledger if not entry["file"]]
    counts = Counter((name, e["split"]) for e in exported for name in labels[e["video"], e["frame"]]["classes"])
    names = sorted({name for name, _ in counts})
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    samples = []
    for entry in pick_samples(exported, SAMPLES):
        row = labels[entry["video"], entry["frame"]]
        source = draw_sample(dataset / entry["file"], row, colours)
        samples.append({**entry, "src": source, "classes": sorted(set(row["classes"]))})
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        rows=rows,
        counts=counts,
        names=names,
        colours=colours,
        samples=samples,
        reasons=sorted(Counter((e["stage"], e["reason"].split(" of ")[0]) for e in dropped).items()),
        totals={c: sum(row[c] or 0 for row in rows) for c in FUNNEL},
        exported=Counter(e["split"] for e in exported),
        audit=read_audit(dataset),
        copies=copies,
    )


if __name__ == "__main__":
    start_job(snakemake.log[0])
    report(
        videos=snakemake.params.videos,
        folders=stage_outputs(
            snakemake.params.videos,
            record=snakemake.input.records,
            filtered=snakemake.input.filtered,
            detections=snakemake.input.detections,
        ),
        distances=Path(snakemake.input.distances),
        dataset=Path(snakemake.input.dataset),
        page=Path(snakemake.output.page),
        registry=Path(snakemake.output.registry),
    )
