"""Print digests of the dataset and of all results, for people who compare theirs by one line (run on demand)."""

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
    parts = {"dataset": dataset, "results": results}
    told = [f"{name} {digest_of(part)} ({sum(1 for _ in counted_files(part))} files)" for name, part in parts.items()]
    return ", ".join(told)


if __name__ == "__main__":
    start_job_in_view(snakemake.log[0])
    line = verify(RESULTS)
    logging.info("%s", line, extra={"log_only": True})
    print(line, flush=True)
