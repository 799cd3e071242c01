"""One picture named by its file: the very bytes of a run, and nothing else written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import write_image
from commands import Project

from flatpipe.storage import partial


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two images, and what a run makes of one of them in three ways."""
    project = Project(tmp_path_factory.mktemp("one"))
    for seed, name in enumerate(("a.png", "b.png")):
        write_image(project.folder / name, seed=seed)
    settings = ("-s", "output.palettes=[gpl]", "-s", "animation.format=webp")
    assert project.flatpipe("flatten", "a.png", "-k", "auto", "-o", "all", *settings).returncode == 0
    assert (
        project.flatpipe("flatten", "a.png", "-k", "auto", "-o", "oklab", "-s", "flatten.space=oklab").returncode == 0
    )
    assert project.flatpipe("flatten", "a.png", "-o", "gif").returncode == 0
    return project


@pytest.mark.parametrize(("arguments", "file"), [
    (("-k", "5", "-o", "1/flat.png"), "all/images/a.png/k05.png"),
    (("-o", "2.PNG"), "all/images/a.png/best.png"),
    (("-k", "5", "-o", "3.png", "-s", "flatten.space=oklab"), "oklab/images/a.png/k05.png"),
    (("-o", "4.webp"), "all/images/a.png/sweep.webp"),
    (("-o", "5.gif", "-j", "1"), "gif/images/a.png/sweep.gif"),
    (("-k", "5", "-o", "6.gpl"), "all/images/a.png/k05.gpl"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")  # fmt: skip
def test_a_picture_has_the_bytes_of_a_run(arguments: tuple[str, ...], file: str, project: Project) -> None:
    """A flat, the suggested one, a sweep or a palette, as its name says: that file is written, and no other."""
    before = {path for path in project.folder.rglob("*") if path.is_file()}
    done = project.flatpipe("flatten", "a.png", *arguments)
    written = {path for path in project.folder.rglob("*") if path.is_file()} - before
    name = arguments[arguments.index("-o") + 1]

    assert (done.returncode, written) == (0, {project.folder / name}), done.stderr
    assert (project.folder / name).read_bytes() == (project.folder / file).read_bytes()
    assert done.stdout.startswith(f"{name}: k = ")
    assert done.stdout.count("\n") == 1


def test_a_picture_tells_what_it_is(project: Project) -> None:
    """In words its k, quality, size; with --json file, PSNR and colours too."""
    said = project.flatpipe("flatten", "a.png", "-k", "3", "-o", "told.png").stdout
    told = json.loads(project.flatpipe("flatten", "a.png", "-k", "3", "-o", "told.png", "--json", "--force").stdout)
    (flat,) = told["flats"]

    assert said == f"told.png: k = 3, PSNR {flat['psnr']:.1f} dB, 32 x 24, {told['bytes']} bytes\n"
    assert (told["event"], told["file"], told["width"], told["failure"]) == ("picture", "told.png", 32, None)
    assert (flat["k"], len(flat["colors"])) == (3, flat["n_colors"])


@pytest.mark.parametrize(("arguments", "words"), [
    ("a.png b.png -k 3 -o x.png", "x.png is one picture, and several images are named: -o FOLDER takes any number"),
    ("a.png -k 2-4 -o x.png", "x.png is one picture, and flatten.k asks for 3: name one k, auto, or a folder"),
    ("a.png -o x.jpg", "x.jpg: flat pictures are no .jpg, which would bring other colours: .png, .gif, .webp, "),
    ("a.png -k 3 -o b.png", "b.png is there already; --force writes over it"),
    ("a.png -k 3 -o a.png --force", "a.png is the image itself, which is never written to: name another file"),
    ("a.png -k 3 -o a.png/x.png", "a.png/x.png: cannot be written: "),
    ("none.png -o x.png", "none.png: no such file or folder"),
])  # fmt: skip
def test_what_cannot_be_one_picture_is_told(arguments: str, words: str, project: Project) -> None:
    """Each refusal is one line that names the way out, and no image is touched."""
    before = {path: path.read_bytes() for path in project.folder.glob("*.png")}
    done = project.flatpipe("flatten", *arguments.split(), "-q")

    assert done.returncode in (2, 3)
    assert done.stderr.startswith("flatpipe: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in project.folder.glob("*.png")} == before


def test_an_image_that_fails_has_no_picture(project: Project) -> None:
    """Exit 1, the reason and what to do about it; nothing is written."""
    (project.folder / "bad.jpg").write_bytes(b"nothing")
    done = project.flatpipe("flatten", "bad.jpg", "-k", "3", "-o", "none.png", "-q")
    told = json.loads(project.flatpipe("flatten", "bad.jpg", "-k", "3", "-o", "none.png", "--json").stdout)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "failed: bad.jpg: text, not an image (not-an-image)\nno picture inside; input.exclude leaves such files out\n"
    )
    assert (told["failure"]["error"], told["flats"]) == ("not-an-image", [])
    assert not (project.folder / "none.png").exists()


def test_a_folder_may_be_called_like_a_picture(project: Project) -> None:
    """A folder that is there, or a name with / behind it, takes results of any number of images."""
    (project.folder / "old.png").mkdir()
    for output in ("old.png", "new.png/"):
        assert project.flatpipe("flatten", "a.png", "b.png", "-k", "2", "-o", output).returncode == 0
        assert (project.folder / output / "index.html").is_file()


def test_the_picture_comes_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves what was there, and no partial file."""
    (tmp_path / "flat.png").write_bytes(b"old")

    def fail(self: Path, target: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        partial.write_alone(str(tmp_path / "flat.png"), b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["flat.png"]
    assert (tmp_path / "flat.png").read_bytes() == b"old"
