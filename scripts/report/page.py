"""Shape what the report's template shows, and fill the template in."""

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from scripts.download.faults import TRANSIENT
from scripts.inputs.videos import SPLITS
from scripts.report.remedies import FRAME_REASONS, VIDEO_REMEDIES

Row = dict[str, Any]  # of a table

FOLDER = Path(__file__).parent
ROWS_SHOWN = 1_000  # of videos, and of failed ones; a browser sorts so many without a pause
FUNNEL = {
    "frames": "extracted",
    "looked_at": "looked at by the filter",
    "passed": "passed the filter",
    "kept": "unique",
    "exported": "in the dataset",
}


def funnel(rows: Iterable[Row]) -> list[Row]:
    """Return how many frames reached each stage, and how many were lost on the way from the one before."""
    listed = list(rows)
    totals = [sum(row[name] for row in listed) for name in FUNNEL]
    before = [totals[0], *totals]
    return [
        {"label": label, "n": n, "lost": previous - n, "share": n / (totals[0] or 1)}
        for label, n, previous in zip(FUNNEL.values(), totals, before, strict=False)
    ]


def losses(ledger: Iterable[Row]) -> list[Row]:
    """Return why frames are not in the dataset, the most frequent reason first, with the key that decides."""
    counts = Counter((entry["stage"], entry["reason"].split(" of ")[0]) for entry in ledger if not entry["file"])
    most = max(counts.values(), default=1)
    return [
        {"stage": stage, "reason": reason, "meaning": meaning, "key": key, "n": n, "share": n / most}
        for (stage, reason), n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        for meaning, key in [FRAME_REASONS.get(reason, (reason, ""))]
    ]


def failures(rows: Iterable[Row]) -> list[Row]:
    """Return the statuses of failed videos with the remedy and the videos, the most frequent first."""
    by_status: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["status"] != "ok":
            by_status[row["status"]].append(row)
    left = ROWS_SHOWN
    found = []
    for status, failed in sorted(by_status.items(), key=lambda item: (-len(item[1]), item[0])):
        shown = failed[:left]
        left -= len(shown)
        remedy, again = VIDEO_REMEDIES.get(status, ""), status in TRANSIENT
        found.append({"status": status, "remedy": remedy, "again": again, "n": len(failed), "videos": shown})
    return found


def shown_rows(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """Return the rows of the table of videos, evenly spread if there are too many, and how many are left out."""
    step = -(-len(rows) // ROWS_SHOWN) or 1
    shown = rows[::step]
    most = {name: max((row[name] or 0 for row in shown), default=0) or 1 for name in (*FUNNEL, "objects", "duration_s")}
    filled = [row | {"fill": {name: (row[name] or 0) / most[name] for name in most}} for row in shown]
    return filled, len(rows) - len(shown)


def class_rows(counts: Mapping[tuple[str, str], int]) -> list[Row]:
    """Return the objects of each class in each split, the most frequent class first."""
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


def flattened(tree: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Return a nested dict as rows of dotted keys and values, as configuration and provenance are shown."""
    return list(_leaves(tree, above))


def _leaves(tree: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for key in sorted(tree):
        value, name = tree[key], f"{above}{key}"
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
