"""Print digests of the dataset and of all results, to compare them with those of others (run on demand)."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.core.errors import UserError
from scripts.core.layout import LEDGER_TABLE, RESULTS, dataset_folder
from scripts.dataset.digest import counted_files, digest_of
from scripts.job.start import start_job_in_view

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def verify(results: Path) -> str:
    """Return a line with the digests and the number of files of the dataset and of all results."""
    dataset = dataset_folder(results)
    if not (dataset / LEDGER_TABLE).is_file():
        raise UserError(f"{dataset.absolute()} holds no dataset to verify: finish a run of this folder first")
    return f"dataset {_digest_and_count(dataset)}, results {_digest_and_count(results)}"


def _digest_and_count(folder: Path) -> str:
    return f"{digest_of(folder)} ({sum(1 for _ in counted_files(folder))} files)"


if __name__ == "__main__":
    start_job_in_view(snakemake.log[0])
    line = verify(RESULTS)
    logging.info("%s", line, extra={"log_only": True})
    print(line, flush=True)
