"""One run writes to an output, whatever machine and ledger others have: the lease in the output itself."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from builders import write_image
from waiting import wait_for

from flatpipe.config import Config, load_config
from flatpipe.errors import RunGivenUp
from flatpipe.layout import LEASE
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan import held_output as held_output_module
from flatpipe.plan import lease
from flatpipe.plan.held_output import HeldOutput, Leased, held_output, make_way
from flatpipe.plan.lease import Lease, live_lease, new_lease, read_lease
from flatpipe.plan.opening import Access
from flatpipe.plan.workspace import open_workspace
from flatpipe.storage.local import LocalRoot
from flatpipe.storage.roots import Root, open_root


@pytest.fixture(params=["local", "memory"])
def outputs(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    """An empty place for outputs: a folder, and a store."""
    return open_root(str(tmp_path / "out") if request.param == "local" else f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def ledger_path(tmp_path: Path) -> str:
    """A ledger in a folder of its own."""
    (tmp_path / "state").mkdir()
    return str(tmp_path / "state" / "ledger.sqlite")


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks stale is watched for a moment alone."""
    monkeypatch.setattr(held_output_module, "_WATCHED_SECONDS", 0.1)
    monkeypatch.setattr(held_output_module, "_LOOK_SECONDS", 0.02)


@pytest.fixture
def quick_renewals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are renewed all the time."""
    monkeypatch.setattr(held_output_module, "_FIRST_SECONDS", 0.01)
    monkeypatch.setattr(held_output_module, "_RENEWED_SECONDS", 0.01)


def _config(folder: Path, output: str, state: str) -> Config:
    write_image(folder / "photos" / "a.png")
    (folder / "pipeline.yaml").write_text(
        f"input: {{path: photos}}\noutput: {{path: '{output}'}}\nexecution: {{state_path: {state}}}\n"
    )
    return load_config(folder / "pipeline.yaml")


def _put(outputs: Root, found: Lease) -> None:
    outputs.write(LEASE, found.content)


@pytest.mark.parametrize("access", ["run", "amend"])
def test_two_ledgers_of_one_output_notice_each_other(access: Access, outputs: Root, tmp_path: Path) -> None:
    """While a run writes to an output, one with another state_path is refused; afterwards the output is free."""
    first, second = (_config(tmp_path, outputs.place, state) for state in ("one", "two"))
    with open_workspace(second, "run"):
        pass
    with (
        open_workspace(first, "run"),
        pytest.raises(RunGivenUp, match="another flatpipe run is writing here"),
        open_workspace(second, access),
    ):
        pass
    assert read_lease(outputs) is None
    with open_workspace(second, access):
        pass
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["ledger.sqlite"]


def _dead_process() -> int:
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


@contextmanager
def _unreaped(ledger_path: str) -> Iterator[Lease]:
    """The lease of a process that has ended, whose parent has not asked for it."""
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    found = replace(new_lease(ledger_path), pid=process.pid, started=lease._started(process.pid) or "")
    assert process.stdin is not None
    process.stdin.close()
    wait_for(lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    yield found
    process.wait()


GONE, LONG_AGO, FAR_AHEAD = _dead_process(), 1e9, time.time() + 9e6
OTHER = {"host": "other", "machine": "other"}
LEASES = {
    "a process of this machine": ({}, False),
    "a process of this machine that stood still for long": ({"renewed": LONG_AGO}, False),
    "a process that has ended": ({"pid": GONE}, True),
    "a process that has ended, by a clock that was ahead": ({"pid": GONE, "renewed": FAR_AHEAD}, True),
    "a process that has ended, its number another's": ({"started": "1"}, True),
    "another machine, just now": (OTHER, False),
    "another machine, whose process number is free here": ({**OTHER, "pid": GONE}, False),
    "another machine, long ago": ({**OTHER, "renewed": LONG_AGO}, True),
    "another machine, whose clock was far ahead": ({**OTHER, "renewed": FAR_AHEAD}, True),
    "another machine of this one's name": ({"machine": "other"}, False),
}


@pytest.mark.parametrize("case", LEASES)
def test_a_lease_is_believed_while_its_run_may_be_at_work(case: str, outputs: Root, ledger_path: str) -> None:
    """A run that goes on is named and obeyed; of one that is gone the output is taken over, with a sentence."""
    changes, is_gone = LEASES[case]
    _check_case(replace(new_lease(ledger_path), **changes), outputs, ledger_path, is_gone=is_gone)


def _check_case(found: Lease, outputs: Root, ledger_path: str, *, is_gone: bool) -> None:
    _put(outputs, found)
    told = list[str]()
    if not is_gone:
        with pytest.raises(RunGivenUp, match=f"process {found.pid} on {found.host}, last seen .* delete {LEASE}"):
            live_lease(outputs, ledger_path)
        return
    with held_output(outputs, ledger_path, told.append):
        now = read_lease(outputs)
        assert now is not None
        assert now.token != found.token
    assert f"is gone (process {found.pid} on {found.host}, last seen" in told[-1]
    assert read_lease(outputs) is None


def test_a_process_that_nobody_has_reaped_has_ended(outputs: Root, ledger_path: str) -> None:
    """A run that was killed in a container whose first process reaps nothing does not hold the output for ever."""
    with _unreaped(ledger_path) as found:
        _check_case(found, outputs, ledger_path, is_gone=True)


@pytest.mark.parametrize("host", ["this", "other"])
def test_a_machine_that_has_started_anew_goes_on_at_once(host: str, outputs: Root, ledger_path: str) -> None:
    """Of a run with our own ledger before a restart the place is taken at once; not on a drive of several machines."""
    found = replace(new_lease(ledger_path), machine="before", **({} if host == "this" else {"host": host}))
    Path(ledger_path).with_name(LEASE).write_bytes(found.content)
    _check_case(found, outputs, ledger_path, is_gone=host == "this")


@pytest.mark.parametrize("renewed", [LONG_AGO, FAR_AHEAD], ids=["long ago", "far ahead"])
def test_no_clock_makes_a_run_that_goes_on_look_gone(renewed: float, outputs: Root, ledger_path: str) -> None:
    """A lease that looks stale by our clock is watched: when its run renews it, it is obeyed after all."""
    found = replace(new_lease(ledger_path), **OTHER, renewed=renewed)
    _put(outputs, found)
    renewal = threading.Timer(0.03, lambda: _put(outputs, replace(found, renewed=renewed + 30)))
    renewal.start()
    told = list[str]()
    with (
        pytest.raises(RunGivenUp, match="another flatpipe run is writing here"),
        held_output(outputs, ledger_path, told.append),
    ):
        pass
    assert len(told) == 1
    assert "may be writing here; watching for" in told[0]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"host": "x"}', b"\xff\xfe", b"null"])
def test_what_is_no_lease_is_no_obstacle(content: bytes, outputs: Root, ledger_path: str) -> None:
    """A damaged file in the lease's place holds nothing up."""
    outputs.write(LEASE, content)
    with held_output(outputs, ledger_path, None):
        assert read_lease(outputs) is not None


