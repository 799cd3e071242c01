"""flatpipe run, as a user meets it: outputs, resuming, failures, interrupts, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest
from builders import write_image
from commands import Project
from PIL import Image
from waiting import wait_for

from flatpipe.config import load_config
from flatpipe.engines.bundle import Bundle, Bundler
from flatpipe.pipeline import run as run_pipeline
from flatpipe.plan.request import Request

PER_IMAGE = ("sweep.gif", "palettes.json")
TRACEBACK = "Traceback (most recent call last)"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three small images, k 2..4, two threads."""
    return Project.make(tmp_path)


def test_a_run_makes_what_the_layout_promises(project: Project) -> None:
    """Each image gets its flats, sweep and palettes; tables and run.json say the same; nothing else is left."""
    done = project.flatpipe("run")

    assert done.returncode == 0, done.stderr
    assert "\n3 images done, 9 flat images in " in done.stdout
    assert set(project.digests()) == {
        f"{n:02d}.png/{name}" for n in range(3) for name in ("k02.png", "k03.png", "k04.png", *PER_IMAGE)
    }
    rows = project.rows("results.csv")
    assert [(row["image"], row["k"]) for row in rows] == [(f"{n:02d}.png", str(k)) for n in range(3) for k in (2, 3, 4)]
    for row in rows:
        assert (project.out / row["file"]).stat().st_size == int(row["bytes"])
        assert project.digests()[row["file"].removeprefix("images/")] == row["sha256"]
    assert project.rows("failures.csv") == []
    assert json.loads((project.out / "run.json").read_text())["summary"]["done"] == 3
    kept = {"images", "results.csv", "failures.csv", "run.json", "ledger.sqlite", "index.html", "gallery"}
    assert kept <= {path.name for path in project.out.iterdir()}
    assert not (project.out / ".partial").exists()


@pytest.mark.parametrize("execution", [
    {"scheduler": "synchronous"},
    {"scheduler": "threads", "workers": 1},
    {"scheduler": "threads", "workers": 4},
    {"scheduler": "processes", "workers": 2},
], ids=lambda execution: f"{execution['scheduler']}-{execution.get('workers', 1)}")  # fmt: skip
def test_every_scheduler_writes_the_same_bytes(execution: dict[str, object], project: Project) -> None:
    """Image files are equal byte for byte whatever carries the run."""
    assert project.flatpipe("run").returncode == 0
    project.configure(output={"path": "other"}, execution=execution)
    done = project.flatpipe("run")

    assert done.returncode == 0, done.stderr
    assert project.digests("other") == project.digests()


@pytest.mark.parametrize(("execution", "most"), [
    ({"scheduler": "threads", "workers": 2}, 1.0),
    ({"scheduler": "processes", "workers": 2}, 1.3),
], ids=["threads", "processes"])  # fmt: skip
def test_images_are_decoded_once(execution: dict[str, object], most: float, tmp_path: Path) -> None:
    """24 images with 14 ks each are decoded once under threads, and at most 1.3 times on average by processes."""
    project = Project.make(tmp_path, images=24, flatten={"k": "2-15"}, execution=execution)
    done = project.flatpipe("run", faults={"log": str(tmp_path / "log")})
    decodes = Counter((tmp_path / "log").read_text().split())

    assert done.returncode == 0, done.stderr
    assert len(decodes) == 24
    assert decodes.total() / 24 <= most


def test_a_second_run_has_nothing_to_do_and_says_so(project: Project) -> None:
    """Run again: exit 0, the words, and no output touched."""
    project.flatpipe("run")
    before = {path: path.stat().st_mtime_ns for path in (project.out / "images").rglob("*.*")}
    done = project.flatpipe("run")

    assert done.returncode == 0
    assert "nothing to do" in done.stdout
    assert "3 images up to date" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_one_more_k_computes_only_that_k(project: Project) -> None:
    """With k 2..5 after 2..4, three flats and three sweeps are made, the rest stays."""
    project.flatpipe("run")
    flat = project.out / "images" / "00.png" / "k03.png"
    before = flat.stat().st_mtime_ns
    done = project.flatpipe("run", "-s", "flatten.k=2-5")

    assert "3 images done, 3 flat images" in done.stdout
    assert flat.stat().st_mtime_ns == before
    fresh = Project.make(project.folder / "fresh", flatten={"k": "2-5"})
    fresh.flatpipe("run")
    assert project.digests() == fresh.digests()


