"""Places: one notion of a path and of a URL, and of what overlaps what."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Project
from hypothesis import given
from hypothesis import strategies as st

import flatpipe
from flatpipe.config import parse_config
from flatpipe.errors import ConfigError
from flatpipe.places import PROTOCOLS, PlaceRefused, check_apart, is_local, is_url, place_of
from flatpipe.proof.compare import Compared, compare


@pytest.mark.parametrize(("text", "place"), [
    ("photos", "/base/photos"),
    ("../photos/", "/photos"),
    ("/data/photos/.", "/data/photos"),
    ("~/photos", "/home/somebody/photos"),
    ("file:///data/photos", "/data/photos"),
    ("file:///data/a/../photos/", "/data/photos"),
    ("file://localhost/data", "/data"),
    ("file:/data", "/data"),
    ("local:///data", "/data"),
    ("file:///my%20photos/100%25", "/my photos/100%"),
    ("file:///a%ff.png", "/a\udcff.png"),
    ("./s3://photos", "/base/s3:/photos"),
    ("trips/a://b", "/base/trips/a:/b"),
    ("file:photos", "/base/file:photos"),
    ("s3://bucket/a/../b//c/", "s3://bucket/a/../b//c/"),
    ("s3://bucket/a::b", "s3://bucket/a::b"),
    ("sftp://me@host:22/x", "sftp://me@host:22/x"),
    ("abfs://container@account/x", "abfs://container@account/x"),
    ("https://host:80/a?page=2", "https://host:80/a?page=2"),
    *((f"{protocol}://x/y", f"{protocol}://x/y") for protocol in PROTOCOLS),
])  # fmt: skip
def test_a_place_has_one_form(text: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path becomes absolute, file:// and local:// are paths, a URL stays; what was read is read as itself."""
    monkeypatch.setenv("HOME", "/home/somebody")

    assert place_of(text, "/base") == place
    assert place_of(place, "/elsewhere") == place
    assert is_url(place) == (not place.startswith("/"))
    assert is_local(text) == place.startswith("/")


@pytest.mark.parametrize(("text", "words"), [
    ("ftp://host/photos", "ftp:// is not supported; a place is a local path, or a URL with one of s3, "),
    ("reference://refs.json", "reference:// is not supported"),
    ("dir://photos", "dir:// is not supported"),
    ("generic://file:///etc", "generic:// is not supported"),
    ("github://o:r@/x", "github:// is not supported"),
    ("data://text", "data:// is not supported"),
    ("S3://bucket", "S3:// is not supported"),
    ("FILE:///data", "FILE:// is not supported"),
    ("://photos", ":// is not supported"),
    ("simplecache::s3://bucket/x", "file systems are not chained by ::; a place is"),
    ("zip://*.png::s3://bucket/x.zip", "not chained"),
    ("dir::file:///etc", "not chained"),
    ("s3://bucket/x::file:///etc", "not chained"),
    ("memory://x::simplecache::gs://b", "not chained"),
    *((url, "a password or signature in a URL would stand in every table") for url in (
        *("s3://key:secret@bucket/x", "sftp://me:secret@host/x", "https://me:secret@host/x", "https://token@host/x"),
        *("https://h/c/a.png?sv=1&sig=abc", "https://h/a.png?X-Amz-Signature=abc", "az://c/a?SharedAccessKey=b"),
    )),
    ("file://photos/a", "file:// names the host 'photos'"),
    ("local://./photos", "local:// names the host '.'"),
    ("file://~/photos", "file:// names the host '~'"),
    ("file://", "file:// names no path"),
    ("file:///a%00b", "NUL"),
    ("a\0b", "NUL"),
])  # fmt: skip
def test_what_is_no_place_is_refused_in_words(text: str, words: str) -> None:
    """Other file systems, chains of them and hosts of files are refused with what is supported."""
    with pytest.raises(PlaceRefused) as refused:
        place_of(text, "/base")

    assert words in str(refused.value)


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_refused(text: str) -> None:
    """No text ends in another error, and a place is an absolute path or a URL with a known protocol."""
    try:
        place = place_of(text, "/base")
    except PlaceRefused:
        return
    assert place.startswith(("/", *(f"{protocol}://" for protocol in PROTOCOLS)))


@pytest.mark.parametrize(("source", "output"), [
    ("photos", "photos"),
    ("photos", "photos/out"),
    ("photos/a", "photos"),
    ("photos", "file://{folder}/photos/out"),
    ("file://{folder}/photos", "photos"),
    ("file://{folder}/photos", "local://{folder}/photos/out"),
    ("photos", "link/out"),
    ("link", "photos/out"),
    ("photos/a/..", "photos/out"),
    ("s3://bucket/photos", "s3://bucket/photos/"),
    ("s3://bucket/photos", "s3a://bucket/photos/out"),
    ("s3://bucket", "s3://bucket/photos/../out"),
    ("s3://bucket/photos/out", "s3://bucket//photos"),
    ("gs://bucket/photos", "gcs://bucket/photos/out"),
    ("az://photos", "abfss://photos@account.dfs.core.windows.net/out"),
    ("sftp://host/photos", "sftp://user@HOST:22/a/../photos/out"),
    ("memory://photos", "memory:///photos/out"),
])  # fmt: skip
def test_overlapping_places_are_refused(source: str, output: str, tmp_path: Path) -> None:
    """Whatever the spelling, links and words for a store, neither of input and output may lie in the other."""
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "link").symlink_to("photos")
    one, other = (place_of(text.format(folder=tmp_path), tmp_path) for text in (source, output))

    for places in ((one, other), (other, one)):
        with pytest.raises(ConfigError, match=r"input\.path .* and output\.path .* overlap"):
            check_apart(*places)


