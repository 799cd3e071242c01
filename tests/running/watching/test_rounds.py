"""flatpipe run --watch: rounds as images come, change and go; quiet between them; ends as a run does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import write_image
from click.testing import CliRunner
from commands import Project

from flatpipe.cli import cli
from flatpipe.config import Config, load_config
from flatpipe.errors import ConfigError, ExitCode, OutputHeld
from flatpipe.pipeline import run
from flatpipe.plan.holding import only_run
from flatpipe.plan.inputs.sources import input_files
from flatpipe.plan.request import Request, Taking
from flatpipe.plan.workspace import open_workspace
from flatpipe.proof.status import run_status
from flatpipe.running.watching import rounds
from flatpipe.running.watching.rounds import watch
from flatpipe.summaries import RunSummary

SETTLE = "0.3"
# ^ seconds; a test waits as long for each round
PATIENCE = 60


# --- a watch of a real folder ----------------------------------------------------------------------------------------


class Watched:
    """A watch that goes on in a process of its own, and what it has told."""

    def __init__(self, project: Project, *arguments: str, **faults: object) -> None:
        self.project, self.photos = project, project.folder / "photos"
        self.process = project.start("run", "--watch", "--settle", SETTLE, "--json", *arguments, faults=faults)

    def round(self) -> dict[str, int]:
        """What the next round came to."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told: dict[str, int] = json.loads(line)
            if told["event"] == "run":
                return told
        raise AssertionError(self.process.stderr)

    def end(self) -> int:
        """Stop it; its exit code."""
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Begins a watch of two small images, for which `k` 2 and 3 are made."""
    begun: list[Watched] = []

    def begin(*arguments: str, **faults: object) -> Watched:
        project = Project.make(tmp_path, images=2, flatten={"k": "2-3"})
        begun.append(Watched(project, *arguments, **faults))
        return begun[0]

    yield begin
    for one in begun:
        one.process.kill()
        one.process.communicate()


def tables(project: Project) -> set[str]:
    """The images of results.csv."""
    return {row["image"] for row in project.rows("results.csv")}


def test_images_come_change_and_go(watched: Callable[..., Watched], tmp_path: Path) -> None:
    """A round takes what is whole, the next what was still being written; a failed one waits until it is changed."""
    log, shard = tmp_path / "log", tmp_path / "slow.png"
    watch = watched(log=str(log))
    project, photos = watch.project, watch.photos
    assert watch.round()["done"] == 2

    content = write_image(shard, seed=7).read_bytes()
    write_image(photos / "02.png", seed=2)
    (photos / "bad.png").write_bytes(b"nothing")
    over = threading.Event()
    writing = threading.Thread(target=_write_slowly, args=(photos / "slow.png", content, over))
    writing.start()
    second = watch.round()
    over.set()
    writing.join()
    assert (second["images"], second["done"], second["failed"], second["exit_code"]) == (4, 1, 1, ExitCode.SOME_FAILED)
    assert tables(project) == {"00.png", "01.png", "02.png"}

    third = watch.round()
    assert (third["images"], third["done"], third["failed"], third["exit_code"]) == (5, 1, 0, ExitCode.DONE)
    assert [row["image"] for row in project.rows("failures.csv")] == ["bad.png"]

    (photos / "00.png").unlink()
    write_image(photos / "bad.png", seed=3)
    fourth = watch.round()
    assert (fourth["images"], fourth["done"], fourth["current"]) == (4, 1, 3)
    assert tables(project) == {"01.png", "02.png", "bad.png", "slow.png"}
    assert Counter(log.read_text().split()) == {
        **dict.fromkeys(["00.png", "01.png", "02.png", "slow.png"], 1),
        "bad.png": 2,
    }

    shutil.rmtree(project.out)
    assert watch.process.poll() is None
    assert watch.end() == ExitCode.TERMINATED


def _write_slowly(file: Path, content: bytes, over: threading.Event) -> None:
    """Write the first half of a file, then go on a byte at a time until it is over."""
    with file.open("wb", buffering=0) as writing:
        half = len(content) // 2
        writing.write(content[:half])
        while not over.wait(0.05):
            writing.write(content[half : half + 1])
            half += 1
        writing.write(content[half:])


# --- the loop --------------------------------------------------------------------------------------------------------

Outcome = ExitCode | Exception


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A config of one image."""
    return load_config(Project.make(tmp_path, images=1).folder / "pipeline.yaml")


def rounds_of(config: Config, *outcomes: Outcome, before: Callable[[int], None] = lambda _: None) -> list[str]:
    """What a watch says whose rounds end so, one after the other; `before` each of them is called with its number."""
    left, said = list(enumerate(outcomes)), []

    def carry_out(_taking: Taking) -> ExitCode:
        number, outcome = left.pop(0)
        before(number)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    ended = watch(config, 0.05, carry_out, said.append)
    assert (left, ended) == ([], outcomes[-1])
    return said[1:]


def before_looks(story: Iterator[None], patch: pytest.MonkeyPatch) -> None:
    """Have a story go on by a part before each look at the input."""
    patch.setattr(rounds, "input_files", lambda config: (next(story, None), input_files(config))[1])


def change(config: Config) -> Callable[[int], None]:
    """Changes an image, so that there is another round."""
    return lambda number: write_image(Path(config.input.places[0]) / "00.png", seed=number + 1) and None


