"""Calls of `flatpipe flatten` into one output add up, and files of one name stay apart."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from builders import write_image
from commands import Project

PLACES = ("t1/cover.png", "t2/cover.png", "u/t2/cover.png")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A folder with three different images of one name."""
    for seed, place in enumerate(PLACES):
        write_image(tmp_path / place, seed=seed)
    return Project(tmp_path)


def shown(project: Project) -> dict[str, set[str]]:
    """The k of each image in results.csv; the file of each row is as its row says."""
    found: dict[str, set[str]] = {}
    for row in project.rows("results.csv"):
        assert hashlib.sha256((project.out / row["file"]).read_bytes()).hexdigest() == row["sha256"]
        found.setdefault(row["image"], set()).add(row["k"])
    return found


def test_files_of_one_name_add_up_over_calls(project: Project) -> None:
    """`for f in */cover.png; do flatpipe flatten $f; done` loses nothing of files, tables, report and lock."""
    for place in PLACES:
        done = project.flatpipe("flatten", place, "-k", "2", "-o", "out")
        assert done.returncode == 0, done.stderr
        assert "1 image done, 1 flat image in" in done.stdout
    ids = {"cover.png": {"2"}, "t2/cover.png": {"2"}, "u/t2/cover.png": {"2"}}
    before = project.digests()

    assert shown(project) == ids
    assert len({digest for name, digest in before.items() if name.endswith("k02.png")}) == 3
    rows = (project.out / "gallery" / "data" / "rows-00000.js").read_text()
    assert all(f'"{image}"' in rows for image in ids)
    assert "images: 3" in (project.out / "flatpipe.lock").read_text()
    assert "images:    1: 1 done\n" in project.flatpipe("status", "out").stdout

    again = project.flatpipe("flatten", *PLACES[:1], "-k", "2", "-o", "out")
    assert "nothing to do" in again.stdout, again.stdout
    assert (shown(project), project.digests()) == (ids, before)
    assert project.flatpipe("report", "out").returncode == 0
    assert shown(project) == ids
    assert project.flatpipe("verify", "out").returncode == 0


def test_calls_with_other_settings_add_up_too(project: Project) -> None:
    """What an earlier call made with other k or another seed stays in the tables, and is not made again."""
    project.flatpipe("flatten", "t1/cover.png", "-k", "2-3", "-o", "out", "-s", "flatten.seed=5")
    (project.folder / "bad.png").write_bytes(b"nothing")
    project.flatpipe("flatten", "bad.png", "-o", "out")
    before = project.digests()
    done = project.flatpipe("flatten", "t2/cover.png", "-k", "auto", "-o", "out")

    assert done.returncode == 0, done.stderr
    chosen = [line.partition(":")[0] for line in done.stdout.splitlines() if "best.png" in line]
    assert chosen == ["t2/cover.png"]
    found = shown(project)
    assert found["cover.png"] == {"2", "3"}
    assert len(found["t2/cover.png"]) == 14
    assert [row["image"] for row in project.rows("failures.csv")] == ["bad.png"]
    assert project.digests().items() >= before.items()
    assert not (project.out / "flatpipe.lock").exists()


def test_calls_for_one_image_add_up_too(project: Project) -> None:
    """Other k of an image come beside those of earlier calls, in tables, report and verify; the best is of the last."""
    for ks in ("2", "5-6", "auto"):
        assert project.flatpipe("flatten", PLACES[0], "-k", ks, "-o", "out").returncode == 0
    done = project.flatpipe("flatten", PLACES[0], "-k", "20,22", "-o", "out")
    made = {*map(str, range(2, 16)), "20", "22"}

    assert done.returncode == 0, done.stderr
    assert shown(project) == {"cover.png": made}
    assert next(row["k"] for row in project.rows("results.csv") if row["suggested"] == "1") in ("20", "22")
    project.flatpipe("flatten", PLACES[0], "-k", "auto", "-o", "out")
    best = next(row for row in project.rows("results.csv") if row["suggested"] == "1")
    content = (project.out / "images" / "cover.png" / "best.png").read_bytes()
    assert hashlib.sha256(content).hexdigest() == best["sha256"]
    assert int(best["k"]) < 20
    checked = project.flatpipe("verify", "out", "--recompute", "1")
    assert checked.returncode == 0, checked.stdout
    assert "not (all) done" not in checked.stdout
    before = (project.out / "results.csv").read_bytes()
    assert project.flatpipe("report", "out").returncode == 0
    assert (project.out / "results.csv").read_bytes() == before


def test_no_k_changes_the_names_of_earlier_calls(project: Project) -> None:
    """A call with k of three digits leaves files, tables and JSON of other calls as they are."""
    project.flatpipe("flatten", PLACES[0], "-k", "2", "-o", "out")
    done = project.flatpipe("flatten", PLACES[1], "-k", "3,100", "-o", "out", "--json")
    files = [flat["file"] for flat in json.loads(done.stdout.splitlines()[0])["flats"]]

    assert shown(project) == {"cover.png": {"2"}, "t2/cover.png": {"3", "100"}}
    assert files == ["images/t2/cover.png/k03.png", "images/t2/cover.png/k100.png"]
    assert project.flatpipe("verify", "out").returncode == 0
    assert "nothing to do" in project.flatpipe("flatten", PLACES[0], "-k", "2", "-o", "out").stdout


def test_images_of_several_folders_and_links_are_read(project: Project) -> None:
    """What is named is read wherever it lies, by whatever link it was named."""
    (project.folder / "linked.png").symlink_to("u/t2/cover.png")
    done = project.flatpipe("flatten", "t1/cover.png", "t2/cover.png", "linked.png", "-k", "2", "-o", "out")

    assert done.returncode == 0, done.stderr
    assert set(shown(project)) == {"linked.png", "t1/cover.png", "t2/cover.png"}


def test_a_run_shows_what_its_config_asks_for(project: Project) -> None:
    """Only calls of `flatten` add up: after them, `flatpipe run` tells of its input alone."""
    project.flatpipe("flatten", "t1/cover.png", "-k", "2", "-o", "out")
    write_image(project.folder / "photos" / "a.png")
    project.configure(flatten={"k": "2"})

    assert project.flatpipe("run").returncode == 0
    assert set(shown(project)) == {"a.png"}
