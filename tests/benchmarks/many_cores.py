"""Simulate machines with many cores and a GPU, to choose how many jobs of each stage run at a time.

python -m tests.benchmarks.many_cores [--cores 4,8,16,32] [--rates 100,500,2000] [--sampled 1,5]     half a minute
python -m tests.benchmarks.many_cores --validate 24      compares the simulation with runs whose stages only sleep

Costs are CPU seconds, measured on a real clip of 720p; the rate of inference is assumed. Only the stages up to
hash_frames count.
"""

import argparse
import random
import tempfile
from pathlib import Path

from scripts.model.engine import decoders_for
from scripts.run.slots import download_slots, extract_slots, threads_per_extraction
from scripts.run.waiting_jobs import PER_DEVICE
from tests.benchmarks._machine import Costs, Machine, Simulation
from tests.benchmarks._sleeping import run_asleep

VIDEOS, SEED = 200, 7
ASLEEP = Costs(
    1.5,
    0.5,
    extract=2.0,
    extract_per_s=0.3,
    extract_per_frame=0.0,
    filter=0.2,
    hash=0.3,
    hash_per_frame=0.0,
    decode=1e-9,
)


def lengths(count: int) -> list[float]:
    """Return the lengths of videos in seconds: most are short, few are long; a minute in the middle."""
    rng = random.Random(SEED)
    return [min(rng.lognormvariate(4.1, 0.8), 1800.0) for _ in range(count)]


def chosen(cores: int, frames_per_s: float) -> Machine:
    """Return a machine with the workflow's defaults."""
    threads = threads_per_extraction(cores, VIDEOS)
    slots = download_slots(cores), extract_slots(cores, threads)
    return Machine(cores, frames_per_s, *slots, threads, PER_DEVICE, decoders_for(cores))


def before(cores: int, frames_per_s: float) -> Machine:
    """Return a machine with the defaults of version 0.1: two of each, and an inference job at a time."""
    return Machine(cores, frames_per_s, 2, 2, max(1, cores // 4), 1, 2)


def validate(cores: int, videos: int) -> None:
    """Print what the simulation expects, and what a real run takes whose stages sleep, with old and new slots."""
    lengths_s = [round(10 + 20 * random.Random(number).random(), 1) for number in range(videos)]
    for name, machine in (("before", before(cores, 20)), ("now", chosen(cores, 20))):
        expected = Simulation(machine, ASLEEP, lengths_s, asleep=True).run()
        with tempfile.TemporaryDirectory() as folder:
            real_s = run_asleep(machine, ASLEEP, lengths_s, Path(folder))
        print(f"{cores} cores, {name}: simulated {expected.seconds:.1f} s, real {real_s:.1f} s", flush=True)


def main() -> None:
    """Print a row per machine and interval: before, and now."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cores", default="4,8,16,32")
    options.add_argument("--rates", default="100,500,2000", help="frames inferred a second")
    options.add_argument("--sampled", default="1,5", help="frames of a second of video")
    options.add_argument("--validate", type=int, metavar="VIDEOS", help="compare with real runs instead")
    asked = options.parse_args()
    if asked.validate:
        validate(int(asked.cores.split(",")[0]), asked.validate)
        return
    print("| cores | GPU, frames/s | frames of a second | extractions | downloads | videos/h | GPU busy |")
    print("|---|---|---|---|---|---|---|")
    for cores in map(int, asked.cores.split(",")):
        for rate in map(float, asked.rates.split(",")):
            for sampled in map(float, asked.sampled.split(",")):
                print(row_of(before(cores, rate), chosen(cores, rate), Costs(sampled_per_s=sampled)), flush=True)


def row_of(old: Machine, new: Machine, costs: Costs) -> str:
    """Return the row of a table for a machine with the old and the new slots."""
    seen = [Simulation(machine, costs, lengths(VIDEOS)).run() for machine in (old, new)]
    hours = [f"{VIDEOS / one.seconds * 3600:,.0f}" for one in seen]
    slots = f"{new.extractions} x {new.threads} | {new.downloads}"
    busy = [f"{one.device:.0%}" for one in seen]
    return (
        f"| {new.cores} | {new.frames_per_s:g} | {costs.sampled_per_s:g} | {slots} | {' -> '.join(hours)}"
        f" | {' -> '.join(busy)} |"
    )


if __name__ == "__main__":
    main()
