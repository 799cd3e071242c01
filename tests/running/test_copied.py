"""Images whose bytes are known: whatever was moved, renamed or packed anew is copied, not made again."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_builders import parquet_of
from builders import noisy_pixels, write_image
from commands import Project
from PIL import Image

import flatpipe
from flatpipe.records import ImageSource
from flatpipe.work import image_work

MANY = {
    "flatten": {"k": "auto", "auto": {"max": 4}},
    "output": {"path": "out", "palettes": ["gpl"]},
    "report": {"stills": True},
    "execution": {"scheduler": "synchronous"},
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three small images with all that an image may get."""
    return Project.make(tmp_path, **MANY)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of all images that are decoded."""
    seen, load_image = list[str](), image_work.load_image

    def load(source, settings, decoding):  # type: ignore[no-untyped-def]
        seen.append(source.image_id)
        return load_image(source, settings, decoding)

    monkeypatch.setattr(image_work, "load_image", load)
    return seen


def run(project: Project, *overrides: str, force: bool = False) -> flatpipe.RunSummary:
    """What a run comes to, in this process."""
    return flatpipe.run(project.folder / "pipeline.yaml", overrides, force=force)


def is_as_fresh(project: Project, *overrides: str) -> bool:
    """Whether lock and files of today's images are those of a fresh run."""
    shutil.rmtree(project.folder / "fresh", ignore_errors=True)
    run(project, *overrides, "output.path=fresh")
    before, now = project.digests("fresh"), project.digests()
    pictures = {path.name: path.read_bytes() for path in (project.folder / "fresh/gallery/pictures").rglob("*.*")}
    ours = {path.name: path.read_bytes() for path in (project.out / "gallery/pictures").rglob("*.*")}
    locks = [(project.folder / out / "flatpipe.lock").read_bytes() for out in ("fresh", "out")]
    return locks[0] == locks[1] and before.items() <= now.items() and pictures.items() <= ours.items()


def packed(photos: Path, name: str, order: Callable[[list[Path]], list[Path]] = sorted) -> None:
    """Pack the images of a folder beside it, each with bytes of its own before it, and drop them."""
    files = order(list(photos.glob("*.png")))
    if name.endswith(".zip"):
        with zipfile.ZipFile(photos / name, "w") as archive:
            for file in files:
                archive.write(file, file.name)
    else:
        with tarfile.open(photos / name, "w") as tar:
            for file in files:
                tar.add(file, file.name)
    for file in files:
        file.unlink()


def _renamed(photos: Path) -> None:
    for file in photos.glob("*.png"):
        (photos / "moved").mkdir(exist_ok=True)
        file.rename(photos / "moved" / f"new {file.name}")


def _tar_renamed(photos: Path) -> None:
    (photos / "old.tar").rename(photos / "new.tar")


def _tar_repacked(photos: Path) -> None:
    with tarfile.open(photos / "old.tar") as tar:
        tar.extractall(photos, filter="data")
    (photos / "old.tar").unlink()
    packed(photos, "other.tar", lambda files: sorted(files, reverse=True))


MOVES = {
    "photographs moved": ("", _renamed),
    "a folder packed": ("", lambda photos: packed(photos, "photos.zip")),
    "a tar renamed": ("old.tar", _tar_renamed),
    "a tar repacked": ("old.tar", _tar_repacked),
}


@pytest.mark.parametrize(("archive", "move"), MOVES.values(), ids=MOVES)
def test_what_was_moved_is_copied(
    archive: str, move: Callable[[Path], None], project: Project, decoded: list[str]
) -> None:
    """No image is decoded and no k found; lock and files are a fresh run's, and hold against their inputs."""
    photos = project.folder / "photos"
    if archive:
        packed(photos, archive)
    run(project)
    move(photos)
    decoded.clear()
    moved = run(project)

    assert (moved.done, moved.pairs, moved.exit_code) == (3, 0, 0)
    assert dict(moved.reasons) == {"same bytes as another image": 3}
    assert decoded == []
    assert run(project).current == 3
    assert is_as_fresh(project)


@pytest.mark.parametrize("name", ["k03.png", "sweep.gif", "best.png"])
@pytest.mark.parametrize(
    "damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"x")], ids=["gone", "other"]
)
def test_what_is_damaged_is_made_anew(
    name: str, damage: Callable[[Path], object], project: Project, decoded: list[str]
) -> None:
    """A file of the other image that is gone, or has other bytes, is copied by nobody."""
    run(project)
    damage(project.out / "images" / "00.png" / name)
    (project.folder / "photos" / "00.png").rename(project.folder / "photos" / "zz.png")
    decoded.clear()

    assert run(project).done == 1
    assert decoded == ["zz.png"]
    assert is_as_fresh(project)


