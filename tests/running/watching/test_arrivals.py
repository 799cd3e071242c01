"""What has come, changed or gone, as listings tell it, and what of it has settled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from flatpipe.records import Failure, ImageSource, RefusedFile
from flatpipe.running.watching.arrivals import Arrivals, Look, SettledFiles

SETTLE = 5.0
PASSING = Failure("discover", "io-error", "cannot be read: Permission denied")


def source(name: str, stamp: object = 0, part: str = "") -> ImageSource:
    """A file of the input, or a part of one."""
    return ImageSource(name + part, f"/photos/{name}", 1, str(stamp), part=part)


def refused(name: str) -> RefusedFile:
    """A file that will not be opened."""
    return RefusedFile(source(name, ""), PASSING)


def look(**stamps: int) -> Look:
    """Files by name, each with its stamp."""
    return Look.at(source(name, stamp) for name, stamp in stamps.items())


def with_round(**stamps: int) -> tuple[Arrivals, SettledFiles]:
    """A watch that has done a round of these files, and what that took."""
    arrivals = Arrivals(SETTLE)
    for now in (0.0, SETTLE):
        arrivals.see(look(**stamps), now)
    taken = arrivals.settled()
    arrivals.done(taken)
    return arrivals, taken


listings = some.lists(some.dictionaries(some.sampled_from("abc"), some.integers(0, 3)), min_size=1, max_size=12)


@given(listings, some.data())
def test_a_file_is_taken_when_it_has_stayed_as_it_is(found: list[dict[str, int]], data: some.DataObject) -> None:
    """Whatever is listed when, a round takes exactly the files whose stamp was the same for the time to settle."""
    arrivals, now, seen = Arrivals(SETTLE), 0.0, []
    for stamps in found:
        now += data.draw(some.sampled_from([1.0, 3.0, 7.0]))
        seen.append((now, stamps))
        arrivals.see(look(**stamps), now)
        taken = arrivals.settled()
        for name, stamp in stamps.items():
            since = now
            for when, earlier in reversed(seen):
                if earlier.get(name) != stamp:
                    break
                since = when
            assert taken.takes(source(name, stamp), has_failed=False) == (now - since >= SETTLE)
            assert not taken.takes(source(name, stamp + 9), has_failed=False)
        if arrivals.is_due and data.draw(some.booleans()):
            arrivals.done(taken)


@given(listings)
def test_a_round_is_due_once_for_what_has_changed(found: list[dict[str, int]]) -> None:
    """After the last change has settled and one round is done, nothing is due, however long nothing changes."""
    arrivals = Arrivals(SETTLE)
    for number, stamps in enumerate(found):
        arrivals.see(look(**stamps), float(number))
    last = found[-1]
    arrivals.see(look(**last), 100.0)

    assert arrivals.is_due == bool(last)
    arrivals.done(arrivals.settled())
    for now in (101.0, 200.0, 300.0):
        arrivals.see(look(**last), now)
        assert not arrivals.is_due


def test_each_change_that_has_settled_makes_a_round_due() -> None:
    """A file that comes, one that changes and one that goes: each is news, and not before it has settled."""
    for after in ({"a": 0, "b": 0, "c": 0}, {"a": 1, "b": 0}, {"a": 0}):
        arrivals, _ = with_round(a=0, b=0)
        arrivals.see(look(**after), 100.0)
        assert not arrivals.is_due
        arrivals.see(look(**after), 100.0 + SETTLE)
        assert arrivals.is_due, after


def test_an_input_that_is_empty_makes_no_round_due() -> None:
    """Where all files have gone, a disk is not mounted: nothing is due, and when they are there again, they settle."""
    arrivals, _ = with_round(a=0, b=0)
    for now in (100.0, 200.0):
        arrivals.see(look(), now)
        assert not arrivals.is_due
    arrivals.see(look(a=0, b=0), 300.0)
    taken = arrivals.settled()

    assert taken.is_there(source("a"))
    assert not taken.takes(source("a"), has_failed=False)


def test_a_new_file_being_written_is_not_there_and_a_known_one_is() -> None:
    """What was never taken and has not settled is passed over; what a round has taken stays, and is left as it was."""
    arrivals, _ = with_round(a=0)
    arrivals.see(look(a=1, b=0), 100.0)
    taken = arrivals.settled()

    assert (taken.is_there(source("a", 1)), taken.is_there(source("b"))) == (True, False)
    assert not taken.takes(source("a", 1), has_failed=False)
    arrivals.done(taken)
    arrivals.see(look(a=2, b=0), 101.0)
    assert arrivals.settled().is_there(source("a", 2)), "two rounds long"


def test_a_failed_image_is_taken_again_only_when_it_has_changed() -> None:
    """The first round takes what failed in earlier runs; later ones what has changed since, and what never failed."""
    arrivals, first = with_round(a=0, b=0)
    assert first.takes(source("a"), has_failed=True)

    for now in (100.0, 100.0 + SETTLE):
        arrivals.see(look(a=0, b=1), now)
    taken = arrivals.settled()
    assert not taken.takes(source("a"), has_failed=True)
    assert taken.takes(source("a"), has_failed=False), "an output of it may be gone"
    assert taken.takes(source("b", 1), has_failed=True)


def test_parts_of_a_file_settle_with_it_and_refusals_are_there() -> None:
    """All images within an archive are taken when it has settled; what cannot be opened becomes a row at once."""
    arrivals = Arrivals(SETTLE)
    for now in (0.0, SETTLE):
        arrivals.see(Look.at([source("a.tar"), refused("b")]), now)
    taken = arrivals.settled()

    assert taken.takes(source("a.tar", part="/1.png"), has_failed=False)
    assert taken.is_there(source("a.tar", part="/2.png"))
    assert SettledFiles().is_there(refused("b"))
    assert not SettledFiles().is_there(RefusedFile(source("a.tar", 0, "/3.png"), PASSING)), "it may be whole soon"