@pytest.mark.parametrize(("source", "output"), [
    ("photos", "photos-flat"),
    ("photos/a", "photos/b"),
    ("photos", "s3://photos/photos"),
    ("s3://bucket/photos", "s3://bucket/photos-flat"),
    ("s3://bucket/photos", "gs://bucket/photos"),
    ("s3://bucket/photos", "s3://bucket/photos2"),
    ("sftp://host/photos", "sftp://host/photos/../out"),
    ("az://photos/a", "az://photos/b"),
])  # fmt: skip
def test_places_beside_each_other_are_taken(source: str, output: str) -> None:
    """A name that begins alike is another place, and so is another store."""
    check_apart(place_of(source, "/base"), place_of(output, "/base"))


def test_the_ledger_stays_out_of_the_input(tmp_path: Path) -> None:
    """The ledger's folder may be that of the project or of the outputs, but not the input nor anything below it."""
    photos, out = str(tmp_path / "photos"), str(tmp_path / "out")
    for state in (None, out, f"{out}/state", str(tmp_path), str(tmp_path / "state")):
        check_apart(photos, out, state)
    for state in (photos, f"{photos}/state"):
        with pytest.raises(ConfigError, match=r"execution\.state_path .* lies in input\.path"):
            check_apart(photos, out, state)


@pytest.mark.parametrize("scheme", ["file://", "file:", "local://"])
@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_an_output_in_the_input_is_seen_behind_a_url(scheme: str, command: str, tmp_path: Path) -> None:
    """file:// and local:// do not lead outputs into the input: nothing is written there, exit code 2."""
    project = Project.make(tmp_path, images=1, output={"path": f"{scheme}{tmp_path}/photos/out"})
    done = project.flatpipe(command)

    assert (done.returncode, done.stdout) == (2, "")
    assert "overlap" in done.stderr
    assert [file.name for file in (tmp_path / "photos").iterdir()] == ["00.png"]


def test_a_run_between_file_urls_is_one_between_folders(tmp_path: Path) -> None:
    """Input, output and ledger as file:// give the run that their paths give, and the next one is up to date."""
    project = Project.make(tmp_path, images=1)
    urls = {"input": {"path": f"file://{tmp_path}/photos"}, "output": {"path": f"file://{tmp_path}/out"}}
    project.configure(**urls, execution={"scheduler": "threads", "workers": 1, "state_path": f"file://{tmp_path}/out"})
    first = project.flatpipe("run")
    project.configure()

    assert first.returncode == 0, first.stderr
    assert (tmp_path / "out" / "images" / "00.png" / "k02.png").exists()
    assert "nothing to do: 1 image up to date" in project.flatpipe("run").stdout


@pytest.mark.parametrize(
    "arguments", [["run"], ["flatten", "photos/00.png", "-o", "memory://out"]], ids=["run", "flatten"]
)
def test_a_command_keeps_no_outputs_in_memory(arguments: list[str], tmp_path: Path) -> None:
    """memory:// is gone when the command ends: it is refused before anything is done."""
    project = Project.make(tmp_path, images=1, output={"path": "memory://out"}, execution={"state_path": "state"})
    flags = ["-s", "execution.state_path=state"] if arguments[0] == "flatten" else []
    done = project.flatpipe(*arguments, *flags)

    assert (done.returncode, done.stdout) == (2, "")
    assert "output.path (memory://out) is gone when this command ends" in done.stderr
    assert not (tmp_path / "state").exists()


def test_outputs_are_not_put_behind_http() -> None:
    """http:// and https:// are read, not written."""
    text = "input: {path: 'https://host/photos'}\noutput: {path: '%s'}\nexecution: {state_path: state}\n"

    assert parse_config(text % "s3://bucket", "c.yaml", "/base").config.input.path == "https://host/photos"
    with pytest.raises(ConfigError, match=r"output\.path: https:// can be read, not written"):
        parse_config(text % "https://host/out", "c.yaml", "/base")


def test_images_named_one_by_one_may_be_file_urls(tmp_path: Path) -> None:
    """`flatpipe flatten` and the API read file:// as the path that it is; unknown URLs are refused."""
    project = Project.make(tmp_path, images=1)
    url = f"file://{tmp_path}/photos/00.png"
    done = project.flatpipe("flatten", url, "-k", "2")
    refused = project.flatpipe("flatten", "ftp://host/a.png")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "flat" / "images" / "00.png" / "k02.png").exists()
    assert (flatpipe.flatten(url, 2).flat == flatpipe.flatten(tmp_path / "photos" / "00.png", 2).flat).all()
    assert refused.returncode == 2
    assert "ftp:// is not supported" in refused.stderr
    with pytest.raises(ConfigError, match="ftp:// is not supported"):
        flatpipe.flatten("ftp://host/a.png", 2)


def test_a_folder_is_compared_with_itself_behind_a_url(tmp_path: Path) -> None:
    """`flatpipe diff` takes file:// for the folder that it is."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"a")
    counts = Compared()

    assert list(compare(f"file://{tmp_path}", str(tmp_path), counts)) == []
    assert counts.files == 1
