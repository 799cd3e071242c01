"""Images found by their colours, held against a plain walk over all palettes; from the ledger and the file alike."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from builders_report import BuiltRun, built_run
from hypothesis import given, settings
from hypothesis import strategies as st
from result_strategies import GroupedImage, colorings, group_of, name_of

from flatpipe import environment, layout
from flatpipe.errors import ConfigError
from flatpipe.features import searched
from flatpipe.features.asked import color_of, meant
from flatpipe.features.search import ColorQuery, Match, search
from flatpipe.features.searched import SearchedRows, rows_of_file, rows_of_ledger
from flatpipe.features.writing import write_features
from flatpipe.records import FlattenResult, ImageResult, ImageSource, LoadToken
from flatpipe.settings import TaskSettings

ASKED = TaskSettings("/out", features=True)
queries = st.builds(
    ColorQuery,
    colors=st.lists(st.sampled_from(["#0a0b0c", "#fe0102", "#00ff00", "#2244aa", "#7f7f7f"]), min_size=1, max_size=3,
                    unique=True).map(tuple),
    within=st.one_of(st.none(), st.sampled_from([0.0, 0.01, 0.2, 0.5])),
    share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    limit=st.integers(1, 5),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(colorings(), max_size=6, unique_by=(name_of, group_of)), queries, st.sampled_from([None, 2, 7]))
def test_a_search_finds_what_a_walk_over_all_palettes_finds(
    images: list[GroupedImage], query: ColorQuery, k: int | None
) -> None:
    """The best matches come first, ties by id, whatever is asked for, and however many rows are read at once."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(searched, "_ROWS_AT_ONCE", 2)
        run = built_run(Path(folder))
        for one in images:
            run.store(one.result, one.group)
        write_features(run.results, run.outputs, ASKED)
        rows = list(_suggested_or(run, k))
        found = search(rows_of_ledger(run.results, ASKED, k), query)
        again = search(rows_of_file(f"{run.outputs.place}/{layout.FEATURES}", "table", k), query)
        run.ledger.close()
    assert found == again
    assert found.palettes == len(rows)
    assert [_told(match) for match in found.matches] == list(_brute(rows, query))
    for match in found.matches:
        assert match.distance == max(color.distance for color in match.colors)
        assert [color.asked for color in match.colors] == list(query.colors)


@pytest.mark.parametrize(("query", "found"), [
    (ColorQuery(("#0a0b0c",), share=0.5), ["#0a0b0c"]),
    (ColorQuery(("#0a0b0c",), within=0.0), ["#0a0b0c"]),
    (ColorQuery(("#00ff00",), within=0.1), []),
], ids=["share", "distance", "nothing"])  # fmt: skip
def test_what_is_just_enough_counts(query: ColorQuery, found: list[str], tmp_path: Path) -> None:
    """The least share and the farthest distance that are asked for count; a colour that no pixel has does not."""
    run = built_run(tmp_path)
    palette, weights = ("#0a0b0c", "#00ff00", "#ff0000"), (9, 0, 9)
    flat = FlattenResult("a.png", 2, 3, 1.0, palette, weights, 7, "ab")
    source = ImageSource("a.png", "/photos/a.png", 1, "s")
    run.store(ImageResult(source, LoadToken("a.png", "content", 3, 6, 3), (flat,)))
    matches = search(rows_of_ledger(run.results, ASKED, None), query).matches
    assert [near.hex for match in matches for near in match.colors] == found


def _suggested_or(run: BuiltRun, k: int | None) -> Iterator[dict[str, Any]]:
    """The rows of results.csv that are looked at, by the way of the file that the other tests hold to it."""
    table = pyarrow.parquet.read_table(f"{run.outputs.place}/{layout.FEATURES}")
    return (row for row in table.to_pylist() if (row["suggested"] if k is None else row["k"] == k))


def _brute(rows: Sequence[dict[str, Any]], query: ColorQuery) -> Iterator[tuple[Any, ...]]:
    """What should be found: id, k, file, then for each colour what it was found to be."""
    matches = []
    for row in rows:
        palette = list(zip(row["palette"], row["shares"], strict=True))
        there = [(color, share) for color, share in palette if share > 0 and share >= np.float32(query.share)]
        near = [min(there, key=lambda one: _squared(one[0], asked), default=None) for asked in query.colors]
        if None in near:
            continue
        gaps = [_squared(one[0], asked) for one, asked in zip(near, query.colors, strict=True)]
        if query.within is None or max(gaps) <= (query.within * 32768) ** 2:
            found = [(one[0], one[1], math.sqrt(gap) / 32768) for one, gap in zip(near, gaps, strict=True)]
            image_id = row["image"] if row["image_bytes"] is None else row["image_bytes"]
            matches.append((max(gaps), (image_id, row["k"], row["file"], found)))
    matches.sort(key=lambda match: match[0])
    return (match for _, match in matches[: query.limit])


