"""Which names a place takes for one: asked with a real file, and told in keys."""

from __future__ import annotations

import itertools
import unicodedata
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from disk_images import exfat_disk
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.layout import is_partial_name
from flatpipe.storage import name_rules
from flatpipe.storage.name_rules import EXACT, NameRules
from flatpipe.storage.roots import open_root

ALL_RULES = [NameRules(*which) for which in itertools.product([False, True], repeat=3)]


class Folder:
    """Names of files, as a file system of some rules keeps them."""

    def __init__(self, rules: NameRules, *, ascii_only: bool = False) -> None:
        self._rules, self._ascii_only = rules, ascii_only
        self.names: list[str] = []
        # ^ as they were written
        self._there: set[str] = set()

    def make(self, path: str) -> None:
        """Make a file; raises OSError for one that cannot be written here."""
        if self._ascii_only and not path.isascii():
            raise OSError(84, "Invalid or incomplete multibyte or wide character")
        self.names.append(path)
        self._there.add(self._stored(path))

    def is_there(self, path: str) -> bool:
        """Whether a file of this name, or one that is the same here, was made."""
        return self._stored(path) in self._there

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._there.remove(self._stored(path))

    def _stored(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        name = "".join(letter.lower() if letter.isascii() else letter for letter in name) if self._rules.case else name
        # ^ case of letters beyond ASCII counts on some systems: what is asked must not depend on it
        name = unicodedata.normalize("NFD", name) if self._rules.spelling else name
        return f"{folder}/{name.rstrip('.') if self._rules.dots else name}"


@pytest.mark.parametrize("rules", ALL_RULES, ids=str)
def test_what_does_not_count_is_found_out(rules: NameRules) -> None:
    """Whatever of case, spelling and dots a place looks past is noticed, and the file by which it is found out goes."""
    folder = Folder(rules)

    assert name_rules.found_rules("out", folder.make, folder.is_there, folder.remove) == rules
    assert not folder._there
    assert all(is_partial_name(name.rpartition("/")[2]) for name in folder.names)


def test_a_place_of_few_letters_is_asked_for_case_alone() -> None:
    """Where the letter cannot be written, case is found out with a plain name."""
    folder = Folder(NameRules(case=True), ascii_only=True)

    assert name_rules.found_rules("out", folder.make, folder.is_there, folder.remove) == NameRules(case=True)
    assert not folder._there


@pytest.mark.parametrize(
    ("one", "other", "needs"),
    [
        ("a.jpg", "A.JPG", {"case"}),
        ("trip/a.jpg", "TRIP/a.jpg", {"case"}),
        ("\u00e9.jpg", "\u00c9.jpg", {"case"}),
        ("stra\u00dfe.jpg", "STRASSE.jpg", {"case"}),
        ("\u212a.jpg", "k.jpg", {"case"}),
        ("\u0131.jpg", "I.jpg", {"case"}),
        ("\u00e9.jpg", "e\u0301.jpg", {"spelling"}),
        ("\u00e9.jpg", "E\u0301.jpg", {"case", "spelling"}),
        ("etc./a.jpg", "etc/a.jpg", {"dots"}),
        ("etc. /a.jpg", "ETC/a.jpg", {"dots", "case"}),
        ("a.jpg", "b.jpg", None),
        ("a/b.jpg", "ab.jpg", None),
        ("../a.jpg", "./a.jpg", None),
    ],
)
def test_names_that_may_be_one_have_one_key(one: str, other: str, needs: set[str] | None) -> None:
    """Two names have one key exactly by rules that look past all in which they differ."""
    for rules in ALL_RULES:
        is_one = needs is not None and all(getattr(rules, need) for need in needs)
        assert (rules.key(one) == rules.key(other)) == is_one, rules


@given(st.text())
def test_every_way_to_shout_a_name_has_its_key(name: str) -> None:
    """Names that differ in case alone, however a system folds it, or in the spelling of their letters, have one key."""
    key = NameRules(case=True).key
    assert key(name) == key(name.upper()) == key(name.casefold()) == key(name.swapcase().upper())
    key = NameRules(case=True, spelling=True).key
    assert key(name) == key(unicodedata.normalize("NFC", name)) == key(unicodedata.normalize("NFD", name).upper())
    assert EXACT.key(name) == name


def _there(folder: Path) -> Path:
    (folder / "out" / "images").mkdir(parents=True)
    return folder / "out"


PLACES: dict[str, Callable[[Path], Path]] = {
    "outputs that are there": _there,
    "none yet": lambda folder: folder / "out",
    "none yet, nor the folder above": lambda folder: folder / "a" / "b" / "out",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["here", "exfat"])
def test_a_real_file_system_is_asked_and_left_as_it_was(kind: str, place: str, tmp_path: Path) -> None:
    """The rules are those of the file system on which the images lie or will lie; nothing is left there."""
    if kind == "here":
        output = PLACES[place](tmp_path)
        before = sorted(tmp_path.rglob("*"))
        assert open_root(str(output)).name_rules() == NameRules(case=(tmp_path / tmp_path.name.upper()).exists())
        assert sorted(tmp_path.rglob("*")) == before
        return
    with exfat_disk(tmp_path) as disk:
        output = PLACES[place](disk)
        before = sorted(disk.rglob("*"))
        assert open_root(str(output)).name_rules() == NameRules(case=True)
        assert sorted(disk.rglob("*")) == before


def test_images_on_a_disk_of_their_own_are_what_counts(tmp_path: Path) -> None:
    """Where `images` lies on another file system than the rest of the output, that one is asked."""
    with exfat_disk(tmp_path) as disk:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "images").symlink_to(disk)
        assert open_root(str(tmp_path / "out")).name_rules().case


def test_a_run_that_writes_meanwhile_is_not_disturbed(tmp_path: Path) -> None:
    """Whoever asks removes nothing from the folder of partial files but what it has put there."""
    half = tmp_path / "out" / "images" / ".partial" / f"flatpipe-{uuid.uuid4().hex}"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    open_root(str(tmp_path / "out")).name_rules()
    assert half.read_bytes() == b"half"


def test_object_stores_take_every_name(tmp_path: Path) -> None:
    """A store is not asked, and nothing is written there."""
    root = open_root(f"memory://{uuid.uuid4().hex}")
    assert root.name_rules() == EXACT
    assert root.sizes("") == {}
