"""Let Snakemake start more inference jobs than there are devices, so that the next ones are ready when one is free."""

import os
from typing import Any

from scripts.job.environment import GPUS
from scripts.run.snakemake_internals import set_slots, slots_of
from scripts.warm.sockets import NoDetector, private_folder

PER_DEVICE = 2  # jobs: one infers, the other one prepares or writes


def start_waiting_jobs(workflow: Any) -> None:
    """Start more jobs with `gpu=1` than the user has devices. They share the devices by locks, see warm/devices.py.

    Without a place for locks, Snakemake's own slots must do.
    """
    try:
        private_folder()
    except NoDetector:
        return
    devices = slots_of(workflow, "gpu", 1)
    os.environ[GPUS] = str(devices)
    set_slots(workflow, "gpu", devices * PER_DEVICE)
