"""The section on palettes: what it takes, what it refuses and where, and how many colours come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flatpipe.config import Config, parse_config
from flatpipe.errors import ConfigError
from flatpipe.plan.palettes.colors import flatten_options, ks_of, named_colors


def config_of(tmp_path: Path, palette: str, flatten: str = "{}") -> Config:
    """The config with these sections, in a folder that has a chart of four colours, one of them twice."""
    (tmp_path / "four.hex").write_text("000000\n555555\naaaaaa\nffffff\n000000\n")
    text = f"input: {{path: photos}}\nflatten: {flatten}\npalette: {palette}\n"
    return parse_config(text, "c.yaml", str(tmp_path)).config


REFUSED = {
    "a colour without quotes": ("{fixed: [null]}", "palette.fixed.0: must be a colour"),
    "three digits": ("{fixed: ['#fff']}", "palette.fixed.0: must be a colour"),
    "an unknown key of a colour": ("{fixed: [{hex: '#000000', nam: x}]}", "palette.fixed.0.nam: unknown key"),
    "a colour twice": ("{fixed: ['#000000', '#000000']}", "palette.fixed.1: #000000 is given twice"),
    "two colours in a row": (
        "{fixed: [{hex: '#000000', index: 1}, {hex: '#ffffff', index: 1}]}",
        "two colours have the same index",
    ),
    "scope and groups": ("{scope: folder, groups: {a: '*'}}", "palette.groups: scope and groups are given"),
    "a group that is no folder's name": ("{groups: {'a/b': '*'}}", "palette.groups.a/b: is no name for a group"),
    "nothing to freeze": ("{frozen: true}", "palette.frozen: only palettes that images share can be frozen"),
    "a word for scope": ("{scope: album}", "palette.scope: must be image, folder or collection, not 'album'"),
}


@pytest.mark.parametrize(("palette", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_at_its_place(palette: str, words: str, tmp_path: Path) -> None:
    """Each mistake is one error that names the key and what is allowed."""
    with pytest.raises(ConfigError) as refused:
        config_of(tmp_path, palette)
    assert words in str(refused.value)


KS = {
    "a chart has no more colours": ("{from: four.hex}", "{k: 2-15}", (2, 3, 4)),
    "the whole chart": ("{from: four.hex}", "{k: all}", (4,)),
    "a fixed colour beside the chart": ("{from: four.hex, fixed: '#ff0000'}", "{k: all}", (5,)),
    "no fewer than are fixed": ("{fixed: ['#000000', '#ffffff', '#ff0000']}", "{k: 2-5}", (3, 4, 5)),
    "auto of a chart": ("{from: four.hex}", "{k: auto}", (2, 3, 4)),
}


@pytest.mark.parametrize(("palette", "flatten", "ks"), KS.values(), ids=KS)
def test_k_goes_no_further_than_the_colours(palette: str, flatten: str, ks: tuple[int, ...], tmp_path: Path) -> None:
    """Ks beyond what a chart has, or below what is fixed, come down or up to it."""
    assert ks_of(config_of(tmp_path, palette, flatten)) == ks


NOT_TOGETHER = {
    "all of nothing": ("{}", "{k: all}", "flatten.k: all takes the whole of palette.from"),
    "a row beyond k": ("{fixed: {hex: '#000000', index: 7}}", "{k: 4-9}", "palette.fixed: index 7 needs more than 4"),
    "a solver that moves all": ("{fixed: '#000000'}", "{solver: textbook}", "flatten.solver: textbook moves every"),
    "no such file": ("{from: none.gpl}", "{}", "palette.from: "),
    "no such chart": ("{from: pico8}", "{}", "did you mean pico-8?"),
}


@pytest.mark.parametrize(("palette", "flatten", "words"), NOT_TOGETHER.values(), ids=NOT_TOGETHER)
def test_what_does_not_go_together_is_said(palette: str, flatten: str, words: str, tmp_path: Path) -> None:
    """Ks, charts and fixed colours that contradict one another are an error at the key."""
    config = config_of(tmp_path, palette, flatten)
    with pytest.raises(ConfigError) as refused:
        ks_of(config)
    assert words in str(refused.value)


def test_names_and_rows_come_from_fixed_colours_and_charts(tmp_path: Path) -> None:
    """A fixed colour brings its name and row; of a chart's colours those with a name are known."""
    fixed = "{from: game-boy, fixed: {hex: '#FF0000', name: red, code: '7', index: 0}}"
    config = config_of(tmp_path, fixed)
    options, named = flatten_options(config), named_colors(config)
    assert [(color.color, color.row) for color in options.fixed] == [("#ff0000", 0)]
    assert (named[0].hex, named[0].name, named[0].code) == ("#ff0000", "red", "7")
    assert set(options.chart) >= {color.hex for color in named[1:]}