def test_a_replaced_image_is_recomputed_and_the_others_are_not(project: Project) -> None:
    """Another picture under the same name gets the outputs that it would get in a fresh run."""
    project.flatpipe("run")
    write_image(project.folder / "photos" / "01.png", seed=99)
    done = project.flatpipe("run")

    assert "1 done, 2 up to date" in done.stdout
    project.configure(output={"path": "fresh"})
    project.flatpipe("run")
    assert project.digests() == project.digests("fresh")


def test_a_deleted_output_comes_back(project: Project) -> None:
    """A missing flat file is made again with its old bytes."""
    project.flatpipe("run")
    before = project.digests()
    (project.out / "images" / "02.png" / "k04.png").unlink()
    done = project.flatpipe("run")

    assert "1 done, 2 up to date" in done.stdout
    assert project.digests() == before


def test_broken_files_become_rows_and_the_run_goes_on(project: Project) -> None:
    """A truncated, a mislabelled and an unreadable file are three rows; good images are done; exit 1, then 0."""
    photos = project.folder / "photos"
    (photos / "cut.png").write_bytes((photos / "00.png").read_bytes()[:300])
    (photos / "page.jpg").write_bytes(b"<html>not found</html>")
    (photos / "gone.png").symlink_to(photos / "nothing.png")
    done = project.flatpipe("run")

    assert done.returncode == 1
    assert TRACEBACK not in done.stderr
    assert "6 images: 3 done, 3 failed, 9 flat images in" in done.stdout
    assert "failures.csv" in done.stdout
    errors = {row["image"]: row["error"] for row in project.rows("failures.csv")}
    assert errors == {"cut.png": "truncated", "page.jpg": "not-an-image", "gone.png": "io-error"}
    assert len(project.rows("results.csv")) == 9

    for name in errors:
        (photos / name).unlink()
    assert project.flatpipe("run").returncode == 0
    assert project.rows("failures.csv") == []


def test_failures_can_end_a_run(project: Project) -> None:
    """--fail-fast and errors.max_failures give the run up with exit 3 and say why."""
    for n in range(3):
        (project.folder / "photos" / f"bad{n}.png").write_bytes(b"nothing")
    fast = project.flatpipe("run", "--fail-fast")
    limited = project.flatpipe("run", "-s", "errors.max_failures=20%")

    assert fast.returncode == limited.returncode == 3
    assert "--fail-fast" in fast.stdout
    assert "errors.max_failures allows 1" in limited.stdout


@pytest.mark.parametrize(("sections", "words"), [
    ({"input": {"path": "nowhere"}}, "/nowhere does not exist\n      path: nowhere\n            ^"),
    ({"input": {"path": "empty"}}, "flatpipe: no image in "),
    ({"output": {"path": "photos/out"}}, "overlap"),
    ({"output": {"path": "."}}, "overlap"),
    ({"output": {"path": "a-file/out"}}, "output.path cannot be written"),
    ({"flatten": {"k": 0}}, "flatten.k: 0 is out of range"),
], ids=["missing", "empty", "output-in-input", "input-in-output", "unwritable", "bad-k"])  # fmt: skip
def test_what_cannot_be_is_one_clear_message(sections: dict[str, object], words: str, project: Project) -> None:
    """Places and values that cannot serve end the command with exit 2 and a sentence that names them."""
    (project.folder / "empty").mkdir()
    (project.folder / "a-file").write_text("")
    project.configure(**sections)
    done = project.flatpipe("run")

    assert done.returncode == 2
    assert words in done.stderr
    assert TRACEBACK not in done.stderr
    assert done.stdout == ""


