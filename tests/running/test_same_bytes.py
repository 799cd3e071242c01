"""The promise of equal bytes, held on what can be varied here: processor features, compiler target, Python version.

Compiling for a generic processor takes a minute of CPU: that one process does so for all is held here, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import noisy_pixels, write_image
from commands import Project
from PIL import Image

from flatpipe.work.kernels import PARTS

ROOT = Path(__file__).parents[2]
PROGRAM = """
import flatpipe, sys
for name, *overrides in (
    ("rgb", "report.stills=true", "output.palettes=[gpl, ase, aco, css, hex]", "animation.fade=2"),
    ("oklab", "flatten.space=oklab", "flatten.alpha=#336699", "animation.format=apng", "animation.captions=true"),
    ("textbook", "flatten.solver=textbook", "flatten.k=3", "animation.enabled=false"),
):
    summary = flatpipe.run("pipeline.yaml", [*overrides, f"output.path={sys.argv[1]}-{name}"])
    assert summary.exit_code == 0, summary
"""
ASKED = """
from flatpipe.engines import compiling
compile_kernels = compiling.compile_kernels
def told(tell, stop):
    print(len(compiling.missing_parts()), flush=True)
    compile_kernels(tell, stop)
compiling.compile_kernels = told
compiling.compile_kernels_here()
print(len(compiling.missing_parts()), flush=True)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A PNG, a JPEG and a PNG with opacity, larger than their sweep; done as this machine does it, below plain-*."""
    project = Project.make(
        tmp_path_factory.mktemp("bytes"), images=1, flatten={"k": "2,7,16"}, animation={"max_side": 64}
    )
    write_image(project.folder / "photos" / "soft.jpg", seed=5, height=120, width=160)
    opacity = np.repeat(np.arange(90, dtype=np.uint8)[:, None] * 2, 70, axis=1)
    Image.fromarray(np.dstack([noisy_pixels(90, 70), opacity])).save(project.folder / "photos" / "clear.png")
    _run(project, "plain")
    return project


def _run(project: Project, out: str, python: str = sys.executable, **environment: str) -> None:
    """Run the program in the project's folder, with another environment or Python."""
    done = subprocess.run(
        [python, "-c", PROGRAM, out],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _assert_same(project: Project, out: str) -> None:
    for name, files in (("rgb", 3 * (3 + 2 + 2 + 15)), ("oklab", 3 * (3 + 2)), ("textbook", 3 * 2)):
        expected = project.digests(f"plain-{name}")
        assert len(expected) == files
        assert project.digests(f"{out}-{name}") == expected


@pytest.fixture
def kernel_cache(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where numba keeps what a test compiles: kept between runs, because compiling takes 20 seconds."""
    cache = getattr(request.config, "cache", None)
    if cache is None:
        return tmp_path
    return Path(cache.mkdir(f"numba-{request.function.__name__}"))


def test_an_older_processor_gives_the_same_bytes(project: Project) -> None:
    """Without AVX2 and AVX-512 in NumPy, with BLAS's oldest kernels on four threads, and without SIMD in JPEG."""
    features = np._core._multiarray_umath  # type: ignore[attr-defined]
    chosen = [name for name in features.__cpu_dispatch__ if features.__cpu_features__[name]]
    if not chosen:
        pytest.skip("this processor has no more than NumPy's baseline")
    _run(
        project, "old",
        NPY_DISABLE_CPU_FEATURES=" ".join(chosen), OPENBLAS_CORETYPE="Prescott", JSIMD_FORCENONE="1",
        OMP_NUM_THREADS="4", OPENBLAS_NUM_THREADS="4",
    )  # fmt: skip

    _assert_same(project, "old")


@pytest.fixture(scope="module")
def generic(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of processes that compile for a generic processor; nothing is compiled for it yet."""
    folder = tmp_path_factory.mktemp("generic")
    return {"NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(folder / "cache"), "TMPDIR": str(folder)}


def test_of_workers_that_start_at_once_one_compiles(generic: dict[str, str]) -> None:
    """With an empty cache, one of three processes compiles every part; the others wait and find all of them."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **generic}
    command = [sys.executable, "-c", ASKED]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    found = sorted(tuple(map(int, worker.communicate(timeout=200)[0].split())) for worker in workers)

    assert found == [(0, 0), (0, 0), (len(PARTS), 0)]


def test_kernels_for_any_processor_give_the_same_bytes(project: Project, generic: dict[str, str]) -> None:
    """Compiled for a generic processor rather than this one, the kernels find the same colours."""
    _run(project, "generic", **generic)

    assert any(Path(generic["NUMBA_CACHE_DIR"]).rglob("*.kernel"))
    _assert_same(project, "generic")


def test_another_python_gives_the_same_bytes(project: Project, kernel_cache: Path) -> None:
    """Python 3.13 (FLATPIPE_OTHER_PYTHON, with the same libraries) writes what this Python writes."""
    python = os.environ.get("FLATPIPE_OTHER_PYTHON")
    if not python:
        pytest.skip("FLATPIPE_OTHER_PYTHON names no other Python with flatpipe's libraries (.ci/run makes one)")
    _run(project, "other", python, NUMBA_CACHE_DIR=str(kernel_cache))

    _assert_same(project, "other")