def _told(match: Match) -> tuple[Any, ...]:
    try:
        image_id: str | bytes = match.row.image.encode().decode()
    except UnicodeEncodeError:
        image_id = match.row.image.encode("utf-8", "surrogateescape")
    return (
        *(image_id, match.row.k, match.row.file),
        [(near.hex, near.share, near.distance) for near in match.colors],
    )


def _squared(color: str, other: str) -> int:
    return sum((a - b) ** 2 for a, b in zip(_whole_oklab(color), _whole_oklab(other), strict=True))


def _whole_oklab(color: str) -> list[int]:
    """Oklab in whole 1/32768, by its author's own formulas."""
    levels = [level / 255 for level in bytes.fromhex(color[1:])]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    cones = [
        math.cbrt(sum(part * level for part, level in zip(row, linear, strict=True)))
        for row in (
            (0.4122214708, 0.5363325363, 0.0514459929),
            (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        )
    ]
    rows = (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
    return [round(32768 * sum(part * cone for part, cone in zip(row, cones, strict=True))) for row in rows]


@pytest.mark.parametrize(("word", "color"), [
    ("#2244aa", "#2244aa"), ("2244AA", "#2244aa"), ("#24A", "#2244aa"), ("rebeccaPurple", "#663399"),
    ("light blue", "#add8e6"), ("24a", None), ("#2244a", None), ("#2244aab", None), ("bleu", None), ("", None),
    ("#ggg", None), ("1122334", None),
])  # fmt: skip
def test_colours_are_known_as_people_write_them(word: str, color: str | None) -> None:
    """A colour is six hex digits, with # or without, three with it, or a CSS name; nothing else is one."""
    assert color_of(word) == color


def test_a_mistyped_name_is_told() -> None:
    """What is near to the name of a colour is asked back; what is near to none is not."""
    assert meant("turquose") == "; did you mean turquoise?"
    assert meant("outputs") == ""


@pytest.mark.parametrize(("change", "words"), [
    ("no parquet", "cannot be read as features.parquet"),
    ("no column", "no features.parquet: 1 column not there: shares"),
    ("no hex", "cannot be read as features.parquet"),
    ("too few shares", "not as many shares as colours"),
])  # fmt: skip
def test_a_file_that_is_none_is_refused(change: str, words: str, tmp_path: Path) -> None:
    """A file that is broken, or no table of ours, ends the search in one sentence that names it."""
    path = tmp_path / layout.FEATURES
    columns = {
        "image": ["a"], "image_bytes": [None], "k": [2], "palette": [["#000000", "#ffffff"]], "shares": [[0.5, 0.5]],
        "suggested": [True], "file": [None],
    }  # fmt: skip
    if change == "no column":
        del columns["shares"]
    if change == "no hex":
        columns["palette"] = [["#zzzzzz", "#ffffff"]]
    if change == "too few shares":
        columns["shares"] = [[1.0]]
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    if change == "no parquet":
        path.write_bytes(b"PAR1 and no more")
    with pytest.raises(ConfigError, match=f"/here: .*{words}"):
        search(rows_of_file(str(path), "/here", None), ColorQuery(("#000000",)))


def test_rows_without_colours_and_nulls_match_nothing(tmp_path: Path) -> None:
    """Palettes that are empty or null, as another program may have written them, are passed over between others."""
    path = tmp_path / layout.FEATURES
    palettes, shares = [[], ["#0000ff"], None, ["#0000f0"], []], [[], [1.0], None, [1.0], []]
    table = {"image": [*"abcde"], "image_bytes": [None] * 5, "k": [2] * 5, "file": [None] * 5}
    columns = {**table, "palette": palettes, "shares": shares, "suggested": [True] * 5}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    found = search(rows_of_file(str(path), "table", 2), ColorQuery(("#0000ff",)))
    assert [match.row.image for match in found.matches] == ["b", "d"]


def test_without_pyarrow_a_file_is_not_read(monkeypatch) -> None:
    """Who has no pyarrow is told what to install."""
    monkeypatch.setattr(environment, "_installed", lambda _: None)
    rows: Iterator[SearchedRows] = rows_of_file("nowhere", "/here", None)
    with pytest.raises(ConfigError, match=r"/here needs pyarrow.*pip install 'flatpipe\[parquet\]'"):
        next(rows)
