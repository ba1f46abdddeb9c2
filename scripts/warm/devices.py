"""Hold a device for inference: a GPU that no other job of this user is using, or the CPU.

Snakemake may start more jobs than devices, so that they prepare their work and wait here, see run/waiting_jobs.py.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.errors import UserError
from scripts.core.locks import try_lock
from scripts.job.environment import GPUS, OWNER
from scripts.job.process import owner_name
from scripts.job.run_state import is_stopping
from scripts.job.usage import note_wait
from scripts.model.card import read_model_card, runs_on_cpu
from scripts.warm.sockets import NoDetector, file_of_run, private_folder

if TYPE_CHECKING:
    from filelock import FileLock

POLL_S = 0.02


class HeldDevice:
    """A device that this job holds until it releases it or ends."""

    def __init__(self, name: str, locks: list["FileLock"], waited_s: float) -> None:
        """Take over the locks; `waited_s` is for the log."""
        self.name = name
        self._locks, self._waited_s, self._since = locks, waited_s, time.monotonic()

    def release(self) -> None:
        """Leave the device to the next job. Further calls do nothing."""
        if self._locks:
            held_s = time.monotonic() - self._since
            logging.info("held %s for %.3f s, after %.3f s of waiting for it", self.name, held_s, self._waited_s)
        while self._locks:
            _release(self._locks.pop())


@contextmanager
def hold_device(devices: list[str], while_waiting: Callable[[], None] = lambda: None) -> Iterator[HeldDevice]:
    """Hold the first device that is free until the block ends, unless it is released earlier.

    `while_waiting` is called again and again until one is free. Raise NoDetector where no locks can be made, and
    UserError if the user stops the run meanwhile.
    """
    began = time.monotonic()
    while (locks := _try_hold(devices)) is None:
        if is_stopping():
            raise UserError("the run was stopped before this job had its turn")
        while_waiting()
        time.sleep(POLL_S)
    waited_s = time.monotonic() - began
    note_wait(waited_s)
    held = HeldDevice(*locks, waited_s)
    try:
        yield held
    finally:
        held.release()


@contextmanager
def use_alone(devices: list[str]) -> Iterator[str]:
    """Hold a device for a job that loads a model itself, and yield its name.

    Where no locks can be made, Snakemake starts no more jobs than devices.
    """
    try:
        private_folder()
    except NoDetector:
        yield devices[0]
        return
    with hold_device(devices) as held:
        yield held.name


def _try_hold(devices: list[str]) -> tuple[str, list["FileLock"]] | None:
    """Return a free device and its locks, or None. The run itself has a lock for each device that it may use."""
    for slot in _slots():
        taken = [lock] if slot and (lock := try_lock(slot)) else []
        if slot and not taken:
            continue
        for device in devices:
            if lock := try_lock(_file_of(device)):
                return device, [lock, *taken]
        for lock in taken:
            _release(lock)
        return None  # others are using all of them
    return None


def _slots() -> list[Path] | list[None]:
    """Return a file for each device that this run may use at a time. None: Snakemake starts no more jobs than that."""
    count = int(os.environ.get(GPUS) or 0)
    return [file_of_run(os.environ[OWNER], f"{number:016x}.slot") for number in range(count)] or [None]


def _file_of(device: str) -> Path:
    """Return the file to lock for a device. All runs on this machine share its GPUs, but not its cores.

    Each submission to SLURM has its own GPUs and calls the first one cuda:0, so its locks have its job's number.
    """
    if device == "cpu":
        return file_of_run(os.environ.get(OWNER) or owner_name(os.getpid()), f"{0:016x}.cpu")
    submission = os.environ.get("SLURM_JOB_ID", "")
    return private_folder() / f"{socket.gethostname()}-{submission}-{device.replace(':', '')}.lock"


def _release(lock: "FileLock") -> None:
    Path(lock.lock_file).unlink(missing_ok=True)  # filelock notices that its file was deleted before it was locked
    lock.release()


def devices_for(model: Path) -> list[str]:
    """Return the devices that can run a model: all GPUs, or only the CPU."""
    gpus = cuda_devices()
    return gpus if gpus and not runs_on_cpu(read_model_card(model)) else ["cpu"]


def cuda_devices() -> list[str]:
    """Return the GPUs that PyTorch will see, without loading it."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        count = len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    else:
        count = len(list(Path("/proc/driver/nvidia/gpus").glob("*")))
    return [f"cuda:{number}" for number in range(count)]
