"""--metrics-file: a run in numbers that Prometheus reads, equal to its summary, and never in its way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Project
from prometheus_client.parser import text_string_to_metric_families
from waiting import wait_for

from flatpipe.config import load_config
from flatpipe.engines.execute import failed_record
from flatpipe.errors import ConfigError, ExitCode, ImageError, RunGivenUp
from flatpipe.records import Failure, ImageSource
from flatpipe.running.telling.metrics import Metrics
from flatpipe.running.telling.metrics_file import metrics_file, metrics_place
from flatpipe.summaries import PlanSummary, RunSummary

Values = dict[str, float]


def values_of(file: Path) -> Values:
    """Every sample of a metrics file by its name, and the value of its label where it has one."""
    families = text_string_to_metric_families(file.read_text(encoding="utf-8"))
    samples = [sample for family in families for sample in family.samples]
    return {" ".join([one.name, *one.labels.values()]): one.value for one in samples}


def test_the_numbers_are_those_of_the_summary(tmp_path: Path) -> None:
    """While a run works its file says what is left; at the end all numbers are those of its summary and its outputs."""
    project = Project.make(tmp_path, images=2)
    photos = project.folder / "photos"
    (photos / "bad.png").write_bytes(b"nothing")
    (photos / "gone.png").symlink_to(photos / "nothing.png")
    (file := project.out / "run.prom").parent.mkdir()
    (hold := tmp_path / "hold").touch()
    run = project.start("run", "--json", "--metrics-file", "out/run.prom", faults={"hold": str(hold)})
    wait_for(lambda: file.exists() and values_of(file).get("flatpipe_workers") == 2)
    while_working = values_of(file)
    hold.unlink()
    out, err = run.communicate(timeout=120)
    summary, values = json.loads(out.splitlines()[-1]), values_of(file)
    folders = (project.out / "images", project.out / "gallery" / "pictures")
    made = [path.stat().st_size for folder in folders for path in folder.rglob("*.*") if path.is_file()]

    assert summary["exit_code"] == ExitCode.SOME_FAILED, err
    assert (while_working["flatpipe_images_left"], while_working["flatpipe_images_total done"]) == (3, 0)
    assert "flatpipe_exit_code" not in while_working
    assert {name: values[f"flatpipe_images_total {name}"] for name in ("done", "failed")} == {"done": 2, "failed": 2}
    for name, of in {
        "flatpipe_images_total done": "done",
        "flatpipe_images_total failed": "failed",
        "flatpipe_images_found": "images",
        "flatpipe_images_current": "current",
        "flatpipe_images_left": "left",
        "flatpipe_pairs_total": "pairs",
        "flatpipe_exit_code": "exit_code",
    }.items():
        assert values[name] == summary[of], name
    failures = {name.partition(" ")[2]: value for name, value in values.items() if name.startswith("flatpipe_fail")}
    assert {word: count for word, count in failures.items() if count} == dict(summary["failures"])
    assert {kind.error for kind in (ImageError, *ImageError.__subclasses__())} == set(failures)
    assert values["flatpipe_written_bytes_total"] == sum(made)
    assert values["flatpipe_read_bytes_total"] == sum((photos / f"{n}.png").stat().st_size for n in ("00", "01", "bad"))
    assert values[f"flatpipe_run_info {summary['run_id']} 0.1.0"] == 1
    assert values["flatpipe_run_begin_timestamp_seconds"] <= values["flatpipe_run_end_timestamp_seconds"]
    assert [path.name for path in project.out.glob("run.prom*")] == ["run.prom"]


def test_rounds_add_up_and_a_refusal_counts_once(tmp_path: Path) -> None:
    """Counts of a watch go on over its rounds; a file that is refused in each of them is one failure."""
    refused = failed_record(ImageSource("a.png", "a.png", 0, ""), Failure("discover", "unsupported", "a link"))
    failed = failed_record(ImageSource("b.png", "b.png", 7, ""), Failure("load", "truncated", "cut"))
    done = replace(failed, failure=None, pairs=3)
    with metrics_file(str(tmp_path / "run.prom"), pytest.fail) as metrics:
        for number, (records, words) in enumerate([([failed, done], ["truncated"]), ([done], [])]):
            metrics.begun(f"run-{number}")
            metrics.image_refused(refused)
            metrics.planned(PlanSummary(images=3, refused=1, due=len(records)), "threads")
            metrics.working(lambda: 2)
            for record in records:
                metrics.image_done(record)
            failures = tuple((word, 1) for word in ["unsupported", *words])
            metrics.ended(RunSummary("run", "out", done=1, failed=len(failures), pairs=3, failures=failures))
        metrics.exited(ExitCode.TERMINATED)
    values = values_of(tmp_path / "run.prom")

    assert (values["flatpipe_images_total done"], values["flatpipe_images_total failed"]) == (2, 2)
    assert (values["flatpipe_failures_total unsupported"], values["flatpipe_failures_total truncated"]) == (1, 1)
    assert (values["flatpipe_pairs_total"], values["flatpipe_read_bytes_total"]) == (6, 21)
    assert (values["flatpipe_exit_code"], values["flatpipe_workers"]) == (143, 0)


def test_every_metric_is_in_the_docs(tmp_path: Path) -> None:
    """The table of docs/recipes.md names each metric that there may be, and none else."""
    with metrics_file(str(tmp_path / "run.prom"), pytest.fail) as metrics:
        metrics.begun("run")
        metrics.planned(PlanSummary(due=2), "threads")
        metrics.working(lambda: 1)
        metrics.image_done(failed_record(ImageSource("b.png", "b.png", 7, ""), Failure("load", "truncated", "cut")))
        names = {sample.name for family in metrics.collect() for sample in family.samples}
        metrics.exited(ExitCode.DONE)
        names |= {sample.name for family in metrics.collect() for sample in family.samples}
    table = (
        (Path(__file__).parents[3] / "docs" / "recipes.md").read_text().partition("| metric |")[2].partition("\n\n")[0]
    )

    assert set(re.findall(r"`(flatpipe_\w+)`", table)) == names


def test_a_file_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    """A folder that is not there is one sentence, however often the file would be written, and no error."""
    told: list[str] = []
    with metrics_file(str(tmp_path / "nowhere" / "run.prom"), told.append) as metrics:
        metrics.planned(PlanSummary(), "threads")
        wait_for(lambda: len(told) == 1)
        metrics.exited(ExitCode.DONE)

    assert len(told) == 1
    assert re.search("nowhere/run.prom: cannot be written: No such file or directory; the run goes on", told[0])


def test_a_run_that_cannot_begin_leaves_its_exit_code(tmp_path: Path) -> None:
    """What is raised goes on its way, and the file says with which code the command ends."""

    def refuse(_metrics: Metrics) -> None:
        raise RunGivenUp("another run is at work")

    with pytest.raises(RunGivenUp), metrics_file(str(tmp_path / "run.prom"), pytest.fail) as metrics:
        refuse(metrics)

    assert values_of(tmp_path / "run.prom")["flatpipe_exit_code"] == ExitCode.GIVEN_UP


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("s3://bucket/run.prom", "a local file is asked for"),
        ("photos/run.prom", "never written to"),
        ("out/results.csv", r"as \*\.prom"),
        ("out/images/run.prom", r"as \*\.prom"),
        ("out", r"as \*\.prom"),
        ("out/run.prom", ""),
        ("elsewhere/run.txt", ""),
    ],
)
def test_it_lies_where_nothing_else_does(
    path: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is taken from the folder that the user is in; no input, no name of an output, no URL."""
    monkeypatch.chdir(Project.make(tmp_path, images=1).folder)
    place: Callable[[], str] = lambda: metrics_place(path, load_config("pipeline.yaml"))  # noqa: E731
    if words:
        with pytest.raises(ConfigError, match=words):
            place()
    else:
        assert place() == str(tmp_path / path)


def test_no_file_is_written_over_that_holds_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A config, or a script, named by mistake stays as it is; metrics of an earlier run are replaced."""
    monkeypatch.chdir(Project.make(tmp_path, images=1).folder)
    before = Path("pipeline.yaml").read_bytes()
    with pytest.raises(ConfigError, match="something else than metrics"):
        metrics_place("pipeline.yaml", load_config("pipeline.yaml"))
    assert Path("pipeline.yaml").read_bytes() == before
    for _ in range(2):
        with metrics_file(metrics_place("run.prom", load_config("pipeline.yaml")), pytest.fail):
            pass
    Path("empty.prom").touch()
    assert metrics_place("empty.prom", load_config("pipeline.yaml")) == str(tmp_path / "empty.prom")
