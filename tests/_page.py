"""Pages under docs/ that tests write from their results: one row per outcome, listing its cases."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path


def collected(page: Path, head: str, cases: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield a place for the outcome of each case; write the page if requested and all cases ran."""
    seen: dict[str, str] = {}
    yield seen
    if os.environ.get("REELSIEVE_WRITE_DOCS") and seen.keys() == set(cases):
        page.write_text(page_text(head, {name: seen[name] for name in cases}), encoding="utf-8")


def page_text(head: str, outcomes: Mapping[str, str]) -> str:
    """Return the page: a row per outcome, with the cases that share it in the first cell."""
    cases = defaultdict(list)
    for name, outcome in outcomes.items():
        cases[outcome].append(name)
    return head + "".join(f"| {'; '.join(names)} | {outcome} |\n" for outcome, names in cases.items())


def read_outcomes(page: Path, head: str) -> dict[str, str]:
    """Return the outcome of each case on a page."""
    found: dict[str, str] = {}
    for row in page.read_text(encoding="utf-8").removeprefix(head).splitlines():
        names, _, outcome = row.removeprefix("| ").removesuffix(" |").partition(" | ")
        found |= dict.fromkeys(names.split("; "), outcome)
    return found