@pytest.mark.usefixtures("quick_renewals")
def test_a_lease_is_renewed_and_removed(outputs: Root, ledger_path: str) -> None:
    """While the run goes on its lease is written again and again; at its end it is gone."""
    with held_output(outputs, ledger_path, None):
        seen = set[float]()
        wait_for(lambda: _sees_more(seen, outputs))
    time.sleep(0.1)
    assert read_lease(outputs) is None


def _sees_more(seen: set[float], outputs: Root) -> bool:
    found = read_lease(outputs)
    seen |= {found.renewed} if found else set()
    return len(seen) > 2


@pytest.mark.usefixtures("quick_renewals")
def test_a_run_that_was_replaced_ends(tmp_path: Path, ledger_path: str) -> None:
    """A run whose place another has taken notices it by itself, says so, and leaves the other's lease."""
    outputs = LocalRoot(str(tmp_path / "out"))
    other = replace(new_lease("/elsewhere"), host="other", pid=77)
    with held_output(outputs, ledger_path, None) as held:
        held.check()
        _put(outputs, other)
        wait_for(lambda: _refuses(held.check))
        with pytest.raises(RunGivenUp, match="another flatpipe run has taken over: process 77 on other"):
            held.check()
    assert read_lease(outputs) == other


def test_a_machine_that_slept_looks_before_it_goes_on(
    outputs: Root, ledger_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a commit a run that could not renew its lease in time asks whether another has taken over."""
    with held_output(outputs, ledger_path, None) as held:
        _put(outputs, replace(new_lease("/elsewhere"), host="other", pid=77))
        held.check()
        monkeypatch.setattr(held_output_module, "STALE_SECONDS", 0.0)
        with pytest.raises(RunGivenUp, match="another flatpipe run has taken over: process 77 on other"):
            held.check()


@pytest.mark.usefixtures("quick_renewals")
def test_the_ledger_tells_nothing_once_the_output_is_lost(tmp_path: Path) -> None:
    """Commits of a run whose output another has taken are refused: its outputs may be the other's by now."""
    with open_workspace(_config(tmp_path, str(tmp_path / "out"), "state"), "run") as workspace:
        _put(workspace.outputs, replace(new_lease("/elsewhere"), host="other", pid=77))
        assert isinstance(workspace.ledger, Ledger)
        settle = workspace.ledger._settle
        assert settle is not None
        wait_for(lambda: _refuses(settle))


def _refuses(check: Callable[[], None]) -> bool:
    try:
        check()
    except RunGivenUp:
        return True
    return False


def test_a_lease_can_be_read_by_people(outputs: Root, ledger_path: str) -> None:
    """The file is JSON that names host, process, ledger and times."""
    with held_output(outputs, ledger_path, None):
        content = json.loads(outputs.read(LEASE))
    assert {"host", "pid", "ledger", "since", "renewed"} <= content.keys()


@pytest.mark.usefixtures("quick_renewals")
def test_a_part_whose_place_a_whole_run_took_ends(outputs: Root, tmp_path: Path) -> None:
    """Of a part that seems gone a whole run removes the lease; when it comes back, it sees the run's and gives up."""
    (tmp_path / "part").mkdir()
    part, path = open_root(f"{outputs.place}/parts/0-of-2"), str(tmp_path / "part" / "ledger.sqlite")
    with held_output(part, path, None, above=outputs) as held:
        held.check()
        _put(outputs, replace(new_lease("/elsewhere"), host="other", pid=77))
        time.sleep(0.05)
        held.check()
        wait_for(lambda: _ends(held, part))
    assert read_lease(part) is None


def _ends(held: HeldOutput, part: Root) -> bool:
    part.remove(LEASE)
    return _refuses(held.check)


def test_way_is_made_where_runs_are_gone(outputs: Root, ledger_path: str) -> None:
    """Leases of runs that are gone are removed together, each with a sentence; one that goes on stops it all."""
    places = [Leased(open_root(f"{outputs.place}/parts/{index}-of-3"), ledger_path) for index in range(3)]
    for place in places[:2]:
        _put(place.outputs, replace(new_lease(ledger_path), **OTHER, renewed=LONG_AGO))
    told = list[str]()
    _put(places[2].outputs, new_lease(ledger_path))
    with pytest.raises(RunGivenUp, match="parts/2-of-3: another flatpipe run is writing here"):
        make_way(places, told.append, "going on")
    assert told == []
    places[2].outputs.remove(LEASE)
    make_way(places, told.append, "going on")
    assert [text.count("may be writing here; watching for") for text in told] == [1, 0, 0]
    assert [read_lease(place.outputs) for place in places] == [None, None, None]
