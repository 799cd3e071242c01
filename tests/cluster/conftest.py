"""What the tests of clusters and stores share: servers that live as long as a test, and are gone after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
# ^ so that these tests can import `servers`

from servers import Servers


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Processes that a test starts; all are ended after it."""
    with Servers() as started:
        yield started
