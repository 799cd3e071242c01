"""Retries of reads and writes."""

from __future__ import annotations

import errno

import pytest

from flatpipe.work import retry
from flatpipe.work.retry import with_retries


class Flaky:
    """An action that raises its errors one after another, then succeeds."""

    def __init__(self, *errors: OSError) -> None:
        self.errors, self.calls = list(errors), 0

    def __call__(self) -> str:
        """Raise the next error, or return."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been slept."""
    slept: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", slept.append)
    return slept


def test_a_passing_error_is_met_by_another_try_after_a_growing_pause(pauses: list[float]) -> None:
    """A stale handle, then a time-out: the third try succeeds, each pause twice the one before."""
    action = Flaky(OSError(errno.ESTALE, "stale"), TimeoutError(errno.ETIMEDOUT, "late"))

    assert with_retries(action, 2) == "done"
    assert action.calls == 3
    assert pauses[1] == 2 * pauses[0] > 0


def test_no_more_tries_are_made_than_allowed(pauses: list[float]) -> None:
    """After as many retries as allowed the error reaches the caller; with none, the first does."""
    for retries in (0, 3):
        action = Flaky(*(OSError(errno.EIO, "io") for _ in range(9)))
        with pytest.raises(OSError, match="io"):
            with_retries(action, retries)
        assert action.calls == retries + 1


@pytest.mark.parametrize("error", [
    OSError(errno.ENOSPC, "full"), OSError(errno.EROFS, "read-only"), OSError(errno.ENAMETOOLONG, "long"),
    FileNotFoundError("no bucket"), PermissionError("denied"),
], ids=str)  # fmt: skip
def test_a_lasting_error_is_not_tried_again(error: OSError, pauses: list[float]) -> None:
    """A full disk, a missing file, refused access: a second try would meet it again."""
    action = Flaky(error)
    with pytest.raises(type(error)):
        with_retries(action, 5)

    assert action.calls == 1
    assert pauses == []
