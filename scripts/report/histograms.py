"""Count the measured values of frames and objects into histograms, with the configured thresholds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scripts.core.tables import open_table
from scripts.report.charts import Histogram

SHARPNESS_EDGES = (0.0, *(2.0**k for k in range(15)), np.inf)
BRIGHTNESS_EDGES = tuple(np.linspace(0, 256, 33).tolist())
ENTROPY_EDGES = tuple(np.linspace(0, 8, 33).tolist())
CONFIDENCE_EDGES = tuple(np.linspace(0, 1, 41).round(3).tolist())
SIDE_PX_EDGES = (0.0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, np.inf)
SMALL_PX, MEDIUM_PX = 32, 96  # COCO's limits: objects are small below the first, large above the second (root of area)
MAP_CELLS = (12, 16)  # rows and columns of the map of positions
LAST_BITS = 32  # greater distances share a bin
KINDS = {"told_apart": "near_misses"}  # names on the page of kinds in distances.json
MEASURED = ("sharpness", "brightness", "entropy_bits", "reason", "confidences")


@dataclass(frozen=True)
class Threshold:
    """A threshold of the configuration; if it is not active, its value drops no frame."""

    key: str
    value: float
    active: bool


@dataclass(frozen=True)
class Measure:
    """A value measured for every frame: its bins, its thresholds, and the reasons for which they drop a frame."""

    column: str
    title: str
    unit: str
    edges: tuple[float, ...]
    thresholds: tuple[Threshold, ...]
    reasons: frozenset[str]


@dataclass
class Counts:
    """Frames or objects per bin, by kind."""

    by_kind: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, kind: str, values: np.ndarray, edges: Sequence[float]) -> None:
        """Count values into bins; values outside all bins count in the first or last one."""
        found = np.histogram(np.maximum(np.minimum(values, edges[-1]), edges[0]), edges)[0]
        self.by_kind[kind] = self.by_kind.get(kind, np.zeros(len(edges) - 1, np.int64)) + found


def crowded(tables: Iterable[Path], labels: Iterable[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, int]:
    """Return by role how many frames have as many objects as `max_objects` allows."""
    most = {role: settings[role]["max_objects"] for role in ("filter", "detect")}
    seen = (len(row or ()) for path in tables for row in read_columns(path, ["classes"])["classes"])
    return {
        "filter": sum(count >= most["filter"] for count in seen),
        "detect": sum(len(row["classes"]) >= most["detect"] for row in labels),
    }


def measures_of(frames: Mapping[str, Any]) -> list[Measure]:
    """Return the values that extract_frames measures, with the thresholds of the config section `frames`."""
    low, high = frames["min_brightness"], frames["max_brightness"]
    sharp, entropy = frames["min_sharpness"], frames["min_entropy_bits"]
    return [
        Measure(
            "sharpness", "Sharpness", "variance of the Laplacian", SHARPNESS_EDGES,
            (Threshold("min_sharpness", sharp, sharp > 0),), frozenset({"blurred"}),
        ),
        Measure(
            "brightness", "Brightness", "mean luma, 0 to 255", BRIGHTNESS_EDGES,
            (Threshold("min_brightness", low, low > 0), Threshold("max_brightness", high, high < 255)),
            frozenset({"dark", "bright"}),
        ),
        Measure(
            "entropy_bits", "Detail", "entropy of luma in bits", ENTROPY_EDGES,
            (Threshold("min_entropy_bits", entropy, entropy > 0),), frozenset({"flat"}),
        ),
    ]  # fmt: skip


def frame_histograms(tables: Iterable[Path], settings: Mapping[str, Any]) -> list[Histogram]:
    """Return the histograms of all extracted frames; `tables` are the filter.parquet of each video."""
    measures = measures_of(settings["frames"])
    counted = {measure.column: Counts() for measure in measures}
    confidences = Counts()
    for table in tables:
        columns = read_columns(table, MEASURED)
        reasons = np.array([reason or "" for reason in columns["reason"]], dtype=object)
        for measure in measures:
            values = np.array(columns[measure.column], np.float64)  # null becomes NaN, if the frame was not decoded
            by_measure = np.isin(reasons, list(measure.reasons))
            for kind, mask in (
                ("kept", reasons == ""),
                ("dropped", by_measure),
                ("dropped_elsewhere", ~by_measure & (reasons != "")),
            ):
                counted[measure.column].add(kind, values[mask & ~np.isnan(values)], measure.edges)
        scores = [score for of_frame in columns["confidences"] for score in of_frame or ()]
        confidences.add("objects", np.array(scores, np.float64), CONFIDENCE_EDGES)
    charts = [_histogram(measure, counted[measure.column]) for measure in measures]
    return [*charts, confidence_histogram("filter", confidences, settings["filter"]["confidence"])]


def _histogram(measure: Measure, counts: Counts) -> Histogram:
    thresholds = {f"frames.{each.key}": each.value for each in measure.thresholds if each.active}
    by_kind = {kind: of.tolist() for kind, of in counts.by_kind.items()}
    return Histogram(measure.column.replace("_", "-"), measure.title, measure.unit, measure.edges, by_kind, thresholds)


def confidence_histogram(role: str, counts: Counts, threshold: float) -> Histogram:
    """Return the histogram of a model's confidences; the model reports no objects below the threshold."""
    by_kind = {kind: of.tolist() for kind, of in counts.by_kind.items()}
    title = f"Confidence of the {role} model"
    return Histogram(
        f"{role}-confidence", title, "confidence", CONFIDENCE_EDGES, by_kind, {f"{role}.confidence": threshold}
    )


