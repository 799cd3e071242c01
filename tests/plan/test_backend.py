"""Which backend `auto` takes, on machines of any size."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from flatpipe.config import Config, default_config
from flatpipe.plan import backend
from flatpipe.plan.backend import choose_backend
from flatpipe.plan.cost import CostModel, expected_seconds
from flatpipe.records import ImageSource, PlannedImage


def config(folder: Path, *overrides: str) -> Config:
    """A config of defaults but for the overrides."""
    return default_config(str(folder), overrides)


@pytest.mark.parametrize(("cores", "seconds", "tasks", "scheduler", "workers"), [
    (1, 1000.0, 9999, "synchronous", 1),
    (2, 0.5, 42, "threads", 2),
    (2, 20.0, 1000, "threads", 2),
    (2, 100.0, 5000, "processes", 2),
    (16, 0.5, 42, "threads", 8),
    (16, 0.1, 3, "threads", 3),
    (16, 5.0, 420, "threads", 8),
    (16, 25.0, 2000, "processes", 16),
    (64, 15.0, 2000, "processes", 64),
], ids=str)  # fmt: skip
def test_auto_takes_processes_where_they_pay_for_their_start(
    cores: int,
    seconds: float,
    tasks: int,
    scheduler: str,
    workers: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Processes come as soon as work times cores pays for their start, and for any long run; threads never pass 8."""
    monkeypatch.setattr(backend, "core_count", partial(int, cores))
    chosen = choose_backend(config(tmp_path), seconds, tasks)

    assert (chosen.scheduler, chosen.workers) == (scheduler, workers)


def test_the_configs_word_goes_first(tmp_path: Path) -> None:
    """A named scheduler and number of workers are taken, whatever the work."""
    for scheduler in ("threads", "processes"):
        chosen = choose_backend(config(tmp_path, f"execution.scheduler={scheduler}", "execution.workers=12"), 0.01, 1)
        assert (chosen.scheduler, chosen.workers) == (scheduler, 12)


def test_more_work_never_leads_back_to_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From some amount of work on it is processes, on any number of cores."""
    for cores in (2, 3, 4, 8, 16, 64):
        monkeypatch.setattr(backend, "core_count", partial(int, cores))
        chosen = [choose_backend(config(tmp_path), 1.3**n, 10**6).scheduler for n in range(-5, 30)]
        assert chosen == sorted(chosen, reverse=True), cores
        assert chosen[-1] == "processes"


def test_places_in_memory_need_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only this process sees is not given to others."""
    monkeypatch.setattr(backend, "core_count", lambda: 16)
    section = config(tmp_path, "output.path=memory://out", f"execution.state_path={tmp_path}")

    assert choose_backend(section, 10_000.0, 10**6).scheduler == "threads"


def planned(size: int, ks: tuple[int, ...] = tuple(range(2, 16))) -> PlannedImage:
    """An image with a file of so many bytes."""
    return PlannedImage(ImageSource("a", "/a", size, ""), ks, sweep=True, reason="new")


def test_what_images_take_is_learned_for_files_of_their_size() -> None:
    """The model follows what comes back, for each magnitude of size apart, and forgets an old outlier."""
    model = CostModel()
    for _ in range(40):
        model.learn(planned(30_000), 0.5)
        model.learn(planned(5_000_000), 0.1)

    assert model.seconds(planned(31_000)) == pytest.approx(0.5, rel=0.1)
    assert model.seconds(planned(5_200_000)) == pytest.approx(0.1, rel=0.1)
    model.learn(planned(30_000), 60.0)
    for _ in range(40):
        model.learn(planned(30_000), 0.5)
    assert model.seconds(planned(30_000)) == pytest.approx(0.5, rel=0.1)


def test_nothing_to_do_takes_no_time() -> None:
    """An image that is up to date adds nothing to the work."""
    assert expected_seconds(PlannedImage(ImageSource("a", "/a", 10**9, ""), (), sweep=False, reason="")) == 0


def test_a_file_whose_size_nobody_has_asked_is_waited_for() -> None:
    """What a web server is going to give takes a while whatever is done with it, so that few go into one task."""
    known = PlannedImage(ImageSource("a", "https://host/a", 1, ""), (2,), sweep=False, reason="new")
    unknown = PlannedImage(ImageSource("a", "https://host/a", 0, ""), (2,), sweep=False, reason="new")

    assert expected_seconds(unknown) > 0.1 > 10 * expected_seconds(known)
