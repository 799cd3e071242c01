"""palettes.json."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flatpipe.encode.palettes import PaletteEntry, palettes_json
from flatpipe.palettes.palette import Palette, PaletteColor


def test_palettes_json_tells_colors_descent_shares_and_mse() -> None:
    """Each k has its colours in order, with shares and what they come from, and its mse, by k."""
    entries = [
        PaletteEntry(3, ("#000000", "#ffffff"), (0.25, 0.75), (1, 3), 12.34567891),
        PaletteEntry(2, ("#808080",), (1.0,), (4,), 0.0),
    ]
    content = palettes_json("trips/é \udcff.jpg", entries)
    document = json.loads(content)
    assert document["image"] == "trips/é \udcff.jpg"
    assert document["palettes"] == [
        {"k": 2, "n_colors": 1, "mse": 0.0, "colors": [{"hex": "#808080", "share": 1.0}]},
        {
            "k": 3,
            "n_colors": 2,
            "mse": 12.345679,
            "colors": [
                {"hex": "#000000", "share": 0.25, "parent": 0, "new": True},
                {"hex": "#ffffff", "share": 0.75, "parent": 0, "new": False},
            ],
        },
    ]
    assert content == palettes_json("trips/é \udcff.jpg", entries[::-1])


def test_a_share_missing_is_an_error() -> None:
    """Colours and shares are never paired short."""
    with pytest.raises(ValueError, match="shorter"):
        palettes_json("a.png", [PaletteEntry(2, ("#000000", "#ffffff"), (1.0,), (1, 1), 0.0)])


def test_names_and_codes_stand_with_their_colors() -> None:
    """A colour that is known brings its name and code, as far as it has them; where none is known nothing changes."""
    known = Palette((PaletteColor.of_hex("#000000", 'Bl"ack', "DMC 310"), PaletteColor.of_hex("#ffffff", "White")))
    entry = PaletteEntry(3, ("#000000", "#808080", "#ffffff"), (0.5, 0.25, 0.25), (2, 1, 1), 0.0, known)
    content = palettes_json("a.png", [entry])

    assert json.loads(content)["palettes"][0]["colors"] == [
        {"hex": "#000000", "share": 0.5, "name": 'Bl"ack', "code": "DMC 310"},
        {"hex": "#808080", "share": 0.25},
        {"hex": "#ffffff", "share": 0.25, "name": "White"},
    ]
    assert b"name" not in palettes_json("a.png", [replace(entry, known=None)])
