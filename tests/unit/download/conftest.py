"""A server for the downloads of this room's tests."""

from collections.abc import Iterator

import pytest

from tests._server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running
