"""docs/architecture.md: the rooms as they are, files that exist, walks that are short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_architecture import GROUND, ROOMS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURE = PAGE.split("```")[1]
FILES = re.findall(r"`([\w/]+\.(?:py|md|yaml))`", PAGE)
WALKS = re.findall(r"^\*\*(A new .*?)(?=\n\n|\Z)", PAGE, re.MULTILINE | re.DOTALL)
DOORS = {"__main__", "__init__"}
INVENTED = {"quantize/search/wu.py", "encode/avif.py"}
# ^ the modules that the walks would add
MOST_FILES, MOST_LINES = 4, 100


def test_the_picture_has_every_room_from_top_to_bottom() -> None:
    """The rooms stand in the order of the table that rules imports, the ground floor and the core below them."""
    rooms = re.findall(r"^(\w+) +\S", PICTURE, re.MULTILINE)
    floors = [room for room in ROOMS if room not in DOORS | GROUND | {"quantize"}]
    ground = re.search(r"^ground (.*?)^quantize", PICTURE, re.MULTILINE | re.DOTALL)

    assert rooms == [*floors, "ground", "quantize"]
    assert ground is not None
    assert set(re.findall(r"\w+", ground[1].partition(":")[2])) == GROUND
    assert {f"{door}.py" for door in DOORS} <= set(FILES)


@pytest.mark.parametrize("name", sorted({*FILES} - INVENTED))
def test_every_file_that_it_names_is_there(name: str) -> None:
    """Each path of the page is a file below flatpipe/, or of the repository."""
    assert any((folder / name).is_file() for folder in (ROOT / "flatpipe", ROOT))


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.partition("**")[0])
def test_a_walk_is_at_most_four_files(walk: str) -> None:
    """A solver, an output format and a cluster class each touch at most four files."""
    assert 2 <= len(set(re.findall(r"`([\w/]+\.(?:py|md))`", walk))) <= MOST_FILES


def test_it_fits_on_a_screen_and_is_linked() -> None:
    """There are three walks on a short page, and README and CONTRIBUTING lead to it."""
    assert len(WALKS) == 3
    assert len(PAGE.splitlines()) <= MOST_LINES
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "(docs/architecture.md)" in (ROOT / page).read_text(encoding="utf-8")
