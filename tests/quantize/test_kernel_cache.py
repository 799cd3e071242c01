"""Kernels on disk: kept where that is possible, used only when whole and of these sources."""

from __future__ import annotations

import errno
import os
import pickle
import re
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import llvmlite
import numba
import numpy as np
import pytest

import flatpipe
from flatpipe.quantize import compiled, kernel_cache
from flatpipe.quantize.compiled import kernel
from flatpipe.quantize.kernel_cache import KernelFolder
from flatpipe.quantize.machine_code import compiler_versions
from flatpipe.work.kernels import PARTS, keeping, missing_parts

PACKAGE = Path(flatpipe.__file__).parent
KERNEL_FILES = sorted(
    path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if "\n@kernel\n" in path.read_text(encoding="utf-8")
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where kernels are kept during a test."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path


def called():
    """A kernel that is new to this process, called once: its result, and whether it came from the cache."""

    @kernel
    def doubled(number):
        return 2 * number

    return doubled(21), not doubled.compiled


def kept(folder):
    return list(folder.rglob("*.kernel"))


def test_a_kernel_is_compiled_once_and_kept_in_one_file(folder):
    """The first process compiles and writes one file, the next finds it; nothing else is left behind."""
    assert called() == (42, False)
    assert called() == (42, True)
    assert [path for path in folder.rglob("*") if path.is_file()] == kept(folder)
    assert len(kept(folder)) == 1


def _of_a_class_that_is_gone():
    return b"\x80\x04\x8c\x18flatpipe.quantize.levels\x8c\x06Points\x93."


def _flipped(content):
    return content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :]


@pytest.mark.parametrize(
    "damaged",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: b"not a kernel at all" * 1000,
        lambda content: content[:32] + pickle.dumps(("another", "payload")),
        lambda content: content[:32] + _of_a_class_that_is_gone(),
        _flipped,
    ],
    ids=["empty", "cut in the digest", "half", "short", "long", "foreign", "other pickle", "class gone", "one bit"],
)
def test_a_damaged_file_is_replaced(folder, damaged):
    """Whatever stands in the file, the kernel is compiled, works, and is found whole by the process after."""
    called()
    (path,) = kept(folder)
    path.write_bytes(damaged(path.read_bytes()))
    assert called() == (42, False)
    assert called() == (42, True)


def test_a_folder_in_the_files_place_is_no_obstacle(folder):
    """Where the file cannot be read or written, each process compiles for itself."""
    called()
    (path,) = kept(folder)
    path.unlink()
    path.mkdir()
    assert called() == called() == (42, False)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT], ids=errno.errorcode.get)
def test_a_disk_that_takes_nothing_is_no_obstacle(folder, monkeypatch, code):
    """Full, read-only, forbidden, over quota: each process compiles for itself, and no part of a file stays."""

    def refusing(*arguments, **settings):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(kernel_cache.os, "rename", refusing)
    assert called() == called() == (42, False)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_code_that_cannot_be_loaded_is_no_obstacle(folder, monkeypatch):
    """A whole file that LLVM cannot make a function of is passed over."""
    called()

    def refusing(*arguments):
        raise RuntimeError("LLVM ERROR")

    monkeypatch.setattr(compiled, "load_machine_code", refusing)
    assert called() == (42, False)


def test_code_that_needs_what_is_not_there_is_compiled(folder, monkeypatch):
    """Code that calls a function which this process lacks never reaches LLVM, which would end the process."""
    called()
    monkeypatch.setattr(kernel_cache.pickle, "loads", partial(_needing, kernel_cache.pickle.loads))
    assert called() == (42, False)


def _needing(loads, content):
    return replace(loads(content), needs=("no_such_function",))


def test_kernels_work_where_no_cache_can_be_written(monkeypatch):
    """Without any writable folder a kernel still compiles, only without a cache."""
    monkeypatch.setattr(kernel_cache, "_usual_folders", lambda source: ())
    monkeypatch.setattr(kernel_cache, "_temporary_folder", lambda: None)
    assert called() == called() == (42, False)
    assert missing_parts() == list(PARTS)
    assert not keeping().is_possible
    assert "each process compiles anew" in keeping().words


# --- where they lie, and whose that is --------------------------------------------------------------------------------


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Where temporary files lie for a user without a home, whose installation cannot be written to."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(kernel_cache, "_usual_folders", lambda source: [KernelFolder(Path("/proc/flatpipe"))])
    monkeypatch.setattr(kernel_cache.tempfile, "tempdir", str(tmp_path / "temporary"))
    kernel_cache._temporary_folder.cache_clear()
    yield tmp_path / "temporary"
    kernel_cache._temporary_folder.cache_clear()


def test_without_another_place_kernels_are_kept_for_a_while(nowhere):
    """A user without a home compiles once, not at every call: in a folder that is theirs alone, and they are told."""
    assert called() == (42, False)
    kernel_cache._temporary_folder.cache_clear()
    # ^ as in the next process
    assert called() == (42, True)
    (folder,) = nowhere.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert keeping().is_possible
    assert f"is kept in {folder}, while it lasts: " in keeping().words


def _anothers(path):
    os.chown(path, 65534, 65534)


def _open_to_all(path):
    path.chmod(0o777)


def _open_to_the_group(path):
    path.chmod(0o770)


def _a_link(path):
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


