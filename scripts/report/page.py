"""Prepare the tables of the report, and fill in its templates."""

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import jinja2

from scripts.core.row_types import LedgerRow
from scripts.download.faults import TRANSIENT
from scripts.inputs.videos import SPLITS
from scripts.report.advice import FRAME_REASONS, VIDEO_ADVICE

RegistryRow = dict[str, Any]  # with the user's own columns

FOLDER = Path(__file__).parent
MAX_ROWS = 1_000  # in the table of videos, and in all tables of failed videos; browsers sort this many at once
FUNNEL = {
    "frames": "extracted",
    "looked_at": "looked at by the filter",
    "passed": "passed the filter",
    "kept": "unique",
    "exported": "in the dataset",
}


class FunnelStage(TypedDict):
    """Frames that reached a stage, and those lost since the stage before."""

    label: str
    n: int
    lost: int
    share: float  # of all extracted frames


class Loss(TypedDict):
    """Frames dropped by one rule for one reason, and the config key that decides."""

    stage: str
    reason: str
    meaning: str
    key: str
    n: int
    share: float  # of the most frequent loss


class Failure(TypedDict):
    """The videos that failed with one status, and what to do about them."""

    status: str
    advice: str
    transient: bool
    n: int
    videos: list[RegistryRow]


class SplitCount(TypedDict):
    """Objects of a class in a split; `fill` is the length of the bar, from 0 to 1."""

    n: int
    fill: float


class ClassCounts(TypedDict):
    """Objects of a class in all splits."""

    name: str
    total: int
    splits: dict[str, SplitCount]


def funnel(rows: Iterable[RegistryRow]) -> list[FunnelStage]:
    """Return how many frames of all videos reached each stage, and how many were lost since the stage before."""
    listed = list(rows)
    totals = [sum(row[name] for row in listed) for name in FUNNEL]
    before = [totals[0], *totals]
    return [
        {"label": label, "n": n, "lost": previous - n, "share": n / (totals[0] or 1)}
        for label, n, previous in zip(FUNNEL.values(), totals, before, strict=False)
    ]


def losses(ledger: Iterable[LedgerRow]) -> list[Loss]:
    """Return the reasons for which frames were dropped, the most frequent first."""
    counts = Counter((entry["stage"], entry["reason"].split(" of ")[0]) for entry in ledger if not entry["file"])
    most = max(counts.values(), default=1)
    return [
        {"stage": stage, "reason": reason, "meaning": meaning, "key": key, "n": n, "share": n / most}
        for (stage, reason), n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        for meaning, key in [FRAME_REASONS.get(reason, (reason, ""))]
    ]


def failures(rows: Iterable[RegistryRow]) -> list[Failure]:
    """Return the failed videos by status with advice, the most frequent status first."""
    by_status: dict[str, list[RegistryRow]] = defaultdict(list)
    for row in rows:
        if row["status"] != "ok":
            by_status[row["status"]].append(row)
    space = MAX_ROWS
    found: list[Failure] = []
    for status, failed in sorted(by_status.items(), key=lambda item: (-len(item[1]), item[0])):
        shown = failed[:space]
        space -= len(shown)
        advice, transient = VIDEO_ADVICE.get(status, ""), status in TRANSIENT
        found.append({"status": status, "advice": advice, "transient": transient, "n": len(failed), "videos": shown})
    return found


def shown_rows(rows: Sequence[RegistryRow]) -> tuple[list[RegistryRow], int]:
    """Return the rows for the table of videos, evenly spread if there are too many, and the number of hidden rows."""
    step = -(-len(rows) // MAX_ROWS) or 1
    shown = rows[::step]
    most = {name: max((row[name] or 0 for row in shown), default=0) or 1 for name in (*FUNNEL, "objects", "duration_s")}
    filled = [row | {"fill": {name: (row[name] or 0) / most[name] for name in most}} for row in shown]
    return filled, len(rows) - len(shown)


def class_rows(counts: Mapping[tuple[str, str], int]) -> list[ClassCounts]:
    """Return the objects of each class in each split, the most frequent class first; keys are (class, split)."""
    names = {name for name, _ in counts}
    total = {name: sum(counts.get((name, split), 0) for split in SPLITS) for name in names}
    most = {split: max((counts.get((name, split), 0) for name in names), default=0) or 1 for split in SPLITS}
    return [
        {
            "name": name,
            "total": total[name],
            "splits": {
                split: {"n": counts.get((name, split), 0), "fill": counts.get((name, split), 0) / most[split]}
                for split in SPLITS
            },
        }
        for name in sorted(names, key=lambda name: (-total[name], name))
    ]


def flattened(tree: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a nested mapping as sorted pairs of dotted key and value."""
    return list(_leaves(tree, ""))


def _leaves(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key in sorted(tree):
        value, name = tree[key], f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{name}.")
        else:
            yield name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def templates() -> jinja2.Environment:
    """Return the templates of this folder; they escape all values."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: "" if share is None else f"{100 * share:.1f} %"
    return environment


def render(template: str, content: Mapping[str, object]) -> str:
    """Return a filled-in page that contains its style and script and loads nothing else."""
    script = (FOLDER / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assets = {
        "script": script,
        "style": (FOLDER / "page.css").read_text(encoding="utf-8"),
        "policy": f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}';"
        " base-uri 'none'; form-action 'none'",
    }
    return templates().get_template(template).render(**content, **assets)