@pytest.mark.parametrize(
    "last", [ExitCode.GIVEN_UP, ExitCode.TERMINATED, ExitCode.INTERRUPTED], ids=lambda code: code.name
)
def test_a_round_that_is_given_up_or_stopped_ends_the_watch(last: ExitCode, config: Config) -> None:
    """Rounds that are done, with failures or without, go on; that of a full disk or a signal is the last."""
    assert rounds_of(config, ExitCode.DONE, ExitCode.SOME_FAILED, last, before=change(config)) == []


def test_another_run_is_waited_for(config: Config) -> None:
    """A round that finds the output held is tried again until it is not; that is said once, and once more later."""
    held = [OutputHeld("out: another flatpipe run is writing here")] * 3
    said = rounds_of(config, *held, ExitCode.DONE, held[0], ExitCode.GIVEN_UP, before=change(config))

    assert said == ["out: another flatpipe run is writing here; waiting for its end"] * 2


def test_what_never_was_right_is_told_at_once(config: Config) -> None:
    """A first round that cannot begin ends the watch with its error; a later one is tried again, three times."""
    wrong = ConfigError("output.path cannot be written")
    with pytest.raises(ConfigError, match="cannot be written"):
        rounds_of(config, wrong)
    with pytest.raises(ConfigError, match="cannot be written"):
        rounds_of(config, ExitCode.DONE, wrong, wrong, wrong, before=change(config))
    shutil.rmtree(config.input.places[0])
    with pytest.raises(ConfigError, match="does not exist"):
        rounds_of(config)


def test_an_input_that_is_gone_for_a_while_is_waited_for(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be listed between two rounds is said once; when it is there again, the watch goes on."""
    photos = Path(config.input.places[0])
    away = photos.with_name("away")

    def story() -> Iterator[None]:
        while photos.exists():
            yield
        for _ in range(3):
            yield
        away.rename(photos)

    def before(number: int) -> None:
        if number == 0:
            photos.rename(away)
            write_image(away / "01.png", seed=3)

    before_looks(story(), monkeypatch)
    (said,) = rounds_of(config, ExitCode.DONE, ExitCode.GIVEN_UP, before=before)

    assert said == f"{photos} does not exist; waiting for it"


def test_between_rounds_nothing_is_written_or_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing changes the output stays as it is, and is anybody's; held by another, it is waited for."""
    project = Project.make(tmp_path, images=1, flatten={"k": "2"})
    config, ledger = load_config(project.folder / "pipeline.yaml"), str(project.out / "ledger.sqlite")
    summaries: list[RunSummary] = []

    def carry_out(taking: Taking) -> ExitCode:
        summaries.append(run(config, Request(taking=taking)))
        return summaries[-1].exit_code

    def story() -> Iterator[None]:
        """What happens before each look."""
        while not summaries:
            yield
        with open_workspace(config, "read") as workspace:
            assert run_status(workspace.ledger, ledger).state == "finished"
        before = state_of(project.out)
        for _ in range(5):
            yield
        assert state_of(project.out) == before
        with only_run(ledger):
            with zipfile.ZipFile(project.folder / "photos" / "new.zip", "w") as archive:
                archive.write(write_image(tmp_path / "within.png", seed=9), "within.png")
            while not said[1:]:
                yield
        while not summaries[1:]:
            yield
        os.kill(os.getpid(), signal.SIGTERM)

    said: list[str] = []
    before_looks(story(), monkeypatch)

    assert watch(config, 0.05, carry_out, said.append) == ExitCode.TERMINATED
    assert [(one.images, one.done) for one in summaries] == [(1, 1), (2, 1)]
    assert tables(project) == {"00.png", "new.zip/within.png"}
    assert said[1:] == [f"{project.out}: another flatpipe run is writing here; waiting for its end", "stopped watching"]


def state_of(folder: Path) -> dict[str, int]:
    """When each file and folder was written."""
    return {str(path): path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def test_a_signal_ends_a_watch_that_waits(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM while nothing is to be done ends it at once, however long it would wait, with the code of a run."""

    def story() -> Iterator[None]:
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGTERM]).start()
        yield

    said: list[str] = []
    before_looks(story(), monkeypatch)

    assert watch(config, 3600, pytest.fail, said.append) == ExitCode.TERMINATED
    assert said[-1] == "stopped watching"


# --- flags -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--watch", "--force"), "--force is for one run"),
        (("--watch", "--only-failed"), "--only-failed is for one run"),
        (("--watch", "--limit", "3"), "--limit is for one run"),
        (("--watch", "--locked"), "--locked is for one run"),
        (("--watch", "--lock", "a.lock"), "--lock is for one run"),
        (("--watch", "--dry-run"), "--dry-run is for one run"),
        (("--watch", "--shard", "0/2"), "--shard is for one run"),
        (("--settle", "3"), "there is no --watch"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_what_is_for_one_run_does_not_go_with_a_watch(flags: tuple[str, ...], words: str) -> None:
    """Flags that would do something else in every round than in the first are refused."""
    refused = CliRunner().invoke(cli, ["run", *flags])

    assert isinstance(refused.exception, ConfigError)
    assert words in str(refused.exception)
