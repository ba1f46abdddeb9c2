"""Group a million hashes with planted groups, and the same with faiss for scale.

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
GROUP = 5  # members of a planted group beside the one they are copies of; a tenth of all are in one
CROWD = 10_000  # near-copies of one picture, as a fixed camera gives them
FAISS_QUERIES = 4000  # of a range search whose time per query does not change
KINDS = {"uniform": "a tenth in groups of six", "crowds": "a tenth in groups of 10,000 near-copies"}
HEAD = """# How the search for near hashes grows

Written by `python -m tests.benchmarks.near_hashes --write`, on {cpus} cores, each row in a process of its own, code
compiled before. Random 64-bit hashes, of which a tenth lie within {bits} bits of another one, in random order. `faiss`
is its IndexBinaryFlat's range search of all hashes among all, told from {queries} of them in the same process.

| hashes | set | time s | memory GB | planted found | faiss s | faiss / ours |
|---|---|---|---|---|---|---|
"""


def changed(hashes: np.ndarray, rng: np.random.Generator, most: int) -> np.ndarray:
    """Return hashes with up to so many random bits changed."""
    result = hashes.copy()
    counts = rng.integers(0, most + 1, len(hashes))
    for turn in range(most):  # a bit that is drawn twice goes back, so some change less
        bits = np.uint64(1) << rng.integers(64, size=len(hashes), dtype=np.uint64)
        result ^= np.where(counts > turn, bits, np.uint64(0))
    return result


def planted(count: int, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return hashes in random order and, for each, the number of its planted group, or -1."""
    members = CROWD if kind == "crowds" else GROUP
    groups = count // 10 // (members + 1) or 1
    alone = rng.integers(2**64, size=count - groups * members, dtype=np.uint64)
    # Copies differ from the first in half of the bits at most, so that any two of a group are within them all.
    copies = changed(np.repeat(alone[:groups], members), rng, BITS // 2)
    group = np.concatenate([np.arange(groups), np.full(len(alone) - groups, -1), np.repeat(np.arange(groups), members)])
    order = rng.permutation(count)
    return np.concatenate([alone, copies])[order], group[order]


def measure(count: int, kind: str, with_faiss: bool) -> dict[str, Any]:
    """Group one set in this process; return time, memory, how many planted groups came out as one, and faiss' time."""
    import resource

    from scripts.dedup.deduplicate import hashes_alone
    from scripts.dedup.features import Hashes
    from scripts.dedup.grouping import find_stars
    from scripts.dedup.hash_space import HashSpace

    codes, group = planted(count, kind, np.random.default_rng(count))
    hashes = Hashes(codes, np.arange(count), np.zeros(count, np.uint8))
    began = time.monotonic()
    stars = find_stars(hashes, hashes, np.zeros(count, np.int64), HashSpace(BITS), hashes_alone)
    took_s = time.monotonic() - began
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    of_groups = group >= 0
    kept_in = np.bincount(group[of_groups & (stars.star == np.arange(count))], minlength=group.max() + 1)
    # None is kept if all of them fell to a stranger that is near by chance, as some are among millions.
    found = {"time_s": took_s, "memory_gb": memory_gb, "groups": len(kept_in), "right": int((kept_in <= 1).sum())}
    return found | ({"faiss_s": faiss_s(codes)} if with_faiss else {})


def faiss_s(codes: np.ndarray) -> float:
    """Return how long faiss would take to search all hashes among all."""
    import faiss

    index = faiss.IndexBinaryFlat(64)
    rows = codes.view(np.uint8).reshape(-1, 8)
    index.add(rows)
    began = time.monotonic()
    index.range_search(rows[:FAISS_QUERIES], BITS + 1)  # it leaves out what is as far as the radius
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
    for count in map(int, ["20000", *asked.sizes.split(",")]):  # the first has the machine code compiled
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
    cells += [f"{found['right']} of {found['groups']} groups"]
    cells += [f"{slower:.0f}", f"{slower / found['time_s']:.1f}"] if slower else ["", ""]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
