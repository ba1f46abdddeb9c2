"""What the tests of this room share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPO

HEADER = "video\turl\tstart_s\tend_s\tsplit\tplace\n"


@pytest.fixture
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((REPO / "config/schemas/config.schema.yaml").read_text())
    return loaded


@pytest.fixture
def write_table(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a video table from its rows and returns its path."""

    def write(body: str, header: str = HEADER) -> Path:
        table = tmp_path / "videos.tsv"
        table.write_text(header + body, encoding="utf-8")
        return table

    return write
