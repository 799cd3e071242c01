"""What the driver makes of the workers' reports, and of config sections that cannot work here."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import settings_for, source_of, write_image
from distributed.comm import CommClosedError

from flatpipe.config.sections.cluster import ClusterSection
from flatpipe.engines.clusters import preflight
from flatpipe.engines.clusters.deploy import cluster_class
from flatpipe.engines.clusters.preflight import WorkerReport, check_workers, software
from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.layout import PARTIAL
from flatpipe.records import ImageSource
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.local import LocalRoot

GOOD = WorkerReport(software(), memory=8 << 30, threads=1, library_threads=1)


class Workers:
    """A client whose workers give the reports of a table."""

    def __init__(self, **reports: WorkerReport) -> None:
        self._reports = reports

    def run(self, function: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        """A version, or a report, of each worker."""
        is_version = function is not preflight.report_of_worker
        return {name: "1.0" if is_version else report for name, report in self._reports.items()}

    def run_on_scheduler(self, function: Any, *arguments: Any) -> str:
        """The scheduler's version."""
        return "1.0"


def refusal(tmp_path: Path, width: int = 32, format: str = "gif", **reports: WorkerReport) -> str:  # noqa: A002
    """Why a run over one image would not begin; "" when it would."""
    image = write_image(tmp_path / "in" / "a.png", width=width)
    (tmp_path / "out").mkdir(exist_ok=True)
    try:
        check_workers(Workers(**reports), settings_for(tmp_path / "out", format=format), [source_of(image)])
    except RunGivenUp as error:
        return str(error)
    finally:
        assert list((tmp_path / "out" / PARTIAL).iterdir()) == []
    return ""


def test_equal_workers_with_room_pass(tmp_path: Path) -> None:
    """Two workers like the driver: nothing to say."""
    assert refusal(tmp_path, a=GOOD, b=GOOD) == ""


@pytest.mark.parametrize(("change", "words"), [
    ({"software": {**GOOD.software, "numpy": "1.0"}}, "other software than this driver: numpy 1.0 (here "),
    ({"library_threads": 8}, "lets libraries use 8 threads; start it with OMP_NUM_THREADS=1"),
    ({"memory": 100 << 20}, "too little memory: a.png"),
    ({"memory": 423 << 20, "threads": 256}, "or lower limits.max_pixels"),
    ({"trouble": "cannot write to the output /x"}, "cannot write to the output /x"),
], ids=["versions", "threads", "memory", "threads-share-memory", "trouble"])  # fmt: skip
def test_what_is_wrong_with_a_worker_is_a_sentence(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    """One bad worker of two stops the run before the first image, and is named."""
    said = refusal(tmp_path, a=GOOD, b=replace(GOOD, **change))

    assert words in said
    assert said.startswith("worker b ")


class Leaving(Workers):
    """A client of which worker b ends while it is checked, as often as the table says, and is gone for a look then."""

    def __init__(self, ends: int, at: str) -> None:
        super().__init__(a=GOOD, b=GOOD)
        self.left, self._at = ends, at

    def run(self, function: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The same, and b's connection closed."""
        answers = super().run(function, *arguments, **options)
        if self.left and (self._at == "report") == (function is preflight.report_of_worker):
            self.left -= 1
            answers["b"] = CommClosedError("Stream is closed")
        return answers


@pytest.mark.parametrize("at", ["version", "report"])
def test_a_worker_that_ends_while_it_is_checked_ends_no_run(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is there then is asked again; only where one after another ends, that is told."""
    monkeypatch.setattr(preflight, "_PAUSE_SECONDS", 0.0)
    (tmp_path / "out").mkdir()
    settings = settings_for(tmp_path / "out")
    check_workers(Leaving(2, at), settings, [])
    with pytest.raises(RunGivenUp, match="worker b ended while it was checked"):
        check_workers(Leaving(99, at), settings, [])


def test_a_worker_without_the_codec_of_a_video_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a video is asked for, workers must have the driver's PyAV; where none is, it is all the same."""
    monkeypatch.setattr(preflight, "versions_for", lambda _: {"av": "18.1.0"})

    assert refusal(tmp_path, a=GOOD) == ""
    assert "av None (here 18.1.0)" in refusal(tmp_path, a=GOOD, format="mp4")


def test_many_workers_with_one_fault_are_one_sentence(tmp_path: Path) -> None:
    """Three of four workers with the same trouble are counted, with one as example."""
    bad = replace(GOOD, trouble="cannot read the input")

    assert refusal(tmp_path, a=bad, b=bad, c=bad, d=GOOD).startswith("each of 3 of 4 workers, such as a, cannot read")


def test_a_worker_looks_for_the_input_and_the_drivers_mark_in_the_output(tmp_path: Path) -> None:
    """A worker that sees other folders than the driver says so; one that sees the same has no trouble."""
    image = source_of(write_image(tmp_path / "in" / "a.png"))
    LocalRoot(str(tmp_path / "out")).write(f"{PARTIAL}/token", b"token")
    good = preflight._probe([image], str(tmp_path / "out"), "token")
    (tmp_path / "file").write_bytes(b"")

    assert preflight._trouble(good) == ""
    assert "cannot read the input" in preflight._trouble(replace(good, path="/none.png"))
    assert "finds another file" in preflight._trouble(replace(good, size=1))
    assert "sees another folder than we do" in preflight._trouble(replace(good, output=str(tmp_path / "else")))
    assert "cannot write to the output" in preflight._trouble(replace(good, output=str(tmp_path / "file")))


def test_of_an_image_in_an_archive_workers_look_for_the_archive(tmp_path: Path) -> None:
    """A worker compares the size of the archive's own file, not that of the member."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(write_image(tmp_path / "in" / "a.png"), "a.png")
    (image,) = discover(Selection(str(tmp_path / "a.tar"), include=("*.png",)))
    assert isinstance(image, ImageSource)
    LocalRoot(str(tmp_path / "out")).write(f"{PARTIAL}/token", b"token")
    probe = preflight._probe([image], str(tmp_path / "out"), "token")

    assert probe.size == (tmp_path / "a.tar").stat().st_size != image.size
    assert preflight._trouble(probe) == ""
    with (tmp_path / "a.tar").open("ab") as longer:
        longer.write(bytes(512))
    assert "finds another file" in preflight._trouble(probe)


@pytest.mark.parametrize(("section", "words"), [
    ({"class": "dask_gateway.GatewayCluster"}, "pip install dask-gateway"),
    ({"class": "dask_jobqueue.PBSCluster"}, "needs qsub, which is not on this machine"),
    ({"class": "no_such_package.Cluster", "allow_any_class": True}, "pip install no_such_package"),
    ({"class": "distributed.NoCluster", "allow_any_class": True}, "distributed has no NoCluster"),
], ids=["package", "submit command", "any class", "name"])  # fmt: skip
def test_a_class_that_cannot_work_here_is_told_at_once(
    section: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing packages, missing commands and missing classes are config errors that say what to do."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match=f"execution.cluster.class: .*{words}"):
        cluster_class(ClusterSection.model_validate(section))
