"""The line of `verify` holds both digests and changes with any result."""

from pathlib import Path

import pytest

from scripts.core.errors import UserError
from scripts.dataset.digest import digest_of
from scripts.dataset.verify import verify


def test_the_line_has_the_digest_and_the_number_of_files_of_the_dataset_and_of_all_results(tmp_path: Path) -> None:
    for name in ("dataset/ledger.parquet", "dataset/audit.json", "registry.tsv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    dataset, results = digest_of(tmp_path / "dataset"), digest_of(tmp_path)
    assert verify(tmp_path) == f"dataset {dataset} (2 files), results {results} (3 files)"


def test_without_a_dataset_there_is_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no dataset to verify"):
        verify(tmp_path)
