"""Begin a job: its log, and its end together with the run that started it."""

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

LOOK_S = 0.5
# What Snakemake puts before each job's command. A Ctrl-C that meets a Python which still imports shows a traceback.
UNTIL_STARTED = "trap '' INT; set -euo pipefail; "


def start_job(log: str) -> None:
    """Log to this file, and end when the run is gone: its next start does the same work in the same place."""
    log_to(log)
    _end_with_run()


def start_job_in_view(log: str) -> None:
    """Start a job that a person asked for by its name and waits for: what it logs is shown in any case."""
    log_and_show(log)
    _end_with_run()


def _end_with_run() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if is_stopping():  # since before this job listened
        logging.info(INTERRUPTED)
        sys.exit(1)
    if owner := os.environ.get(OWNER):  # none where somebody runs the script by hand
        threading.Thread(target=_end_with, args=(owner,), daemon=True).start()


def _end_with(owner: str) -> None:
    while is_alive(owner):
        time.sleep(LOOK_S)
    logging.error("the run that started this job was killed, so the job ends, too")
    os._exit(1)  # whatever it is doing: nothing may be written any more
