"""An S3 store as input and output: whole objects only, kills survived, refusals in sentences."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archive_builders import ARCHIVES
from builders import write_image
from commands import Project
from servers import Servers, expected, wait_for
from shard_builders import shards_of

from flatpipe import run

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto.server")
pytest.importorskip("s3fs")


@pytest.fixture
def store(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an empty S3 server, which the environment names."""
    place = tmp_path / "address"
    servers.start(sys.executable, str(Path(__file__).parents[1] / "s3_server.py"), str(place))
    wait_for(place.exists)
    monkeypatch.setenv("AWS_ENDPOINT_URL", place.read_text())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    yield client
    client.close()


def objects(store: Any, prefix: str) -> dict[str, bytes]:
    """Content of every object below a prefix of the bucket."""
    found = store.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix=prefix)
    names = [entry["Key"] for page in found for entry in page.get("Contents", ())]
    return {name.removeprefix(prefix): store.get_object(Bucket="bucket", Key=name)["Body"].read() for name in names}


def in_bucket(project: Project, **sections: Any) -> None:
    """Configure a project with its input and output in the bucket and its ledger here."""
    execution = {"state_path": "state", "granularity": "image", **sections.pop("execution", {})}
    places = {"input": {"path": "s3://bucket/photos"}, "output": {"path": "s3://bucket/out"}}
    project.configure(**places, execution=execution, **sections)


def test_a_killed_run_over_a_bucket_resumes_to_equal_bytes(store: Any, tmp_path: Path) -> None:
    """kill -9 half-way, then a rerun: equal bytes, every object whole, no leftovers, and only the rest was done.

    Then a run with a new state folder goes on from the copy of the ledger that is beside the outputs.
    """
    wanted = expected(tmp_path / "threads", 24)
    store.create_bucket(Bucket="bucket")
    for photo in (tmp_path / "threads" / "photos").iterdir():
        store.upload_file(str(photo), "bucket", f"photos/{photo.name}")
    project = Project.make(tmp_path / "p", images=0)
    in_bucket(project, execution={"scheduler": "processes", "workers": 2})
    run = project.start("run", faults={"slow": 0.4})
    wait_for(lambda: len([name for name in objects(store, "out/images/") if name.endswith(".gif")]) > 11)
    run.kill()
    run.communicate()

    partly = objects(store, "out/images/")
    assert {name: digest(partly[name]) for name in partly} == {name: wanted[name] for name in partly}
    again = project.flatpipe("run", "-s", "execution.scheduler=threads")
    assert again.returncode == 0, again.stderr
    assert not again.stdout.startswith("24 done")
    made = objects(store, "out/")
    assert {name.removeprefix("images/"): digest(made[name]) for name in made if name.startswith("images/")} == wanted
    others = {name for name in made if not name.startswith("images/")}
    assert {"results.csv", "failures.csv", "run.json", "ledger.sqlite"} <= others
    assert not [name for name in others if name.startswith(".partial")]
    assert len(made["results.csv"].splitlines()) == 1 + 24 * 3
    assert json.loads(made["run.json"])["summary"]["output"] == "s3://bucket/out"

    elsewhere = project.flatpipe("run", "-s", "execution.state_path=fresh")
    assert "nothing to do" in elsewhere.stdout, elsewhere.stdout + elsewhere.stderr


def test_images_in_a_bucket_share_the_palettes_of_local_ones(store: Any, tmp_path: Path) -> None:
    """One palette for all, counted in a bucket by worker processes: palettes and images as from a local folder."""
    shared = {"palette": {"scope": "collection"}, "report": {"enabled": False}}
    local = Project.make(tmp_path / "local", images=8, **shared)
    assert local.flatpipe("run").returncode == 0
    store.create_bucket(Bucket="bucket")
    for photo in (local.folder / "photos").iterdir():
        store.upload_file(str(photo), "bucket", f"photos/{photo.name}")
    project = Project.make(tmp_path / "p", images=0)
    in_bucket(project, **shared, execution={"scheduler": "processes", "workers": 2})
    done = project.flatpipe("run")

    assert done.returncode == 0, done.stdout + done.stderr
    for folder in ("images", "palettes"):
        files = [file for file in (local.out / folder).rglob("*") if file.is_file()]
        here = {str(file.relative_to(local.out / folder)): file.read_bytes() for file in files}
        assert objects(store, f"out/{folder}/") == here


