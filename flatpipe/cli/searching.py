"""The command that finds images by their colours: search."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flatpipe import layout
from flatpipe.cli.options import A_PATH, CHANGES, Finite, PlaceChoice, gathered
from flatpipe.cli.sentences.searching import match_rows, searched_text
from flatpipe.cli.showing.json_lines import print_json
from flatpipe.cli.showing.speaking import remark
from flatpipe.errors import ConfigError, ExitCode
from flatpipe.places import is_local, is_url, place_of

if TYPE_CHECKING:
    from flatpipe.features.search import ColorQuery, Searched
    from flatpipe.features.searched import SearchedRows

_DEFAULT_PLACE = "pipeline.yaml"
_PARQUET = ".parquet"


@dataclass(frozen=True, slots=True)
class SearchFlags:
    """What is looked for beside the colours, and how it is told."""

    overrides: tuple[str, ...]
    profile: str | None
    k: int | None
    within: float | None
    share: float
    limit: int
    as_json: bool


@click.command(short_help="Find images by their colours.")
@click.argument("words", metavar="COLOR... [PLACE]", nargs=-1, required=True, type=A_PATH)
@gathered(
    SearchFlags,
    "flags",
    *CHANGES,
    click.option("--k", type=click.IntRange(1), metavar="N", help="Look at this k; default: each image's suggested k."),
    click.option("--within", type=Finite(0), metavar="DISTANCE", help="Farthest distance that counts."),
    click.option(
        "--share",
        type=Finite(0, 1),
        metavar="MIN",
        default=0.0,
        help="Least part of the image that each colour must cover: 0.1 is a tenth.",
    ),
    click.option(
        "--limit", type=click.IntRange(1), metavar="N", default=20, show_default=True, help="At most N images."
    ),
    click.option("--json", "as_json", is_flag=True, help="One JSON line per image, then the totals."),
)
def search(words: tuple[str, ...], flags: SearchFlags) -> ExitCode:
    """Find images that have a colour, the best first; of several colours those that have all of them.

    COLOR is #2244aa, 2244aa, #24a or a CSS name; PLACE is a config (default: pipeline.yaml), an output folder, or a
    features.parquet. The colour of each image's palette that is nearest in OKLab is told, and how much of the image it
    covers; 0.02 is a distance that an eye can just tell. The ledger is read where it is there, else features.parquet.
    Exit code 0 also when no image is found.

    \b
    Examples:
      flatpipe search '#2244aa' outputs
      flatpipe search gold navy outputs --share 0.1 --within 0.1
      flatpipe search 2244aa features.parquet --k 7 --json
    """
    from flatpipe.features.search import ColorQuery
    from flatpipe.features.search import search as search_in

    asked = _asked(words)
    query = ColorQuery(asked.colors, flags.within, flags.share, flags.limit)
    with _searched_rows(asked.place, flags) as rows:
        found = search_in(rows, query)
    _tell(found, query, as_json=flags.as_json)
    return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Asked:
    """The words of the command line, told apart."""

    colors: tuple[str, ...]
    # ^ "#rrggbb", each once
    place: str


def _asked(words: tuple[str, ...]) -> _Asked:
    """Which words are colours, and which the place is: the last may be; raises ConfigError."""
    from flatpipe.features.asked import color_of, meant

    colors = {color: None for word in words if (color := color_of(word)) is not None}
    others = [word for word in words if color_of(word) is None]
    place = others[0] if others and others[0] == words[-1] else _DEFAULT_PLACE
    wrong = [word for word in others if word != place or not (is_url(word) or os.path.lexists(word))]
    if wrong or not colors:
        word = [*wrong, *others][0]
        kinds = "neither a colour nor a place" if word == words[-1] and colors else "no colour"
        raise ConfigError(f"'{word}' is {kinds}: a colour is #rrggbb or a CSS name{meant(word)}")
    return _Asked(tuple(colors), place)


@contextlib.contextmanager
def _searched_rows(place: str, flags: SearchFlags) -> Iterator[Iterator[SearchedRows]]:
    """The palettes of a place: from the ledger when it is there, else from features.parquet; raises ConfigError."""
    from flatpipe.features.searched import rows_of_file, rows_of_ledger
    from flatpipe.plan.workspace import open_workspace

    if not _is_table(place):
        chosen = PlaceChoice(place, flags.overrides, flags.profile)
        with open_workspace(chosen.config(), "read", named=()) as workspace:
            if workspace.ledger.planned_counts().images:
                yield rows_of_ledger(workspace.results, workspace.settings, flags.k)
                return
            place = workspace.outputs.place
    table = _table_at(place_of(place, Path.cwd()))
    with _local(table) as path:
        yield rows_of_file(path, table, flags.k)


def _is_table(place: str) -> bool:
    """Whether a place is a features.parquet, or an output with nothing else to ask: behind a URL, without a ledger."""
    folder = Path(place)
    is_alone = (folder / layout.FEATURES).is_file() and not (folder / layout.LEDGER).is_file()
    return not is_local(place) or place.endswith(_PARQUET) or is_alone


def _table_at(place: str) -> str:
    return place if place.endswith(_PARQUET) else f"{place.rstrip('/')}/{layout.FEATURES}"


@contextlib.contextmanager
def _local(table: str) -> Iterator[str]:
    """The path of a table on this machine's disk, where one behind a URL lies as long as the context lasts."""
    from flatpipe.storage.roots import open_root

    folder, _, name = table.rpartition("/")
    with tempfile.TemporaryDirectory(prefix="flatpipe-") as own:
        path = f"{own}/{name}" if is_url(table) else table
        try:
            is_there = open_root(folder).fetch(name, path) if is_url(table) else Path(path).is_file()
        except OSError as error:
            raise ConfigError(f"{table}: it cannot be read: {error.strerror or error}") from error
        if not is_there:
            raise ConfigError(f"{table}: there is no such file, and no ledger: output.features: true writes it")
        yield path


def _tell(found: Searched, query: ColorQuery, *, as_json: bool) -> None:
    from flatpipe.cli.showing.swatches import print_table

    if not as_json:
        if found.matches:
            print_table([*match_rows(found.matches)])
        remark(searched_text(found))
        return
    for match in found.matches:
        row, colors = asdict(match.row), [asdict(color) for color in match.colors]
        print_json({"event": "match", **row, "distance": match.distance, "colors": colors})
    asked = [
        {"hex": color, "oklab": place.tolist()} for color, place in zip(query.colors, query.oklab_floats, strict=True)
    ]
    print_json({"event": "search", "matches": len(found.matches), "palettes": found.palettes, "colors": asked})
