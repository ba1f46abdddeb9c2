"""Start a job: open its log, and end it when its run ends."""

import logging
import os
import signal
import sys
import threading
import time

from scripts.job.environment import OWNER
from scripts.job.log import INTERRUPTED, log_and_show, log_to
from scripts.job.process import is_alive
from scripts.job.run_state import is_stopping
from scripts.job.usage import usage_file, write_usage_at_exit

POLL_S = 0.5
# Put before each job's command. It ignores Ctrl-C until the job has started: during imports, Python prints a traceback.
UNTIL_STARTED = "trap '' INT; set -euo pipefail; "


def start_job(log: str) -> None:
    """Log to this file, and end this job when its run ends, because the next run writes to the same place."""
    log_to(log)
    write_usage_at_exit(usage_file(log))
    _end_with_run()


def start_job_in_view(log: str) -> None:
    """Start a job that the user requested by name. Its log lines are always shown on the terminal, too."""
    log_and_show(log)
    _end_with_run()


def _end_with_run() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if is_stopping():  # the signal came before this job could receive it
        logging.info(INTERRUPTED)
        sys.exit(1)
    if owner := os.environ.get(OWNER):  # not set if the script runs without Snakemake
        threading.Thread(target=_end_with, args=(owner,), daemon=True).start()


def _end_with(owner: str) -> None:
    while is_alive(owner):
        time.sleep(POLL_S)
    logging.error("this job ends because its run was killed")
    os._exit(1)  # at once: it must not write any more