INTRUSIONS = [
    pytest.param(_anothers, marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")),
    *(_open_to_all, _open_to_the_group, _a_link),
]


@pytest.mark.parametrize("where", ["folder", "file"])
@pytest.mark.parametrize("intrusion", INTRUSIONS)
def test_code_that_another_user_may_have_put_there_is_not_loaded(intrusion, where, folder):
    """A file or folder that others own or can write to, or a link to one, is passed over, however right it looks."""
    called()
    (path,) = kept(folder)
    assert called() == (42, True)
    intrusion(path if where == "file" else path.parent)
    assert called() == (42, False)


@pytest.mark.parametrize("intrusion", INTRUSIONS)
def test_a_temporary_folder_of_another_is_passed_by(intrusion, nowhere):
    """Whoever makes a folder of such a name first neither gets code in nor keeps this user from a folder."""
    taken = nowhere / "flatpipe-kernels-0"
    taken.mkdir(mode=0o700)
    intrusion(taken)
    found = kernel_cache._temporary_folder()

    assert found is not None
    assert found != taken
    assert found.parent == nowhere
    assert found.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("variables", [{"XDG_CACHE_HOME": "cache"}, {"HOME": "~"}, {"HOME": "here"}])
def test_nothing_is_looked_for_in_the_current_folder(variables, monkeypatch):
    """A home or cache whose path is not absolute is none: the current folder may be anybody's."""
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = list(kernel_cache._usual_folders(PACKAGE / "quantize" / "recolor.py"))

    assert [folder.path for folder in found] == [PACKAGE / "quantize" / "__pycache__"]


def test_processes_that_ask_at_once_all_find_that_a_folder_takes_files(tmp_path):
    """Whoever asks whether a folder can be written to is not disturbed by others who ask; no trace is left."""
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: KernelFolder(tmp_path).can_take(), range(400)))
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_beside_the_sources_is_for_all(tmp_path):
    """Kernels that whoever installed flatpipe compiles can be read by all who use it; in a user's cache by none."""
    before = os.umask(0o002)
    try:
        for is_beside, modes in ((True, (0o775, 0o664)), (False, (0o700, 0o600))):
            folder = tmp_path / f"{is_beside}"
            KernelFolder(folder, is_beside).put("a.kernel", b"code")
            assert tuple(stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "a.kernel")) == modes
    finally:
        os.umask(before)


def test_other_versions_compile_for_themselves(folder, monkeypatch):
    """A file of another numba, LLVM or NumPy is not used, nor one of another Python."""
    assert {numba.__version__, llvmlite.__version__, np.__version__} <= set(re.findall(r"[\w.]+", compiler_versions()))
    called()
    with monkeypatch.context() as other:
        other.setattr(kernel_cache, "compiler_versions", lambda: "1.0")
        assert called() == (42, False)
    with monkeypatch.context() as other:
        other.setattr(kernel_cache.sys.implementation, "cache_tag", "cpython-399")
        assert called() == (42, False)
    assert len(kept(folder)) == 2


def test_every_file_with_a_kernel_is_known():
    """The search below finds the kernels of the core and that of GIF's compression."""
    known = ("quantize/dithering/diffusion.py", "quantize/search/kmeans.py", "encode/lzw.py")
    assert set(map(Path, known)) <= set(KERNEL_FILES)


@pytest.mark.parametrize("edited", KERNEL_FILES, ids=str)
def test_an_edit_makes_all_kernels_that_may_hold_it_stale(edited, tmp_path, monkeypatch):
    """An edit changes the stamp of kernels in its folder and above; one in quantize/ that of every kernel there is."""
    shutil.copytree(PACKAGE, tmp_path / "flatpipe", ignore=shutil.ignore_patterns("__pycache__", "static"))
    monkeypatch.setattr(kernel_cache, "__file__", str(tmp_path / "flatpipe" / "quantize" / "kernel_cache.py"))

    def stamps():
        kernel_cache._digest_of.cache_clear()
        return {path: kernel_cache.stamp_of(tmp_path / "flatpipe" / path) for path in KERNEL_FILES}

    before = stamps()
    with (tmp_path / "flatpipe" / edited).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    after = stamps()
    kernel_cache._digest_of.cache_clear()
    may_hold_it = (
        set(KERNEL_FILES)
        if edited.parts[0] == "quantize"
        else {path for path in KERNEL_FILES if path.parent in edited.parents}
    )
    assert {path for path in KERNEL_FILES if before[path] != after[path]} == may_hold_it


PROGRAMS = {
    "a kernel that another file's calls": (
        "from flatpipe.quantize.outer import doubled; print(doubled())",
        "quantize/inner.py",
        ("return 1", "return 5"),
        ("2", "10"),
    ),
    "a constant of GIF's compression": (
        "import numpy as np; from flatpipe.encode.lzw import lzw_blocks\n"
        "print(len(lzw_blocks(np.random.default_rng(0).integers(0, 256, (99, 99), np.uint8), 256)) > 12_000)",
        "encode/lzw.py",
        ("_MAX_CODES = 4096", "_MAX_CODES = 0x200"),
        ("True", "False"),
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_an_edit_is_compiled_in(case, tmp_path):
    """With a warm cache, an edit elsewhere than in the kernel's own lines counts, whatever the file's date says."""
    program, edited, (old, new), expected = PROGRAMS[case]
    package = tmp_path / "flatpipe"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    head = "from flatpipe.quantize.compiled import kernel\n"
    (package / "quantize/inner.py").write_text(f"{head}\n@kernel\ndef one():\n    return 1\n")
    (package / "quantize/outer.py").write_text(
        f"{head}from flatpipe.quantize.inner import one\n\n@kernel\ndef doubled():\n    return 2 * one()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    def printed():
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert (printed(), printed()) == (expected[0], expected[0])
    times = (package / edited).stat()
    text = (package / edited).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (package / edited).write_text(text.replace(old, new), encoding="utf-8")
    os.utime(package / edited, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert printed() == expected[1]
    assert kept(tmp_path)