def object_histograms(labels: Iterable[Mapping[str, Any]], confidence: float) -> list[Histogram]:
    """Return histograms of the confidences and of the sizes, with COCO's limits of small and large objects."""
    confidences, sides = Counts(), Counts()
    for row in labels:
        boxes = np.array(row["boxes_xyxy_px"], np.float64).reshape(-1, 4)
        sides.add("objects", np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).clip(0)), SIDE_PX_EDGES)
        confidences.add("objects", np.array(row["confidences"], np.float64), CONFIDENCE_EDGES)
    limits = {"small below": SMALL_PX, "large above": MEDIUM_PX}
    sizes = {kind: of.tolist() for kind, of in sides.by_kind.items()}
    unit = "square root of the box's area in px"
    return [
        confidence_histogram("detect", confidences, confidence),
        Histogram("object-size", "Size of objects", unit, SIDE_PX_EDGES, sizes, limits),
    ]


def positions(labels: Iterable[Mapping[str, Any]]) -> np.ndarray:
    """Return, for each cell of the image, the share of objects that cover its middle; rows are counted from the top."""
    n_rows, n_columns = MAP_CELLS
    centres_x, centres_y = (np.arange(n_columns) + 0.5) / n_columns, (np.arange(n_rows) + 0.5) / n_rows
    covered, n_objects = np.zeros(MAP_CELLS, np.int64), 0
    for row in labels:
        x1, y1, x2, y2 = np.array(row["boxes_xyxy_px"], np.float64).reshape(-1, 4).T
        across = (x1[:, None] <= centres_x * row["width"]) & (centres_x * row["width"] <= x2[:, None])
        down = (y1[:, None] <= centres_y * row["height"]) & (centres_y * row["height"] <= y2[:, None])
        covered += down.T.astype(np.int64) @ across.astype(np.int64)
        n_objects += len(x1)
    return covered / max(1, n_objects)


def distance_histogram(counts: Mapping[str, Sequence[int]], max_distance_bits: int) -> Histogram:
    """Return frames by distance to the nearest kept frame; `counts` holds their numbers at 0 bits, 1 bit, ..."""
    bins = {
        KINDS.get(kind, kind): [*of[: LAST_BITS + 1], *[0] * (LAST_BITS + 1 - len(of)), sum(of[LAST_BITS + 1 :])]
        for kind, of in counts.items()
    }
    edges = (*range(LAST_BITS + 2), np.inf)
    title = "Frames by distance to the nearest kept frame"
    return Histogram(
        "distance", title, "distance in bits", edges, bins, {"dedup.max_distance_bits": max_distance_bits}, whole=True
    )


def read_columns(table: Path, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return some columns of a parquet table."""
    with open_table(table) as file:
        columns: dict[str, list[Any]] = file.read(columns=list(names)).to_pydict()
    return columns
