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

from flatpipe.engines.compiling import compile_kernels_here

settings.register_profile("flatpipe", deadline=None)
settings.load_profile("flatpipe")
# ^ a kernel may be compiled in the middle of a test, and the machine may be busy

_MANY = 500
# ^ tests of which some need most kernels


@pytest.fixture(scope="session", autouse=True)
def kernels(request: pytest.FixtureRequest) -> None:
    """All kernels, compiled by one of the processes that test beside each other: a minute of CPU, rather than each."""
    if len(request.session.items) >= _MANY:
        compile_kernels_here()


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Processes that a test starts; all are ended after it."""
    with Servers() as started:
        yield started
