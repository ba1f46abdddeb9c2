"""Pages under docs/ that tests write from what they see."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path


def collected(page: Path, head: str, cases: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield a place for the row of each case; write the page if asked to and all were seen."""
    seen: dict[str, str] = {}
    yield seen
    if os.environ.get("REELSIEVE_WRITE_DOCS") and seen.keys() == set(cases):
        page.write_text(head + "".join(f"{seen[name]}\n" for name in cases), encoding="utf-8")
