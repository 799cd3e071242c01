"""Names on disk."""

from __future__ import annotations

from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from flatpipe.ledger.names import NamesOnDisk

names = st.binary(min_size=1).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@given(st.lists(names), st.lists(names))
def test_a_set_on_disk_is_a_set(held: list[str], others: list[str]) -> None:
    """A name is there exactly when it was put there, whatever bytes it is made of."""
    with closing(NamesOnDisk(held)) as found:
        assert [name in found for name in held + others] == [name in set(held) for name in held + others]
