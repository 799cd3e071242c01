"""Records as rows of the ledger, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flatpipe.ledger.rows import flat_of, flat_row, from_sql, planned_of, planned_row, to_sql
from flatpipe.records import FlattenResult, ImageSource, PlannedImage

names = st.binary(min_size=1).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
sources = st.builds(ImageSource, names, names, st.integers(0, 2**40), st.text(), st.integers(0, 9))
colors = st.integers(0, 2**24 - 1).map(lambda color: f"#{color:06x}")


@given(names)
def test_any_file_name_survives_the_ledger(name: str) -> None:
    """A name that is not valid UTF-8 comes back with all its bytes."""
    assert from_sql(to_sql(name)) == name


@given(st.builds(PlannedImage, sources, st.lists(st.integers(1, 256)).map(tuple), st.booleans(), st.text()))
def test_a_planned_image_comes_back_from_its_row(image: PlannedImage) -> None:
    """What is planned is what the driver reads back."""
    assert planned_of(planned_row(image)) == image


@given(names, st.lists(st.tuples(colors, st.integers(0, 2**40)), max_size=9), st.floats(0, 1e6))
def test_a_flat_comes_back_from_its_row(name: str, painted: list[tuple[str, int]], mse: float) -> None:
    """Palette, weights and measures of a flat image are what was recorded."""
    palette, weights = tuple(color for color, _ in painted), tuple(weight for _, weight in painted)
    flat = FlattenResult(name, 7, len(painted), mse, palette, weights, 123, "ab" * 32, 0.5, (("ssim", 0.9),))
    assert flat_of(flat_row(flat, "settings", "content")) == flat
