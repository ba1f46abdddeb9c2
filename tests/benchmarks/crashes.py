"""Kill parts of the demo's run at random moments, fill its disk in each stage, and compare what a second run makes.

python -m tests.benchmarks.crashes [--kills 20] [--seed 1] [--videos 8] [--write]

Of the demo's table the first so many videos are taken. Linux; full disks need root, else they are left out. `--write`
keeps docs/crashes.md.
"""

import argparse
import os
import random
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from tests._crash import STAGES, Aftermath, crash, fill_up, start
from tests.conftest import REPO
from tests.workflow.conftest import Run, lay_out

KINDS = (
    ("snakemake", signal.SIGKILL),
    ("job", signal.SIGKILL),
    ("ffmpeg", signal.SIGKILL),
    ("detector", signal.SIGKILL),
    ("group", signal.SIGKILL),
)
ASKED_TO_END = (("snakemake", signal.SIGTERM), ("snakemake", signal.SIGINT), ("group", signal.SIGINT))
NAMES = {"job": "a job", "ffmpeg": "an ffmpeg", "detector": "the detector", "group": "snakemake and its jobs"}
HEAD = """# Crashes

Written by `python -m tests.benchmarks.crashes --write` on 2 cores, with {videos} of the demo's videos. A process gets
a signal at a random moment (seed {seed}), or the disk is full once a stage begins; then the same command is run again,
with `--unlock` before if the message asks for it. Equal: every file under results/ and store/ is that of an
undisturbed run, byte for byte but for the times in the store. Left: processes, sockets and files that an undisturbed
run does not leave.

| what | when | exit code | what the user saw | what ran then | equal | left |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Print a row per case as it is done."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--videos", type=int, default=8)
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have background commands ignore it
    with tempfile.TemporaryDirectory() as name:
        undisturbed = lay_out_few(Path(name) / "undisturbed", asked.videos)
        ended = start(undisturbed).wait()
        if ended.code:
            raise SystemExit(ended.text)
        rows = []
        plan = Plan(asked.kills, asked.videos, ended.jobs.total(), random.Random(asked.seed))
        for row in cases(undisturbed, Path(name), plan):
            row = row.replace(name, "")
            print(row, flush=True)
            rows.append(row)
            if asked.write:  # each time: it takes an hour
                (REPO / "docs/crashes.md").write_text(
                    HEAD.format(seed=asked.seed, videos=asked.videos) + "\n".join(rows) + "\n"
                )


@dataclass(frozen=True)
class Plan:
    """How many kills of a run of so many videos and jobs, and the chance that decides when."""

    kills: int
    videos: int
    jobs: int
    chance: random.Random


def lay_out_few(folder: Path, count: int) -> Run:
    """Lay out the demo with so many of its videos."""
    run = lay_out(folder)
    table = folder / "config/videos.tsv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[: count + 1]))
    return run


def cases(undisturbed: Run, folder: Path, plan: Plan) -> Iterator[str]:
    """Yield a row of the table for each case."""
    for number, (kind, sent) in enumerate([*islice(cycle(KINDS), plan.kills), *ASKED_TO_END]):
        moment = (plan.chance.randint(0, plan.jobs - 1), round(plan.chance.uniform(0, 2), 1))
        seen = crash(lay_out_few(folder / str(number), plan.videos), undisturbed, kind, sent, moment)
        yield row_of(f"{sent.name} to {NAMES.get(kind, kind)}", f"{moment[1]} s after job {moment[0]} began", seen)
    for stage in STAGES if os.geteuid() == 0 else ():
        seen = fill_up(folder / stage.rule, undisturbed, stage)
        yield row_of("disk full", f"{stage.rule} begins, {stage.left_kb} kB left", seen)


def row_of(what: str, when: str, seen: Aftermath) -> str:
    """Return a case as a row of the table."""
    said = f"`{seen.said.replace('|', ' ')[:160]}`" if seen.said else "nothing"
    asked = " (after `--unlock`, asked for in plain words)" if seen.asked.startswith("reelsieve:") else seen.asked
    ran = f"{seen.jobs_again.total()} jobs, exit code {seen.code_again}{asked}"
    equal = "yes" if not seen.differing else f"**no**: {', '.join(seen.differing[:3])}"
    left = ", ".join(seen.left[:3]) or "nothing"
    return f"| {what} | {when} | {seen.code} | {said} | {ran} | {equal} | {left} |"


if __name__ == "__main__":
    main()
