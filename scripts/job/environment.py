"""Pass the name and the cores of a run to its jobs."""

import os

from scripts.job.process import is_alive, owner_name

# Environment variables from a run to its jobs: its name, its cores, its submission to a cluster (empty if it is local)
OWNER = "REELSIEVE_RUN"
CORES = "REELSIEVE_CORES"
SUBMISSION = "REELSIEVE_SUBMISSION"
# The devices that a run's jobs may use at a time, if Snakemake starts more jobs than that
GPUS = "REELSIEVE_GPUS"
UNKNOWN = "unknown"  # of a cluster other than SLURM


def name_run(cores: int, submitted: bool) -> int:
    """Record this process as the run of its jobs, and return the number of cores of the run.

    A submission to a cluster is a run of its own. The process of each of its jobs keeps the name of the first process.
    """
    submission = os.environ.get("SLURM_JOB_ID", UNKNOWN) if submitted else ""
    inherited = os.environ.get(SUBMISSION) == submission and is_alive(os.environ.get(OWNER, ""))
    if submission in ("", UNKNOWN) or not inherited:
        os.environ |= {OWNER: owner_name(os.getpid()), SUBMISSION: submission}
        os.environ.pop(GPUS, None)
        os.environ[CORES] = str(min(cores, allocated_cores()) if submitted else cores)
    return int(os.environ[CORES])


def is_submission() -> bool:
    """Return whether this job was submitted to a cluster. Then other jobs of its run may still be in the queue."""
    return os.environ.get(SUBMISSION, "") != ""


def inference_threads() -> int:
    """Return the number of threads for a model: all cores of the run, because jobs only wait during inference."""
    return min(int(os.environ.get(CORES, "1")), allocated_cores())


def allocated_cores() -> int:
    """Return the number of cores that this process may use. SLURM may announce fewer without enforcing them."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, int(os.environ.get("SLURM_CPUS_PER_TASK") or usable))