def test_a_replaced_and_a_lost_object_are_noticed(store: Any, tmp_path: Path) -> None:
    """A photo that was replaced is done again, an output that was deleted is made again; the rest is left alone."""
    wanted = expected(tmp_path / "threads", 3)
    store.create_bucket(Bucket="bucket")
    photos = sorted((tmp_path / "threads" / "photos").iterdir())
    for photo in photos:
        store.upload_file(str(photo), "bucket", f"photos/{photo.name}")
    project = Project.make(tmp_path / "p", images=0)
    in_bucket(project)
    assert project.flatpipe("run").returncode == 0
    store.upload_file(str(photos[0]), "bucket", f"photos/{photos[1].name}")
    store.delete_object(Bucket="bucket", Key=f"out/images/{photos[2].name}/k03.png")
    done = project.flatpipe("run")

    assert "2 done, 1 up to date" in done.stdout, done.stderr
    made = {name: digest(content) for name, content in objects(store, "out/images/").items()}
    flats = {name: sha for name, sha in made.items() if name.endswith(".png")}
    copied = {name.replace(photos[0].name, photos[1].name, 1): sha for name, sha in wanted.items() if "00.png/" in name}
    assert flats == {name: sha for name, sha in {**wanted, **copied}.items() if name.endswith(".png")}


def test_archives_in_a_bucket_give_what_the_photos_do(store: Any, tmp_path: Path) -> None:
    """A tar and a zip in a bucket are read part by part: the images come out as from a folder."""
    wanted = expected(tmp_path / "threads", 3)
    photos = {path.name: path.read_bytes() for path in sorted((tmp_path / "threads" / "photos").iterdir())}
    store.create_bucket(Bucket="bucket")
    for suffix in ("tar", "zip"):
        store.put_object(Bucket="bucket", Key=f"photos/shard.{suffix}", Body=ARCHIVES[suffix](photos))
    project = Project.make(tmp_path / "p", images=0)
    project.configure(input={"path": "s3://bucket/photos"})
    done = project.flatpipe("run")

    assert "6 images done" in done.stdout, done.stderr
    assert {name: digest for name, digest in project.digests().items() if not name.endswith(".json")} == {
        f"shard.{suffix}/{name}": digest
        for suffix in ("tar", "zip")
        for name, digest in wanted.items()
        if not name.endswith(".json")
    }


@pytest.mark.parametrize(("change", "words"), [
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, "EndpointConnectionError"),
    ({}, "no such bucket or container; make it first"),
], ids=["unreachable", "no bucket"])  # fmt: skip
def test_what_stands_in_the_way_is_a_sentence(
    change: dict[str, str], words: str, store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that does not answer and a bucket that is not there end with exit 2 and a sentence."""
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    project = Project.make(tmp_path / "p", images=1)
    project.configure(output={"path": "s3://nowhere/out"}, execution={"state_path": "state"})
    done = project.flatpipe("run")

    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def digest(content: bytes) -> str:
    """sha256 in hex."""
    return hashlib.sha256(content).hexdigest()


def test_a_shard_is_one_put(store: Any, tmp_path: Path) -> None:
    """Each shard has one version after a run, one more after each that moves its images, and no piece is left."""
    local = Project.make(tmp_path / "p", images=7)
    store.create_bucket(Bucket="bucket")
    store.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    places = (
        "output.path=s3://bucket/out",
        "execution.state_path=state",
        "output.layout=shards",
        "output.shard_size=3",
    )
    arguments = [word for place in places for word in ("-s", place)]
    for turn in (1, 2):
        names = sorted(path.name for path in (local.folder / "photos").iterdir())
        done = local.flatpipe("run", *arguments)
        assert done.returncode == 0, done.stderr
        assert run(local.folder / "pipeline.yaml", ["report.enabled=false", "output.path=tree"]).exit_code == 0
        assert objects(store, "out/shards/") == shards_of(names, local.folder / "tree", 3)
        versions = store.list_object_versions(Bucket="bucket", Prefix="out/shards/")["Versions"]
        assert Counter(version["Key"] for version in versions) == dict.fromkeys(
            (f"out/shards/{number:06d}.tar" for number in range(3)), turn
        )
        assert objects(store, "out/.pieces/") == {}
        write_image(local.folder / "photos" / "!.png", seed=9)
