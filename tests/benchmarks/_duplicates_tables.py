"""Report how well copies are found: recall per change, false pairs per kind, and both per threshold."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from scripts.dedup.hashing import METHODS
from tests.benchmarks._variants import CHANGES, RE_ENCODED
from tests.conftest import REPO

FARTHEST_BITS = 16
PEERS = ("imagehash", "imagededup")
THRESHOLDS = (4, 6, 8, 10, 12, 16)
SHIFT = "0.5 s later"  # a copy only if nothing moves
HARD = ("object elsewhere (drawn)", "object elsewhere (filmed)", "dark scenes", "title cards")
WITH_OBJECTS = ("drawn", "filmed")
EVERYTHING = (*WITH_OBJECTS, "no object")
HEAD = """# How well copies are found

Written by `python -m tests.benchmarks.duplicates --write`. Images are drawn (36 places with two sets of objects
each), filmed (two fixed cameras: {filmed}) or title cards. Each is compared with a changed version of
itself. `found`: the share of pairs of which `deduplicate` would drop one image. A crop of 10 % removes that share of
width and height. `imagehash`: this library's phash of the whole image; imagededup's finds about the same.
"""


@dataclass(frozen=True)
class Labelled:
    """A pair: its kind, its source, and the distance at which it counts as a copy."""

    kind: str
    source: str
    distance_bits: int


@dataclass(frozen=True)
class Measured:
    """The pairs by method."""

    pairs: dict[str, list[Labelled]]

    def found(self, method: str, bits: int, kinds: Iterable[str], sources: Iterable[str]) -> tuple[int, int]:
        """Return the number of pairs of these kinds that count as copies, and the number of all."""
        wanted_kinds, wanted_sources = set(kinds), set(sources)
        chosen = [
            pair.distance_bits <= bits
            for pair in self.pairs[method]
            if pair.kind in wanted_kinds and pair.source in wanted_sources
        ]
        return sum(chosen), len(chosen)


def default_bits() -> int:
    """Return the default of dedup.max_distance_bits."""
    schema = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    bits: int = schema["properties"]["dedup"]["properties"]["max_distance_bits"]["default"]
    return bits


def write_tables(measured: Measured, write: bool) -> None:
    """Print what was measured, or write it into docs/."""
    bits = default_bits()
    filmed = sum(pair.kind == "half size" and pair.source == "filmed" for pair in measured.pairs["phash"])
    parts = [
        HEAD.format(filmed=f"{filmed} frames" if filmed else "not present"),
        f"## At the default: phash, {bits} bits\n\n{recall_table(measured, bits)}",
        "`no object`: the model finds nothing, so only pixels decide (correlation 0.97), and a logo makes a different"
        " image. Pairs 0.5 s apart have no correct answer. For larger or one-sided crops, use"
        " `dedup.method: embedding`.\n",
        f"## False copies\n\n{false_table(measured, bits)}",
        f"## Another object at the same place\n\n{camera_table()}",
        "Real fixed cameras (`python -m tests.benchmarks.same_objects FOLDER --write`). False: an object that is clear"
        " in one of the two frames is not in the other.\n",
        "Small objects remain a limit. If another person stands at the place, 28 % of the pairs count as copies at 3 %"
        " of the picture's width, 79 % at 2 %, and nearly all below.\n",
        f"## Other methods\n\n{methods_table(measured, bits)}",
        "Recall: all changes except mirror, drawn and filmed images. Precision: with the first four kinds of pairs"
        " above. Other thresholds: [duplicates.tsv](duplicates.tsv). crop_resistant takes half a second per image.\n",
    ]
    text = "\n".join(parts)
    if write:
        (REPO / "docs/duplicates.md").write_text(text, encoding="utf-8")
        (REPO / "docs/duplicates.tsv").write_text(per_change(measured), encoding="utf-8")
    else:
        print(text)


def recall_table(measured: Measured, bits: int) -> str:
    """Return recall per change, for this project and the other libraries."""
    changes = defaultdict(list)
    for change in [*RE_ENCODED, *CHANGES, SHIFT]:
        method = "phash, mirrored" if change == "mirror" else "phash"
        mine = _share(*measured.found(method, bits, [change], WITH_OBJECTS))
        peer = _share(*measured.found(PEERS[0], bits, [change], WITH_OBJECTS))
        backgrounds = _share(*measured.found(method, bits, [change], ["no object"]))
        changes[mine, backgrounds, peer].append(change + (" (`match_mirrored`)" if change == "mirror" else ""))
    rows = [["; ".join(names), *shares] for shares, names in changes.items()]
    return _table(["changes", "found", "no object", PEERS[0]], rows)


def false_table(measured: Measured, bits: int) -> str:
    """Return how many pairs that are not copies count as copies."""
    columns = ("phash", "phash, mirrored")
    rows = []
    for kind in (*HARD, "other place"):
        counts = [measured.found(method, bits, [kind], EVERYTHING) for method in columns]
        rows.append([kind, str(counts[0][1]), *(str(found) for found, _ in counts)])
    precisions = [f"{precision(measured, method, bits):.4f}" for method in columns]
    rows.append(["precision, first four", "", *precisions])
    return _table(["pairs", "number", *columns], rows)


def precision(measured: Measured, method: str, bits: int) -> float:
    """Return the share of true copies among the pairs that count as copies, with the hard pairs."""
    changes = _changes(method)
    right, _ = measured.found(method, bits, changes, WITH_OBJECTS)
    wrong, _ = measured.found(method, bits, HARD, EVERYTHING)
    return right / max(right + wrong, 1)


def _changes(method: str) -> list[str]:
    return [c for c in (*RE_ENCODED, *CHANGES) if c != "mirror" or method.endswith("mirrored")]


def methods_table(measured: Measured, bits: int) -> str:
    """Return recall and precision of each method."""
    rows = []
    for method in (*METHODS, *PEERS):
        found, count = measured.found(method, bits, _changes(method), WITH_OBJECTS)
        rows.append([method, f"{found / max(count, 1):.3f}", f"{precision(measured, method, bits):.3f}"])
    return _table(["method", "recall", "precision"], rows)


def camera_table() -> str:
    """Return the figures that same_objects.py wrote: dropped frames and false copies per camera."""
    with (REPO / "docs/same_objects.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    shown = ("camera", "frames", "looks_dropped", "looks_false", "places_false")
    return _table(
        ["camera", "frames", "dropped", "false", "false, by places alone"],
        [[row[key] for key in shown] for row in rows],
    )


def per_change(measured: Measured) -> str:
    """Return a TSV of recall, precision and F1 per method, change and threshold."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(["method", "change", "threshold_bits", "pairs", "recall", "precision", "f1"])
    for method in measured.pairs:
        for change in (*RE_ENCODED, *CHANGES):
            for bits in THRESHOLDS:
                found, count = measured.found(method, bits, [change], WITH_OBJECTS)
                wrong, _ = measured.found(method, bits, HARD, EVERYTHING)
                recall, right = found / max(count, 1), found / max(found + wrong, 1)
                f1 = 2 * recall * right / max(recall + right, 1e-9)
                writer.writerow([method, change, bits, count, f"{recall:.4f}", f"{right:.4f}", f"{f1:.4f}"])
    return text.getvalue()


def _share(found: int, count: int) -> str:
    return f"{found / count:.3f}" if count else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"
