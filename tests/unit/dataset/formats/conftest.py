from pathlib import Path

import pytest

from tests._exported import export, settings


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset in all formats; tests look at it but change only copies."""
    return export(tmp_path_factory.mktemp("formats"), settings())
