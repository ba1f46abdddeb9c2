"""Name a process so that its end is noticed, also when its number was given to another one."""

import os

from scripts.job.process import is_alive, owner_name

# Environment variables by which a run tells its jobs its name, how many cores it has, and in which submission to a
# cluster it runs, if it does
OWNER = "REELSIEVE_RUN"
CORES = "REELSIEVE_CORES"
SUBMISSION = "REELSIEVE_SUBMISSION"
UNKNOWN = "unknown"  # of a cluster other than SLURM


def name_run(cores: int, submitted: bool) -> int:
    """Name this process to its jobs as their run, and return how many cores they have.

    A submission to a cluster is a run of its own: a process for all its jobs, and one for each, which keeps that name.
    """
    submission = os.environ.get("SLURM_JOB_ID", UNKNOWN) if submitted else ""
    inherited = os.environ.get(SUBMISSION) == submission and is_alive(os.environ.get(OWNER, ""))
    if submission in ("", UNKNOWN) or not inherited:
        os.environ |= {OWNER: owner_name(os.getpid()), SUBMISSION: submission}
        os.environ[CORES] = str(min(cores, allocated_cores()) if submitted else cores)
    return int(os.environ[CORES])


def is_submission() -> bool:
    """Tell whether this job was submitted to a cluster, so that others of its run may still wait in the queue."""
    return os.environ.get(SUBMISSION, "") != ""


def inference_threads() -> int:
    """Return how many threads a model gets: the cores of the whole run, since jobs that infer only wait for it."""
    return min(int(os.environ.get(CORES, "1")), allocated_cores())


def allocated_cores() -> int:
    """Return how many cores this process may use; SLURM may only say so, without holding processes to it."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(here, int(os.environ.get("SLURM_CPUS_PER_TASK") or here))
