"""flatpipe.lock, run --locked, diff, and the folder that each run leaves."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from builders import write_image
from commands import Project
from waiting import wait_for


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three images and a broken one, done; tests copy it."""
    project = Project.make(tmp_path_factory.mktemp("finished"), images=3)
    (project.folder / "photos" / "bad.png").write_bytes(b"nothing")
    assert project.flatpipe("run").returncode == 1
    return project


def test_the_lock_is_sorted_and_can_be_checked_by_hand(finished: Project) -> None:
    """No time, no path; an image's digests are those that sha256sum finds; a failed image stands there too."""
    text = (finished.out / "flatpipe.lock").read_text()
    lines = text.splitlines()
    images = [line for line in lines if line.endswith('"') and ": " not in line]

    assert str(finished.folder) not in text
    assert [line.rpartition(" ")[2] for line in images] == ['"00.png"', '"01.png"', '"02.png"', '"bad.png"']
    assert images[3] == "-" * 32 + ' failed:not-an-image "bad.png"'
    content = hashlib.sha256((finished.folder / "photos/00.png").read_bytes()).hexdigest()
    shell = "LC_ALL=C; export LC_ALL; sha256sum * | sha256sum"
    folder = finished.out / "images/00.png"
    summed = subprocess.run(["sh", "-c", shell], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert images[0] == f'{content[:32]} {summed[:32]} "00.png"'
    digest = hashlib.sha256("".join(f"{line}\n" for line in images).encode()).hexdigest()
    assert lines[-2:] == ["images: 4", f"outputs: {digest}"]
    keys = [line.split(":")[0] for line in lines if line.startswith(("setting.", "version."))]
    assert keys == sorted(keys)
    assert {"setting.ks: [2, 3, 4]", "setting.seed: 0"} < set(lines)
    assert {"version.flatpipe", "version.numpy", "version.pillow.webp"} < set(keys)


def test_runs_of_every_kind_have_equal_outputs_and_locks(tmp_path: Path) -> None:
    """diff finds nothing between threads (run twice), processes, and a run killed and resumed; verify neither."""
    project = Project.make(tmp_path, images=8, execution={"scheduler": "threads", "granularity": "pair"})
    project.flatpipe("run")
    lock = (project.out / "flatpipe.lock").read_bytes()
    assert "nothing to do" in project.flatpipe("run").stdout
    project.flatpipe("run", "-s", "output.path=processes", "-s", "execution.scheduler=processes", "-j", "2")
    process = project.start("run", "-s", "output.path=killed", faults={"slow": 0.1})
    wait_for(lambda: any((tmp_path / "killed" / "images").rglob("sweep.gif")))
    process.kill()
    process.communicate()
    assert not (tmp_path / "killed" / "flatpipe.lock").exists()
    project.flatpipe("run", "-s", "output.path=killed")

    for other in ("processes", "killed"):
        done = project.flatpipe("diff", "out", other)
        assert (done.returncode, done.stdout) == (0, "compared 40 files: no differences\n")
        assert (tmp_path / other / "flatpipe.lock").read_bytes() == lock
    assert (project.out / "flatpipe.lock").read_bytes() == lock
    verified = project.flatpipe("verify", "killed", "--recompute", "1", "-j", "2")
    told = "verified 64 outputs of 8 images and 8 inputs, 46 files beside them, 1 image recomputed: no differences\n"
    assert (verified.returncode, verified.stdout) == (0, told)


def test_diff_names_what_differs(project: Project) -> None:
    """Changed, missing and added files; a changed setting, input and outcome in the locks: exit 4, each named."""
    other = project.folder / "other"
    shutil.copytree(project.out, other)
    (other / "images/00.png/k02.png").write_bytes(b"x")
    (other / "images/01.png/sweep.gif").unlink()
    (other / "images/mine.txt").write_text("")
    folders = project.flatpipe("diff", "out", "other")
    lines = (other / "flatpipe.lock").read_text().splitlines()
    lines[lines.index("setting.seed: 0")] = "setting.seed: 7"
    start = next(number for number, line in enumerate(lines) if '"00.png"' in line)
    lines[start] = lines[start].replace(lines[start][:32], "0" * 32)
    lines[start + 2 : start + 4] = [lines[start + 3].replace("not-an-image", "truncated")]
    (other / "flatpipe.lock").write_text("\n".join(lines) + "\n")
    locks = project.flatpipe("diff", "out", "other/flatpipe.lock", "--json")

    assert (folders.returncode, locks.returncode) == (4, 4)
    assert folders.stdout.splitlines() == [
        '"images/00.png/k02.png": other bytes',
        '"images/01.png/sweep.gif": only in the first',
        '"images/mine.txt": only in the second',
        "compared 16 files: 3 differences",
    ]
    assert [json.loads(line).get("difference") for line in locks.stdout.splitlines()] == [
        "setting.seed: 0 -> 7",
        '"00.png": other input',
        '"02.png": only in the first',
        '"bad.png": failed:not-an-image -> failed:truncated',
        None,
    ]
    refused = project.flatpipe("diff", "out", "pipeline.yaml")
    assert (refused.returncode, "of a flatpipe.lock" in refused.stderr) == (2, True)


def test_locked_refuses_what_it_would_not_reproduce(project: Project) -> None:
    """Another setting, an image added or changed: exit 2, each line named, all as it was before; else it runs."""
    lock, ledger, files = (project.out / "flatpipe.lock").read_bytes(), _content(project), _files(project)
    shutil.copy(project.out / "flatpipe.lock", project.folder / "kept.lock")
    changed = project.flatpipe("run", "--locked", "-s", "flatten.seed=3")
    assert (changed.returncode, changed.stdout) == (2, "")
    assert "setting.seed: 0 -> 3" in changed.stderr

    content = (project.folder / "photos" / "00.png").read_bytes()
    write_image(project.folder / "photos" / "00.png", seed=9)
    write_image(project.folder / "photos" / "new.png", seed=9)
    before = project.digests()
    refused = project.flatpipe("run", "--locked")
    assert refused.returncode == 2
    assert '"00.png": other input' in refused.stderr
    assert '"new.png": only in the second' in refused.stderr
    assert project.digests() == before
    assert (project.out / "flatpipe.lock").read_bytes() == lock
    assert _files(project) == files
    assert _content(project) == ledger

    (project.folder / "photos" / "00.png").write_bytes(content)
    (project.folder / "photos" / "new.png").unlink()
    fresh = project.flatpipe("run", "--lock", "kept.lock", "-s", "output.path=fresh")
    assert "4 images: 3 done, 1 failed" in fresh.stdout
    assert fresh.returncode == 1


def test_a_run_that_comes_out_otherwise_says_so(project: Project) -> None:
    """When the outputs are not the lock's after all, the run ends with exit 4, names the image and keeps the lock."""
    path = project.folder / "kept.lock"
    lines = (project.out / "flatpipe.lock").read_text().splitlines(keepends=True)
    row = next(number for number, line in enumerate(lines) if '"01.png"' in line)
    lines[row] = f'{lines[row][:33]}{"0" * 32} "01.png"\n'
    path.write_text("".join(lines))
    done = project.flatpipe("run", "--lock", "kept.lock")

    assert done.returncode == 4
    assert done.stdout.splitlines()[-2] == 'the lock was not reproduced: "01.png": other outputs'


def test_only_a_complete_run_has_a_lock(project: Project) -> None:
    """A run of some images under new settings removes the lock, which is no longer true; the complete run writes it."""
    project.flatpipe("run", "-s", "flatten.k=2-5", "--limit", "1")
    assert not (project.out / "flatpipe.lock").exists()
    project.flatpipe("run", "-s", "flatten.k=2-5")
    assert "setting.ks: [2, 3, 4, 5]" in (project.out / "flatpipe.lock").read_text()


def test_every_run_leaves_its_folder(project: Project) -> None:
    """config.yaml is the run's config and runs again, log.jsonl has a line per image, summary.json what came of it."""
    project.flatpipe("run", "-s", "flatten.k=[2, 3]", "--force")
    first, second = sorted((project.out / "runs").iterdir())
    log = [json.loads(line) for line in (first / "log.jsonl").read_text().splitlines()]
    assert sorted((line["image"], line["failure"] and line["failure"]["error"]) for line in log) == [
        ("00.png", None), ("01.png", None), ("02.png", None), ("bad.png", "not-an-image"),
    ]  # fmt: skip
    assert [[flat["k"] for flat in line["flats"]] for line in log if not line["failure"]] == [[2, 3, 4]] * 3
    assert [line["flats"] for line in log if line["failure"]] == [[]]
    assert json.loads((second / "summary.json").read_text())["run_id"] == second.name
    environment = json.loads((second / "environment.json").read_text())
    assert environment["can_change_bytes"]["version.numpy"] == environment["packages"]["numpy"]
    again = project.flatpipe("plan", str(second / "config.yaml"))
    assert "4 images, 3 up to date: 2 flat images" in again.stdout


def _content(project: Project) -> list[str]:
    """All that the ledger holds."""
    with closing(sqlite3.connect(project.out / "ledger.sqlite")) as ledger:
        return list(ledger.iterdump())


def _files(project: Project) -> set[Path]:
    """Every file of the output folder."""
    return {path for path in project.out.rglob("*") if path.is_file()}