def test_an_image_that_changes_in_the_same_run_is_no_source(project: Project) -> None:
    """Of two images that take each other's bytes, and of one that took another's, all come out as in a fresh run."""
    run(project)
    photos = project.folder / "photos"
    (photos / "00.png").rename(photos / "aside.png")
    (photos / "01.png").rename(photos / "00.png")
    (photos / "aside.png").rename(photos / "01.png")
    shutil.copy(photos / "02.png", photos / "03.png")
    write_image(photos / "02.png", seed=50)

    assert run(project).exit_code == 0
    assert is_as_fresh(project)


def test_copies_within_a_first_run_and_forced_ones_are_made(project: Project, decoded: list[str]) -> None:
    """An empty ledger is asked for nothing, and --force trusts nothing that is there."""
    photos = project.folder / "photos"
    shutil.copy(photos / "00.png", photos / "copy.png")

    assert run(project).pairs == 4 * 3
    shutil.copy(photos / "00.png", photos / "later.png")
    decoded.clear()
    assert run(project, force=True).pairs == 5 * 3
    assert len(decoded) == 5


def test_a_first_run_reads_no_row_to_plan(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a table's rows nobody knows the size, and while nothing is recorded none is read to be compared."""
    pytest.importorskip("pyarrow")
    photos = project.folder / "photos"
    contents = {file.name: file.read_bytes() for file in sorted(photos.glob("*.png"))}
    for file in photos.glob("*.png"):
        file.unlink()
    (photos / "rows.parquet").write_bytes(parquet_of(contents))
    compared = list[ImageSource]()
    monkeypatch.setattr("flatpipe.storage.reading.source_digest", lambda source, _: compared.append(source) or "")

    assert run(project).done == 3
    assert compared == []


def test_other_settings_and_measures_are_not_copied(project: Project) -> None:
    """What the other image got under other settings, or without a measure that is asked for, serves nobody."""
    run(project)
    (project.folder / "photos" / "00.png").rename(project.folder / "photos" / "zz.png")

    assert run(project, "flatten.seed=1").pairs == 3 * 3
    (project.folder / "photos" / "zz.png").rename(project.folder / "photos" / "yy.png")
    assert run(project, "flatten.seed=1", "output.metrics=[mse, psnr, ssim]").pairs == 3 * 3


def test_what_is_to_be_copied_is_told(project: Project) -> None:
    """`plan -v` names the other image, `run --json` too."""
    project.flatpipe("run")
    (project.folder / "photos" / "00.png").rename(project.folder / "photos" / "zz.png")
    planned = project.flatpipe("plan", "-v").stdout
    done = project.flatpipe("run", "--json").stdout

    assert "zz.png: same bytes as 00.png\n" in planned
    assert '"same_as": "00.png"' in done


def test_shared_palettes_are_copied_where_they_are_the_same(project: Project, decoded: list[str]) -> None:
    """A moved image keeps the flats of the palette that its group still has; in another group it is made."""
    shared = "palette.scope=folder"
    run(project, shared)
    photos = project.folder / "photos"
    (photos / "00.png").rename(photos / "zz.png")

    assert run(project, shared).pairs == 0
    assert is_as_fresh(project, shared)
    (photos / "apart").mkdir()
    (photos / "zz.png").rename(photos / "apart" / "zz.png")
    assert run(project, shared).pairs >= 3
    assert is_as_fresh(project, shared)


def test_frames_stand_for_the_same_frames(project: Project, decoded: list[str]) -> None:
    """Of a file that was moved each frame gets the outputs of its own number, though all have the same bytes."""
    frames = [Image.fromarray(noisy_pixels(seed=seed)) for seed in (7, 8)]
    photos = project.folder / "photos"
    frames[0].save(photos / "two.gif", save_all=True, append_images=frames[1:])
    run(project, "input.frames=all")
    (photos / "two.gif").rename(photos / "zwei.gif")
    decoded.clear()

    assert run(project, "input.frames=all").pairs == 0
    assert decoded == []
    assert is_as_fresh(project, "input.frames=all")


@pytest.mark.parametrize("name", ["zz.png", "01b.png"])
def test_shards_give_what_was_moved_to_other_shards(name: str, project: Project, decoded: list[str]) -> None:
    """Where numbers shift, and the shard that holds the outputs is packed anew, they are copied before it goes."""
    shards = ("output.layout=shards", "output.shard_size=2")
    for number in (3, 4):
        write_image(project.folder / "photos" / f"{number:02d}.png", seed=number)
    run(project, *shards)
    (project.folder / "photos" / "00.png").rename(project.folder / "photos" / name)
    decoded.clear()

    assert run(project, *shards).pairs == 0
    assert decoded == []
    assert run(project, *shards).current == 5
    run(project, "output.path=tree", "report.enabled=false")
    assert (project.out / "flatpipe.lock").read_bytes() == (project.folder / "tree" / "flatpipe.lock").read_bytes()
    assert not list(project.out.rglob("*pieces*/*"))
