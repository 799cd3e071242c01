"""The packages whose versions matter: one list, which run.json, the lock and the check of workers read."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from builders import write_image

import flatpipe
from flatpipe import environment
from flatpipe.config import default_config
from flatpipe.engines.clusters.preflight import software
from flatpipe.plan.workspace import open_workspace
from flatpipe.proof.lock import lock_header
from flatpipe.running.one_picture import kind_of

ROOT = Path(__file__).parent.parent


def _versions_in_the_lock(folder: Path, *overrides: str) -> set[str]:
    """Names of the packages in a lock's head under these settings; Pillow's codecs are no packages."""
    config = default_config(str(ROOT / "data"), (f"output.path={folder}/out", *overrides))
    with open_workspace(config, "read") as workspace:
        names = {
            line.removeprefix("version.") for line in lock_header(workspace.fingerprints) if line.startswith("version.")
        }
    return {name for name in names if not name.startswith("pillow.")} - {"flatpipe"}


def test_one_list_serves_the_record_the_lock_and_the_workers(monkeypatch, tmp_path: Path) -> None:
    """A package added to the list stands in run.json, in the lock, and in what workers are compared by."""
    monkeypatch.setitem(environment.PACKAGES, "click", "images")
    version = metadata.version("click")

    assert environment.environment()["packages"]["click"] == version
    assert software.__wrapped__()["click"] == version
    assert "click" in _versions_in_the_lock(tmp_path)


@pytest.mark.parametrize(("overrides", "more"), [
    ((), set()),
    (("flatten.solver=sklearn",), {"scikit-learn"}),
    (("animation.format=webp",), {"imageio"}),
    (("animation.format=webp", "animation.enabled=false"), set()),
], ids=str)  # fmt: skip
def test_a_lock_names_what_can_change_its_bytes(overrides: tuple[str, ...], more: set[str], tmp_path: Path) -> None:
    """The lock has the packages that its settings use, and none that cannot change a byte."""
    assert _versions_in_the_lock(tmp_path, *overrides) == {"numba", "numpy", "pillow", "pillow-heif"} | more


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="the extra `video` is not installed")
def test_the_lock_of_videos_names_their_codecs(tmp_path: Path) -> None:
    """PyAV, and the libraries of FFmpeg that it brings; a GIF needs none of them."""
    libraries = {f"av.{name}" for name in ("libavcodec", "libavfilter", "libavformat", "libswscale")}
    assert libraries | {"av"} < _versions_in_the_lock(tmp_path, "animation.format=mp4")
    assert not any(name.startswith("av") for name in _versions_in_the_lock(tmp_path))


def test_a_video_that_cannot_be_written_is_refused_before_the_first_image(monkeypatch, tmp_path: Path) -> None:
    """Without PyAV a run, and the API, say what to install; where no animation is made nothing is missing."""
    monkeypatch.setitem(environment.PACKAGES, "av", "video")
    monkeypatch.setattr(environment, "_installed", lambda name: None if name == "av" else metadata.version(name))
    photo, out = write_image(tmp_path / "in" / "a.png"), tmp_path / "out"
    config = default_config(str(photo.parent), (f"output.path={out}", "animation.format=webm", "flatten.k=2"))
    with pytest.raises(flatpipe.ConfigError, match=r"animation\.format: webm is .* pip install 'flatpipe\[video\]'"):
        flatpipe.run(config)
    with pytest.raises(flatpipe.ConfigError, match=r"mp4 is written with PyAV"):
        flatpipe.sweep(photo, [2]).save(tmp_path / "a.mp4")
    with pytest.raises(flatpipe.ConfigError, match=r"a\.webm: webm is written with PyAV"):
        kind_of("a.webm")
    assert not out.exists()
    assert environment.missing_codecs("webp") == ""


def test_a_package_that_is_not_installed_is_left_out(monkeypatch) -> None:
    """Without pillow-heif there is no version to tell, and flatpipe works."""
    found = metadata.version

    def version(name: str) -> str:
        if name == "pillow-heif":
            raise metadata.PackageNotFoundError(name)
        return found(name)

    monkeypatch.setattr(environment.metadata, "version", version)

    assert environment.versions_for({"images", "heif"}).keys() == {"numba", "numpy", "pillow"}
    assert "dask" in environment.package_versions()


def test_every_package_of_the_list_is_a_dependency() -> None:
    """What matters is what pyproject.toml asks for; HEIF and videos alone are extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[\[>= ]", line)[0] for line in project["dependencies"]}
    extra = {re.split(r"[\[>= ]", line)[0] for lines in project["optional-dependencies"].values() for line in lines}
    assert environment.PACKAGES.keys() - needed == {"pillow-heif", "av"} <= extra
