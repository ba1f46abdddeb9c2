"""Choose the device of a warm detector: a GPU that no other job of this user is using, or the CPU."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.core.locks import try_lock
from scripts.model.card import read_model_card, runs_on_cpu
from scripts.warm.sockets import private_folder

POLL_S = 0.1


@contextmanager
def hold_device(model: Path) -> Iterator[str]:
    """Yield the device for a model and hold it until the block ends, so that N jobs use N GPUs. Wait for a free one.

    Each submission to SLURM has its own GPUs and calls the first one cuda:0, so its locks have its job's number.
    """
    devices = devices_for(model)
    if devices == ["cpu"]:
        yield "cpu"
        return
    owner = private_folder() / f"{socket.gethostname()}-{os.environ.get('SLURM_JOB_ID', '')}"
    while True:
        for device in devices:
            path = Path(f"{owner}-{device.replace(':', '')}.lock")
            if lock := try_lock(path):
                try:
                    yield device
                finally:
                    path.unlink(missing_ok=True)
                    lock.release()
                return
        time.sleep(POLL_S)


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
