"""What all tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
# ^ so that tests can import `builders`

from servers import Servers

settings.register_profile("flatpipe", deadline=None)
settings.load_profile("flatpipe")
# ^ a kernel may be compiled in the middle of a test, and the machine may be busy


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Processes that a test starts; all are ended after it."""
    with Servers() as started:
        yield started
