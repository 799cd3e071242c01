"""Results as Hypothesis draws them: odd names and notes, any numbers, groups that share palettes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from builders_report import HOSTILE_NAMES
from hypothesis import strategies as st

from flatpipe.records import FlattenResult, ImageResult, ImageSource, LoadToken
from flatpipe.settings import TaskSettings

MEASURES = ("ssim", "ciede2000", "own_mse")
texts = st.text(st.sampled_from('ab,"\n\r;/ é=\udce9'), min_size=1, max_size=8)
names = st.one_of(st.sampled_from(HOSTILE_NAMES), texts.filter(lambda name: os.fsencode(name) != b""))
mses = st.one_of(st.just(0.0), st.integers(0, 1 << 30).map(lambda sum_: sum_ / 4096), st.floats(0, 195075))
values = st.one_of(st.none(), st.floats(-1, 100), st.just(-float("inf")))
measures = st.dictionaries(st.sampled_from(MEASURES), values).map(lambda taken: tuple(taken.items()))


@dataclass(frozen=True)
class GroupedImage:
    """An image with the group that it shares palettes with; None: it shares with none."""

    result: ImageResult
    group: str | None


@st.composite
def results(draw: st.DrawFn) -> ImageResult:
    """An image with flats of some k."""
    name = draw(names)
    token = LoadToken(name, "content", draw(st.integers(1, 9999)), 7, 5, tuple(draw(st.lists(texts, max_size=2))))
    flats = tuple(
        FlattenResult(name, k, k, draw(mses), ("#0a0b0c",), (9,), 77, "ab", draw(st.floats(0, 9)), draw(measures))
        for k in sorted(draw(st.sets(st.integers(2, 15), max_size=5)))
    )
    return ImageResult(ImageSource(name, f"/photos/{name}", 1, "s"), token, flats)


@st.composite
def colorings(draw: st.DrawFn) -> GroupedImage:
    """An image, of a group or of none, whose flats have different colours, some of them unused."""
    image, colors = draw(results()), ("#0a0b0c", "#ff0000", "#00ff00", "#0000ff")
    flats = []
    for flat in image.flats:
        palette = tuple(draw(st.lists(st.sampled_from(colors), min_size=1, max_size=4, unique=True)))
        weights = tuple(draw(st.lists(st.integers(0, 1 << 40), min_size=len(palette), max_size=len(palette))))
        flats.append(replace(flat, palette=palette, weights=weights))
    group = draw(st.one_of(st.none(), st.just(""), texts))
    return GroupedImage(replace(image, flats=tuple(flats)), group)


def name_of(one: GroupedImage) -> str:
    """Its id."""
    return one.result.source.image_id


def group_of(one: GroupedImage) -> str | tuple[str]:
    """What tells its group from others; of an image that shares with none, itself."""
    return (name_of(one),) if one.group is None else one.group


chosen = st.builds(
    TaskSettings,
    output=st.just("/out"),
    name_width=st.sampled_from([2, 3]),
    target=st.sampled_from(["", "knee", "psnr>=30"]),
    metrics=st.sampled_from([(), ("ssim",), MEASURES]),
)
