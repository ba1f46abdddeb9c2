"""Measure the search for near hashes on random hashes with planted groups, and faiss for comparison.

python -m tests.benchmarks.near_hashes [--write]      half an hour for 4 M; with --write into docs/near_hashes.md
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import REPO

BITS = 8
SIZES = (250_000, 1_000_000, 4_000_000)
GROUP = 5  # copies in each planted group; a tenth of all hashes are in a group
CROWD = 10_000  # near-copies of one image, as from a fixed camera
FAISS_QUERIES = 4000  # the time per query of a range search is constant
KINDS = {"uniform": "groups of 6", "crowds": "groups of 10,000"}
HEAD = """# Time of the search for near hashes

Written by `python -m tests.benchmarks.near_hashes --write` on {cpus} cores, without compile time. The hashes are 64-bit
and random; a tenth are in groups within {bits} bits of each other. `faiss` is a range search with IndexBinaryFlat,
extrapolated from {queries} queries.

| hashes | set | time s | memory GB | groups found | faiss s | faiss / ours |
|---|---|---|---|---|---|---|
"""


def changed(hashes: np.ndarray, rng: np.random.Generator, most: int) -> np.ndarray:
    """Return hashes with up to `most` random bits changed."""
    result = hashes.copy()
    counts = rng.integers(0, most + 1, len(hashes))
    for turn in range(most):  # a bit that is drawn twice changes back
        bits = np.uint64(1) << rng.integers(64, size=len(hashes), dtype=np.uint64)
        result ^= np.where(counts > turn, bits, np.uint64(0))
    return result


def planted(count: int, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return hashes in random order and, for each, the number of its planted group, or -1."""
    members = CROWD if kind == "crowds" else GROUP
    groups = count // 10 // (members + 1) or 1
    alone = rng.integers(2**64, size=count - groups * members, dtype=np.uint64)
    # Copies differ from the first by at most half of the bits, so any two of a group are within the limit.
    copies = changed(np.repeat(alone[:groups], members), rng, BITS // 2)
    group = np.concatenate([np.arange(groups), np.full(len(alone) - groups, -1), np.repeat(np.arange(groups), members)])
    order = rng.permutation(count)
    return np.concatenate([alone, copies])[order], group[order]


def measure(count: int, kind: str, with_faiss: bool) -> dict[str, Any]:
    """Group one set in this process; return time, memory, the number of planted groups found, and the time of faiss."""
    import resource

    from scripts.dedup.deduplicate import accept_all
    from scripts.dedup.features import Hashes
    from scripts.dedup.grouping import group_frames
    from scripts.dedup.hash_space import HashSpace

    codes, group = planted(count, kind, np.random.default_rng(count))
    hashes = Hashes(codes, np.arange(count), np.zeros(count, np.uint8))
    began = time.monotonic()
    groups = group_frames(hashes, hashes, np.zeros(count, np.int64), HashSpace(BITS), accept_all)
    took_s = time.monotonic() - began
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    of_groups = group >= 0
    kept_in = np.bincount(group[of_groups & (groups.representative == np.arange(count))], minlength=group.max() + 1)
    # None is kept if all are copies of another hash that is near by chance, which happens among millions.
    found = {"time_s": took_s, "memory_gb": memory_gb, "groups": len(kept_in), "right": int((kept_in <= 1).sum())}
    return found | ({"faiss_s": faiss_s(codes)} if with_faiss else {})


def faiss_s(codes: np.ndarray) -> float:
    """Return the time that faiss would take to search for all hashes."""
    import faiss

    index = faiss.IndexBinaryFlat(64)
    rows = codes.view(np.uint8).reshape(-1, 8)
    index.add(rows)
    began = time.monotonic()
    index.range_search(rows[:FAISS_QUERIES], BITS + 1)  # excludes the radius itself
    return (time.monotonic() - began) * len(codes) / FAISS_QUERIES


def main() -> None:
    """Measure each set in a process of its own; print or write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help="into docs/")
    options.add_argument("--sizes", default=",".join(map(str, SIZES)))
    options.add_argument("--one", help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.one:
        print(json.dumps(measure(**json.loads(asked.one))))
        return
    rows = []
    for count in map(int, ["20000", *asked.sizes.split(",")]):  # the first run compiles the machine code
        for kind in KINDS:
            job = json.dumps({"count": count, "kind": kind, "with_faiss": kind == "uniform"})
            command = [sys.executable, "-m", "tests.benchmarks.near_hashes", "--one", job]
            done = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            rows.append(_row(count, kind, found))
            print(rows[-1], flush=True)
    if asked.write:
        import os

        head = HEAD.format(cpus=os.cpu_count(), bits=BITS, queries=FAISS_QUERIES)
        Path(REPO / "docs/near_hashes.md").write_text(head + "\n".join(rows[2:]) + "\n", encoding="utf-8")


def _row(count: int, kind: str, found: dict[str, Any]) -> str:
    slower = found.get("faiss_s")
    cells = [f"{count:,}", KINDS[kind], f"{found['time_s']:.1f}", f"{found['memory_gb']:.2f}"]
    cells += [f"{found['right']} of {found['groups']}"]
    cells += [f"{slower:.0f}", f"{slower / found['time_s']:.1f}"] if slower else ["", ""]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
