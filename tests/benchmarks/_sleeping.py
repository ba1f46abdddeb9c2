"""Run the real workflow with stages that only sleep, so that this machine stands for one with more cores."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.benchmarks._machine import STAGES, Costs, Machine, phases_of
from tests.benchmarks._stubs import STUBS, lay_out_videos, stubbed_checkout

RULE_OF = {
    "download": "download_video",
    "extract": "extract_frames",
    "filter": "filter_frames",
    "hash": "hash_frames",
}
# Sleeps for the phases of a job; the second one of a filter job has the device alone.
SLEEP = """
folder=made/$1; read -a parts < $folder/$2; date +%s%3N > $folder/times-$2
for number in "${!parts[@]}"; do
    if [ $2 = filter ] && [ $number = 1 ]; then flock device sleep ${parts[1]}; else sleep ${parts[$number]}; fi
done
date +%s%3N >> $folder/times-$2
"""


def run_asleep(machine: Machine, costs: Costs, lengths_s: Sequence[float], folder: Path) -> float:
    """Return the seconds from the first job's start to the last one's end, up to hash_frames.

    If the machine has one inference job at a time, so has Snakemake.
    """
    checkout, run = stubbed_checkout(folder / "checkout"), folder / "run"
    for file in (checkout / "rules").glob("*.smk"):
        text = file.read_text()
        for stage, rule in RULE_OF.items():
            slow = f"bash sleep.sh {{wildcards.video}} {stage} && {STUBS[rule]}"
            text = text.replace(f'shell:\n        "{STUBS[rule]}"', f'shell:\n        "{slow}"')
        file.write_text(text)
    lay_out_videos(run, len(lengths_s))
    _lay_out_sleeps(machine, costs, lengths_s, run)
    config = yaml.safe_load((run / "config/config.yaml").read_text())
    config["detector"] = {"warm": machine.gpu_jobs > 1}
    (run / "config/config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "-s", str(checkout / "Snakefile"), "--directory", str(run)]
    slots = ["--resources", "gpu=1", f"download={machine.downloads}", f"extract={machine.extractions}"]
    threads = ["--set-threads", f"extract_frames={machine.threads}", "download_video=0"]
    subprocess.run(
        [*command, "--cores", str(machine.cores), *slots, *threads, "--until", "hash_frames"],
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        check=True,
    )
    times = [int(line) for file in run.glob("made/*/times-*") for line in file.read_text().split()]
    return (max(times) - min(times)) / 1000


def _lay_out_sleeps(machine: Machine, costs: Costs, lengths_s: Sequence[float], run: Path) -> None:
    (run / "sleep.sh").write_text(SLEEP)
    for number, length_s in enumerate(lengths_s):
        for stage in STAGES:
            sleeps = [phase for phase in phases_of(stage, length_s, machine, costs) if phase.kind != "start"]
            parts = [phase.left / (machine.frames_per_s if phase.kind == "device" else 1) for phase in sleeps]
            (run / f"made/v{number:05d}/{stage}").write_text(" ".join(f"{part:.3f}" for part in parts))