def test_an_unknown_config_is_named(project: Project) -> None:
    """A config that is not there is named, with the one that is near."""
    done = project.flatpipe("run", "pipelines.yaml")

    assert done.returncode == 2
    assert "pipelines.yaml: no such config file; did you mean 'pipeline.yaml'?" in done.stderr


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_ctrl_c_stops_soon_and_the_next_run_goes_on(scheduler: str, tmp_path: Path) -> None:
    """SIGINT to the whole group: exit 130 within seconds, no traceback, no partial file; a rerun completes."""
    execution = {"scheduler": scheduler, "workers": 2}
    project = Project.make(tmp_path, images=40, execution=execution)
    process = project.start("run", faults={"slow": 0.2})
    wait_for(lambda: any((project.out / "images").rglob("sweep.gif")))
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130, err
    assert time.monotonic() - began < 30
    assert TRACEBACK not in err
    assert len(err.splitlines()) < 12, err
    assert "\nstopped; run again to go on\n" in out
    assert not (project.out / ".partial").exists()
    again = project.flatpipe("run")
    assert again.returncode == 0
    assert not again.stdout.startswith("40 done")
    assert len(project.digests()) == 40 * (3 + len(PER_IMAGE))


def test_sigterm_ends_with_its_own_code(tmp_path: Path) -> None:
    """SIGTERM gives exit 143 and a ledger that knows what was done."""
    project = Project.make(tmp_path, images=40)
    process = project.start("run", faults={"slow": 0.2})
    wait_for(lambda: any((project.out / "images").rglob("sweep.gif")))
    process.terminate()
    out, _ = process.communicate(timeout=60)

    assert process.returncode == 143
    done = int(re.search(r"(\d+) done", out)[1])  # type: ignore[index]
    with sqlite3.connect(project.out / "ledger.sqlite") as ledger:
        assert ledger.execute("SELECT count(*) FROM sweeps").fetchone() == (done,)


def test_a_killed_driver_loses_nothing(tmp_path: Path) -> None:
    """kill -9 in the middle, then a rerun: told in a sentence, the files of an undisturbed run, and nothing partial."""
    project = Project.make(tmp_path, images=12)
    process = project.start("run", faults={"slow": 0.1})
    wait_for(lambda: any((project.out / "images").rglob("sweep.gif")))
    process.kill()
    process.communicate()
    again = project.flatpipe("run")
    project.configure(output={"path": "fresh"})
    project.flatpipe("run")

    assert again.returncode == 0
    assert "the run that was writing here is gone" in again.stderr
    assert project.digests() == project.digests("fresh")
    assert not (project.out / ".partial").exists()
    assert not (project.out / "flatpipe.lease").exists()


def test_an_image_that_kills_its_worker_is_one_row(tmp_path: Path) -> None:
    """A decoder that aborts its process costs that image a row worker-died, and its neighbours nothing."""
    project = Project.make(tmp_path, images=8, execution={"scheduler": "processes", "workers": 2})
    done = project.flatpipe("run", faults={"crash": ["03.png"]})

    assert done.returncode == 1, done.stderr
    assert [(row["image"], row["error"]) for row in project.rows("failures.csv")] == [("03.png", "worker-died")]
    assert len(project.rows("results.csv")) == 7 * 3
    assert TRACEBACK not in done.stderr


def test_a_stuck_decoder_is_ended(tmp_path: Path) -> None:
    """Decoding that exceeds limits.seconds_per_image ends with a row, not with a hang."""
    project = Project.make(
        tmp_path,
        images=1,
        limits={"seconds_per_image": 0.5},
        execution={"scheduler": "processes", "workers": 1},
    )
    done = project.flatpipe("run", faults={"slow": 60})

    assert done.returncode == 1
    assert [row["error"] for row in project.rows("failures.csv")] == ["worker-died"]
    assert "limits.seconds_per_image" in project.rows("failures.csv")[0]["message"]


def test_two_runs_do_not_meet(project: Project) -> None:
    """While one run writes to a folder, a second one is refused with exit 3."""
    process = project.start("run", faults={"slow": 1})
    wait_for(lambda: (project.out / "ledger.sqlite").exists())
    second = project.flatpipe("run")
    process.communicate(timeout=60)

    assert second.returncode == 3
    assert "another flatpipe run is writing here" in second.stderr


def test_a_selection_runs_alone_and_the_tables_stay_whole(project: Project) -> None:
    """--only and --limit do some images; what was done before stays in results.csv."""
    project.flatpipe("run", "--only", "00.png")
    assert len(project.rows("results.csv")) == 3
    project.flatpipe("run", "--limit", "1")
    assert [row["image"] for row in project.rows("results.csv")] == ["00.png"] * 3 + ["01.png"] * 3


