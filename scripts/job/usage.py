"""Write the time and the memory that a job took, as Snakemake's `benchmark:` does.

Snakemake measures the process that it starts, every half second. A warm job runs in another process, often for less.
"""

import atexit
import resource
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from scripts.core.files import write_text
from scripts.core.tsv import tsv_text
from scripts.job.process import age_s

COLUMNS = ("s", "h:m:s", "max_rss", "cpu_time")
_waits_s: list[float] = []  # of this process


def usage_file(log: str) -> Path:
    """Return the file for the usage of the job that logs to logs/RULE/VIDEO.log."""
    return Path("benchmarks", *Path(log).parts[1:]).with_suffix(".tsv")


def note_wait(seconds: float) -> None:
    """Leave out seconds in which this job only waited for another one."""
    _waits_s.append(seconds)


def write_usage_at_exit(path: Path) -> None:
    """Write the usage of this process when it ends."""
    atexit.register(_write_usage, path)


def _own_peak_kb(ru_maxrss: int) -> int:
    """Return the most memory of this process; `ru_maxrss` also counts the process that has started it."""
    with suppress(OSError, IndexError):
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])
    return ru_maxrss


def _write_usage(path: Path) -> None:
    """Write seconds, MiB of the largest process, and CPU seconds, with those of all its ended children."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    wall_s = max(0.0, age_s() - sum(_waits_s))
    cpu_s = sum(used.ru_utime + used.ru_stime for used in (own, children))
    max_rss_mb = max(_own_peak_kb(own.ru_maxrss), children.ru_maxrss) / 1024
    row = (f"{wall_s:.4f}", str(timedelta(seconds=int(wall_s))), f"{max_rss_mb:.2f}", f"{cpu_s:.2f}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, tsv_text(COLUMNS, [dict(zip(COLUMNS, row, strict=True))]))
