"""Kill parts of the demo's run at random moments, fill its disk in each stage, and compare the result of a second run.

python -m tests.benchmarks.crashes [--kills 20] [--seed 1] [--videos 8] [--write]

`--videos` takes the first videos of the demo's table. Linux only; full disks need root, otherwise they are left out.
`--write` writes docs/crashes.md.
"""

import argparse
import os
import random
import re
import signal
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from tests._crash import STAGES, Aftermath, crash, fill_up, start
from tests._run import Run, lay_out
from tests.conftest import REPO

KINDS = (
    ("snakemake", signal.SIGKILL),
    ("job", signal.SIGKILL),
    ("ffmpeg", signal.SIGKILL),
    ("detector", signal.SIGKILL),
    ("launcher", signal.SIGKILL),
    ("server", signal.SIGKILL),
    ("group", signal.SIGKILL),
)
REQUESTS_TO_STOP = (("snakemake", signal.SIGTERM), ("snakemake", signal.SIGINT), ("group", signal.SIGINT))
NAMES = {
    "job": "a job",
    "ffmpeg": "ffmpeg",
    "detector": "the detector",
    "launcher": "a launcher",
    "server": "the job server",
    "group": "snakemake and its jobs",
}
HEAD = """# Crashes

Written by `python -m tests.benchmarks.crashes --write` on 2 cores with {videos} of the demo's videos. A process gets a
signal at a random moment (seed {seed}), or the disk becomes full when a stage begins. Then the same command runs again,
with `--unlock` first if the message requests it. Each row covers all cases with the same outcome.

- Second run: the number of its jobs, in each case. The exit code was 0 unless the row has another.
- Equal: results/ and store/ have the same bytes as after an undisturbed run, except times in the store.
- Left: additional processes, sockets and files.

| events | exit code | message, shortened | second run | equal | left |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Case:
    """An event, its moment, and what followed."""

    event: str
    moment: str
    seen: Aftermath


def main() -> None:
    """Print each case when it is done."""
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
        plan = Plan(asked.kills, asked.videos, ended.jobs.total(), random.Random(asked.seed))
        done: list[Case] = []
        for case in cases(undisturbed, Path(name), plan):
            done.append(case)
            print(case.moment, table([case]).replace(name, ""), end="", flush=True)
            if asked.write:  # each time: it takes an hour
                text = HEAD.format(seed=asked.seed, videos=asked.videos) + table(done).replace(name, "")
                (REPO / "docs/crashes.md").write_text(text)


@dataclass(frozen=True)
class Plan:
    """The number of kills, videos and jobs, and the random numbers for the moments."""

    kills: int
    videos: int
    jobs: int
    chance: random.Random


def lay_out_few(folder: Path, count: int) -> Run:
    """Lay out the demo with its first videos."""
    run = lay_out(folder)
    table = folder / "config/videos.tsv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[: count + 1]))
    return run


def cases(undisturbed: Run, folder: Path, plan: Plan) -> Iterator[Case]:
    """Yield each case after its second run."""
    for number, (kind, sent) in enumerate([*islice(cycle(KINDS), plan.kills), *REQUESTS_TO_STOP]):
        moment = (plan.chance.randint(0, plan.jobs - 1), round(plan.chance.uniform(0, 2), 1))
        seen = crash(lay_out_few(folder / str(number), plan.videos), undisturbed, kind, sent, moment)
        yield Case(f"{sent.name} to {NAMES.get(kind, kind)}", f"{moment[0]}+{moment[1]}", seen)
    for stage in STAGES if os.geteuid() == 0 else ():
        seen = fill_up(folder / stage.rule, undisturbed, stage)
        yield Case(f"disk full in {stage.rule}", f"{stage.left_kb} kB", seen)


def table(found: Iterable[Case]) -> str:
    """Return the rows of the table; cases with the same outcome share one."""
    rows = defaultdict(list)
    for case in found:
        rows[outcome(case.seen)].append(case)
    text = ""
    for (first, second, last), same in rows.items():
        events = "; ".join(dict.fromkeys(case.event for case in same))
        jobs = ", ".join(str(case.seen.jobs_again.total()) for case in same)
        text += f"| {events} | {first} | {jobs} jobs{second} | {last} |\n"
    return text


def outcome(seen: Aftermath) -> tuple[str, str, str]:
    """Return the cells about the first run, about the second run, and about the result."""
    said = re.sub(r"^\w+( \S+)?: (?=the disk is full)| \(writing [^)]*\)", "", seen.said)
    message = f"`{said.replace('|', ' ')[:160]}`" if said else "none"
    unlock = " after `--unlock`" if seen.asked.startswith("reelsieve:") else seen.asked and f", {seen.asked}"
    code = f", exit code {seen.code_again}" if seen.code_again else ""
    equal = "yes" if not seen.differing else f"**no**: {', '.join(seen.differing[:3])}"
    left = ", ".join(seen.left[:3]) or "nothing"
    return f"{seen.code} | {message}", unlock + code, f"{equal} | {left}"


if __name__ == "__main__":
    main()
