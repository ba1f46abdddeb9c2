"""Say how well copies were found: recall per change, false pairs per kind of negative, and both per threshold."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from scripts.dedup.hashing import METHODS
from tests.benchmarks._variants import CHANGES, RE_ENCODED
from tests.conftest import REPO

FARTHEST_BITS = 16
PEERS = ("imagehash", "imagededup")
PEERS_AT = [(peer, bits) for peer in PEERS for bits in (8, 10)]
THRESHOLDS = (4, 6, 8, 10, 12, 16)
SHIFT = "0.5 s later"  # whether that is a copy depends on what moves
HARD = ("object elsewhere (drawn)", "object elsewhere (filmed)", "dark scenes", "title cards")
WITH_OBJECTS = ("drawn", "filmed")
EVERYTHING = (*WITH_OBJECTS, "no object")
REQUIRED = {
    **dict.fromkeys((*RE_ENCODED, "half size", "letterbox", "pillarbox"), 0.99),
    **dict.fromkeys([change for change in CHANGES if change.startswith(("brightness", "contrast"))], 0.99),
    **dict.fromkeys(("logo", "subtitles", "crop 5 %", "mirror"), 0.95),
    "crop 10 %": 0.8,
}
HEAD = """# How well copies are found

Written by `python -m tests.benchmarks.duplicates --write`. Pictures are drawn by the demo's own script (36 places, each
twice with other objects, a third of them at night), filmed (frames of two fixed cameras, where the real videos are
present: {filmed}) and title cards. Each is changed as pictures are on their way through the web, and the changed one
compared with the original; a pair counts as found if `deduplicate` would drop one of the two. Both are looked at by the
filter's model, since `compare_objects` goes by what it sees. A crop of 10 % cuts that share off both width and height.

`imagehash` and `imagededup` are those libraries' 64-bit phash of the whole picture, on the same pairs.
"""


@dataclass(frozen=True)
class Labelled:
    """A pair: what it is, where it is from, and the distance at which it is taken for a copy."""

    kind: str
    source: str
    distance_bits: int


@dataclass(frozen=True)
class Measured:
    """The pairs by method."""

    pairs: dict[str, list[Labelled]]

    def found(self, method: str, bits: int, kinds: Iterable[str], sources: Iterable[str]) -> tuple[int, int]:
        """Return how many pairs of these kinds are taken for copies, and how many there are."""
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
        HEAD.format(filmed=f"{filmed} pictures" if filmed else "they were not"),
        f"## At the default: phash, {bits} bits\n\n{recall_table(measured, bits)}",
        "`no object`: title cards and filmed pictures in which the model sees nothing, which come into a dataset as"
        " backgrounds at most. Only their pixels can decide (a correlation of 0.97), and what is laid over one makes"
        " another of it. Half a second later is no change with a right answer: it tells how often something moved."
        " Crops at one corner, and larger ones, are what `dedup.method: embedding` is for.\n",
        f"## What is no copy\n\n{false_table(measured, bits)}",
        f"## Methods and thresholds\n\n{methods_table(measured)}",
        "Recall over all changes but mirror, of drawn and filmed pictures; precision counts the pairs above that are no"
        " copies. Each change by itself: [duplicates.tsv](duplicates.tsv). crop_resistant takes about half a"
        " second per picture, so it was measured on every sixth of them.\n",
    ]
    text = "\n".join(parts)
    if write:
        (REPO / "docs/duplicates.md").write_text(text, encoding="utf-8")
        (REPO / "docs/duplicates.tsv").write_text(per_change(measured), encoding="utf-8")
    else:
        print(text)


def recall_table(measured: Measured, bits: int) -> str:
    """Return recall per change, beside the peers at several thresholds."""
    peers_at = [f"{peer}, {at} bits" for peer, at in PEERS_AT]
    head = ["change", "asked for", "drawn", "filmed", "both", *peers_at, "no object"]
    rows = []
    for change in [*RE_ENCODED, *CHANGES, SHIFT]:
        method = "phash, mirrored" if change == "mirror" else "phash"
        mine = [
            _share(*measured.found(method, bits, [change], sources))
            for sources in (["drawn"], ["filmed"], WITH_OBJECTS)
        ]
        peers = [_share(*measured.found(peer, at, [change], WITH_OBJECTS)) for peer, at in PEERS_AT]
        wanted = f"{REQUIRED[change]:.2f}" if change in REQUIRED else ""
        backgrounds = _share(*measured.found(method, bits, [change], ["no object"]))
        rows.append(
            [change + (" (`match_mirrored`)" if change == "mirror" else ""), wanted, *mine, *peers, backgrounds]
        )
    return _table(head, rows)


def false_table(measured: Measured, bits: int) -> str:
    """Return how many pairs that are no copies are taken for some."""
    columns = [("phash", bits), ("phash, mirrored", bits), *PEERS_AT]
    head = ["pairs", "number", *(f"{method}, {at} bits" for method, at in columns)]
    rows = []
    for kind in (*HARD, "other place"):
        counts = [measured.found(method, at, [kind], EVERYTHING) for method, at in columns]
        rows.append([kind, str(counts[0][1]), *(str(found) for found, _ in counts)])
    precisions = [f"{precision(measured, method, at):.4f}" for method, at in columns]
    rows.append(["precision with the first four", "", *precisions])
    return _table(head, rows)


def precision(measured: Measured, method: str, bits: int) -> float:
    """Return which share of the pairs taken for copies are some, counting the hard pairs that are none."""
    changes = _changes(method)
    right, _ = measured.found(method, bits, changes, WITH_OBJECTS)
    wrong, _ = measured.found(method, bits, HARD, EVERYTHING)
    return right / max(right + wrong, 1)


def _changes(method: str) -> list[str]:
    return [c for c in (*RE_ENCODED, *CHANGES) if c != "mirror" or method.endswith("mirrored")]


def methods_table(measured: Measured) -> str:
    """Return recall, precision and F1 of each method and threshold."""
    rows = []
    for method in (*METHODS, *PEERS):
        cells = []
        for bits in THRESHOLDS:
            found, count = measured.found(method, bits, _changes(method), WITH_OBJECTS)
            recall, right = found / max(count, 1), precision(measured, method, bits)
            cells.append(f"{recall:.3f} / {right:.3f} / {2 * recall * right / max(recall + right, 1e-9):.3f}")
        rows.append([method, *cells])
    return _table(["recall / precision / F1", *(f"{bits} bits" for bits in THRESHOLDS)], rows)


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