@pytest.mark.parametrize("selection", [("--only", "none*"), ("--limit", "0"), ("--only-failed",)], ids=" ".join)
def test_a_selection_of_nothing_is_not_called_up_to_date(selection: tuple[str, ...], project: Project) -> None:
    """Where images are due and none is selected, a run says so, and so does status after it; a done one is current."""
    project.flatpipe("run", "--only", "00.png")
    done = project.flatpipe("run", *selection)
    status = project.flatpipe("status").stdout

    assert done.returncode == 0
    assert "nothing done: 2 images to do, not selected by --only, --only-failed or --limit" in done.stdout
    assert "3 images, 1 up to date, 2 not selected" in done.stderr
    assert "images:    3: 1 up to date, 2 not selected" in status
    project.flatpipe("run")
    assert "nothing to do: 3 images up to date" in project.flatpipe("run", *selection).stdout


def test_what_was_passed_over_is_told(project: Project) -> None:
    """plan, and a run at its beginning, count litter, linked folders and other files; run.json has the numbers."""
    photos = project.folder / "photos"
    write_image(photos / "@eaDir" / "00.png" / "thumb.jpg", seed=7)
    (photos / "notes.txt").write_text("")
    (photos / "more").symlink_to(project.folder, target_is_directory=True)
    line = "1 system file, 1 linked folder, 1 other file skipped: .txt"
    planned = project.flatpipe("plan").stdout
    done = project.flatpipe("run").stderr
    summary = json.loads((project.out / "run.json").read_text())["summary"]

    assert planned.splitlines()[:2] == ["3 images: 9 flat images and 3 sweeps to make", line]
    assert line in done.splitlines()
    assert summary["passed_over"] == [["linked folders", 1], ["litter", 1], ["other files", 1]]


def test_plan_tells_reasons_and_writes_nothing(project: Project) -> None:
    """plan and run --dry-run print the same totals and reasons, and make no file."""
    planned = project.flatpipe("plan")
    dry = project.flatpipe("run", "--dry-run")

    assert planned.stdout == dry.stdout
    assert planned.stdout.startswith("3 images: 9 flat images and 3 sweeps to make\n")
    assert planned.stdout.endswith("\n3 images: new\n")
    assert not project.out.exists()
    project.flatpipe("run")
    assert "3 images: k = 9 added" in project.flatpipe("plan", "-s", "flatten.k=[2,3,4,9]").stdout


def test_json_lines_are_the_only_thing_on_stdout(project: Project) -> None:
    """With --json, stdout is one JSON object per image and one for the run."""
    lines = [json.loads(line) for line in project.flatpipe("run", "--json").stdout.splitlines()]

    assert [line["event"] for line in lines] == ["image"] * 3 + ["run"]
    assert sorted(line["image"] for line in lines[:3]) == ["00.png", "01.png", "02.png"]
    assert lines[-1]["exit_code"] == 0


def test_all_that_says_json_is_json(project: Project) -> None:
    """Images of one colour, too small for a measure or wholly transparent leave no NaN and no infinity in any JSON."""
    for name, size, mode in (("one", 32, "RGB"), ("small", 4, "RGB"), ("none", 32, "RGBA")):
        Image.new(mode, (size, size)).save(project.folder / "photos" / f"{name}.png")
    asked = ("-s", "output.metrics=[ssim, ciede2000]", "-s", "flatten.k=auto", "-s", "flatten.auto.max=3")
    lines = project.flatpipe("run", *asked, "--json").stdout.splitlines()
    lines += project.flatpipe("explain", "one.png", *asked, "--json").stdout.splitlines()
    lines += project.flatpipe("flatten", "photos/one.png", "-k", "auto", "--json").stdout.splitlines()
    lines += project.flatpipe("plan", *asked, "--json", "--estimate", "--force").stdout.splitlines()
    for path in project.out.rglob("*.json*"):
        text = path.read_text()
        lines += text.splitlines() if path.suffix == ".jsonl" else [text]

    assert len(lines) > 20
    for line in lines:
        json.loads(line, parse_constant=pytest.fail)


