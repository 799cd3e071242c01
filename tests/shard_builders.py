"""Shards as tests make, find, verify and clean them."""

from __future__ import annotations

import io
import tarfile
from contextlib import closing
from pathlib import Path

from commands import Project

from flatpipe.cli.sentences.proving import difference_text
from flatpipe.config import Config, load_config
from flatpipe.plan.workspace import open_workspace
from flatpipe.proof.cleaning import Cleaning, forget, remove, stale_files
from flatpipe.proof.listed_input import ListedInput
from flatpipe.proof.outputs import recorded_images
from flatpipe.proof.packs.verified import VerifiedPacks
from flatpipe.proof.verify import Verified, invalidate, verify

SIZE = 4


def shards_of(names: list[str], tree: Path, size: int = SIZE) -> dict[str, bytes]:
    """The oracle: shards of the images of these ids, packed by tarfile from a tree's files, in the tasks' order."""
    return {f"{first // size:06d}.tar": _archive(names, first, size, tree) for first in range(0, len(names), size)}


def _archive(names: list[str], first: int, size: int, tree: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, name in enumerate(names[first : first + size], first):
            folder = tree / "images" / name
            for file in sorted(folder.iterdir(), key=_place) if folder.is_dir() else ():
                described = tarfile.TarInfo(f"{number:06d}.{file.name}")
                described.size = file.stat().st_size
                archive.addfile(described, io.BytesIO(file.read_bytes()))
        end = archive.offset
    return packed.getvalue()[:end] + bytes(1024) if end else b""


def _place(file: Path) -> tuple[int, str]:
    """Flats come first, palettes.json last."""
    return (0 if file.name.startswith("k") else 2 if file.suffix == ".json" else 1, file.name)


def found(project: Project, out: str = "out") -> dict[str, bytes]:
    """The shards that are there; nothing else may lie beside them, nor a piece be left."""
    assert not (project.folder / out / ".pieces").exists()
    return {path.name: path.read_bytes() for path in sorted((project.folder / out / "shards").iterdir())}


def config_of(project: Project, *overrides: str) -> Config:
    """The project's config, with shards; the overrides come last."""
    shards = ("output.layout=shards", f"output.shard_size={SIZE}")
    return load_config(project.folder / "pipeline.yaml", (*shards, *overrides))


def names_of(project: Project) -> list[str]:
    """The images' ids, in their order."""
    return sorted(path.name for path in (project.folder / "photos").iterdir())


def verified(project: Project, *overrides: str) -> list[str]:
    config = config_of(project, *overrides)
    with open_workspace(config, "amend", named=()) as workspace:
        packs = VerifiedPacks(workspace.ledger, workspace.outputs, workspace.settings.name_width)
        differences = list(packs.look(2))
        images = recorded_images(workspace.ledger, workspace.results, config)
        counts = Verified()
        differences += verify(images, workspace.outputs, counts, 2, inputs=None, packs=packs)
        invalidate(workspace.ledger, differences)
    return [difference_text(difference) for difference in differences]


def clean(config: Config) -> None:
    with open_workspace(config, "amend") as workspace, closing(ListedInput(config)) as listed:
        ledger, outputs = workspace.ledger, workspace.outputs
        for file in list(stale_files(ledger, outputs, listed, workspace.ks, Cleaning())):
            assert file.is_ours, file
            remove(outputs, file)
        forget(ledger, listed, workspace.ks)
