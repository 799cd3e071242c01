"""What is shipped: the wheel and the sdist, built from this checkout without a network."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from flatpipe import __version__
from flatpipe.config import schema_text

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    _run("build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    return folder


def _run(module: str, *arguments: str) -> str:
    """What `python -m MODULE ARGUMENTS` printed; it must end well."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _names(built: Path) -> tuple[set[str], set[str]]:
    """Files of the wheel, and of the sdist below its folder."""
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive, tarfile.open(sdist) as source:
        inside = {member.name.partition("/")[2] for member in source.getmembers() if member.isfile()}
        return set(archive.namelist()), inside


def test_the_checkers_find_nothing(built: Path) -> None:
    """twine (strict) and check-wheel-contents accept both archives."""
    _run("twine", "check", "--strict", *map(str, built.iterdir()))
    _run("check_wheel_contents", *map(str, built.glob("*.whl")))


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    """Every file of flatpipe/ is in it: schema, templates, static files and py.typed too; no tests, no data."""
    wheel, _ = _names(built)
    ours = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "flatpipe").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert {name for name in wheel if ".dist-info/" not in name} == ours
    assert {Path(name).suffix for name in ours} == {".py", ".typed", ".json", ".css", ".js", ".html", ".gpl"}
    assert any(name.endswith("licenses/LICENSE") for name in wheel)


def test_the_sdist_holds_what_a_build_needs_and_no_tests_or_data(built: Path) -> None:
    """Beside the package stand readme, licence, citation, changelog, the reference config and pyproject.toml."""
    _, sdist = _names(built)
    beside = {name for name in sdist if not name.startswith("flatpipe/")}

    assert beside == {
        *("README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "pipeline.yaml", "pyproject.toml"),
        *("PKG-INFO", ".gitignore"),
    }


def test_the_metadata_says_what_a_user_must_know(built: Path) -> None:
    """Version, licence, Python, summary and readme are there; the version is that of the package and the citation."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        metadata = Parser().parsestr(archive.read(f"flatpipe-{__version__}.dist-info/METADATA").decode())
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert (metadata["Version"], metadata["License-Expression"]) == (__version__, "MIT")
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra")) == {"heif", "video", "s3", "gs", "az", "jobqueue", "parquet", "ssh"}
    assert metadata.get_payload().startswith("# flatpipe\n")
    assert {"cff-version", "message", "title", "authors"} < set(citation)
    assert (citation["version"], citation["license"]) == (__version__, "MIT")


def _pins(lock: str) -> dict[str, list[tuple[str, int]]]:
    """Of each package of a lock file its versions, each with how many hashes it may have."""
    pins: dict[str, list[tuple[str, int]]] = {}
    for block in re.split(r"\n(?=\w)", (ROOT / lock).read_text(encoding="utf-8")):
        name, version = re.match(r"([\w.-]+)==([^ ;\\]+)", block).groups()  # type: ignore[union-attr]
        pins.setdefault(canonicalize_name(name), []).append((version, block.count("--hash=sha256:")))
    return pins


def _wanted() -> dict[str, list[str]]:
    """Requirements of pyproject.toml by the lock that must hold them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core, groups = project["project"]["dependencies"], project["dependency-groups"]
    extras = project["project"]["optional-dependencies"]
    return {
        "requirements.lock": [*core, *extras["heif"]],
        "requirements-extras.lock": [*core, *chain.from_iterable(extras.values())],
        "requirements-build.lock": [*project["build-system"]["requires"], *groups["build"]],
        "requirements-dev.lock": [*core, *groups["dev"]],
        "requirements-bench.lock": groups["bench"],
    }


@pytest.mark.parametrize("lock", _wanted())
def test_a_lock_holds_every_requirement_with_hashes(lock: str) -> None:
    """What is asked for, extras and the build included, is pinned within its bounds, and no file is without a hash."""
    pins = _pins(lock)
    for requirement in map(Requirement, _wanted()[lock]):
        versions = [version for version, _ in pins[canonicalize_name(requirement.name)]]
        assert all(map(requirement.specifier.contains, versions)), requirement

    assert all(hashes for versions in pins.values() for _, hashes in versions)


def test_locks_agree() -> None:
    """A package that stands in several locks has the same versions in each, so that they can be installed together."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for lock in _wanted():
        for name, versions in _pins(lock).items():
            found.setdefault(name, set()).add(tuple(sorted(version for version, _ in versions)))

    assert {name: versions for name, versions in found.items() if len(versions) > 1} == {}


def test_what_the_wheel_holds_runs(built: Path, tmp_path: Path) -> None:
    """Unpacked outside the checkout, its command works, and finds the config's model and the report's templates."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = (
        "import sys; sys.path.insert(0, 'site')\n"
        "import flatpipe.report.gallery, jinja2; from flatpipe.cli import main\n"
        "assert flatpipe.__file__.startswith(sys.argv.pop()), flatpipe.__file__\n"
        "jinja2.Environment(loader=jinja2.PackageLoader('flatpipe.report')).get_template('index.html')\n"
        "main()"
    )
    for argument, printed in (("--version", f"version {__version__}\n"), ("schema", schema_text())):
        command = [sys.executable, "-P", "-c", program, argument, str(tmp_path)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(printed)