def test_images_can_be_flattened_without_a_config(project: Project) -> None:
    """flatpipe flatten IMAGE... writes the outputs of the named images below -o."""
    done = project.flatpipe("flatten", "photos/00.png", "photos/02.png", "-k", "3,5", "-o", "flat")

    assert done.returncode == 0, done.stderr
    assert set(project.digests("flat")) == {
        f"{n}.png/{name}" for n in ("00", "02") for name in ("k03.png", "k05.png", *PER_IMAGE)
    }
    (project.folder / "notes.txt").write_text("no image")
    beside = project.flatpipe("flatten", "photos/00.png", "notes.txt", "-k", "2")
    assert beside.returncode == 1, beside.stderr
    assert "00.png/k02.png" in project.digests("flat")
    # ^ under the id that the first call gave it
    missing = project.flatpipe("flatten", "photos/none.png")
    assert missing.returncode == 2
    assert "none.png: no such file" in missing.stderr


def test_hostile_names_round_trip_through_the_tables(project: Project) -> None:
    """Whatever a name holds, it comes back from the tables, less the ' that keeps a spreadsheet from running it."""
    names = ['a\n"b", c.png', "-rf.png", "x" * 251 + ".png", "b\udcff.png", "ünï cødé.png", "<script>.png"]
    names += ["=1+1.png", "+1.png", "@SUM(1).png", "\tx.png", "'=quoted'.png", "''.png", "＝1.png"]
    for seed, name in enumerate(names):
        (project.folder / "photos" / name).write_bytes((project.folder / "photos" / f"0{seed % 3}.png").read_bytes())
    done = project.flatpipe("run", "-s", "execution.scheduler=processes")

    assert done.returncode == 0, done.stderr
    rows = project.rows("results.csv")
    assert {row["image"].removeprefix("'") for row in rows} == {*names, "00.png", "01.png", "02.png"}
    assert not any(row[column].startswith(tuple("=+-@\t＝")) for row in rows for column in ("image", "file", "notes"))
    assert all((project.out / row["file"]).exists() for row in rows)
    assert "nothing to do: 16 images up to date" in project.flatpipe("run").stdout
    for name in names:
        (project.folder / "photos" / name).write_bytes(b"nothing")
    project.flatpipe("run")
    failed = project.rows("failures.csv")
    assert {row["image"].removeprefix("'") for row in failed} == set(names)
    assert not any(value.startswith(tuple("=+-@\t＝")) for row in failed for value in row.values())


def test_stills_and_palette_files_are_made_when_asked_for(project: Project) -> None:
    """report.stills and output.palettes add their files, by sweep tasks alone, and the knee is marked once an image."""
    project.flatpipe("run")
    done = project.flatpipe("run", "-s", "report.stills=true", "-s", "output.palettes=[gpl, ase]")

    assert "\n3 images done\n" in done.stdout
    added = {"contact_sheet.png", "colorspace.png", *(f"k0{k}.{kind}" for k in (2, 3, 4) for kind in ("gpl", "ase"))}
    assert added <= {path.name for path in (project.out / "images" / "00.png").iterdir()}
    assert (project.out / "images" / "00.png" / "k03.gpl").read_text().startswith("GIMP Palette")
    assert [row["image"] for row in project.rows("results.csv") if row["suggested"] == "1"] == [
        f"{n:02d}.png" for n in range(3)
    ]


@pytest.mark.parametrize("solver", ["sklearn", "textbook"])
def test_the_other_solvers_run_too(solver: str, project: Project) -> None:
    """scikit-learn's and the textbook solver make the same set of files, the same bytes twice."""
    assert project.flatpipe("run", "-s", f"flatten.solver={solver}").returncode == 0
    first = project.digests()
    project.flatpipe("run", "-s", f"flatten.solver={solver}", "--force", "-j", "1")

    assert len(first) == 3 * (3 + len(PER_IMAGE))
    assert project.digests() == first


def test_the_driver_counts_what_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --only one of many images, the loop knows that one is due: its ks are shared by all workers."""
    shapes: list[tuple[int, bool]] = []
    project = Project.make(tmp_path, images=20)
    config = load_config(project.folder / "pipeline.yaml", ["execution.workers=4"])
    monkeypatch.setattr(Bundler, "_is_worth_pairs", lambda bundler, image: True)
    following = Bundler.next

    def noted(bundler: Bundler, workers: int) -> Bundle | None:
        bundle = following(bundler, workers)
        if bundle is not None:
            shapes.append((len(bundle.images), bundle.one_task))
        return bundle

    monkeypatch.setattr(Bundler, "next", noted)
    summary = run_pipeline(config, Request(only=("07.png",)))

    assert summary.done == 1
    assert shapes == [(1, False)]
