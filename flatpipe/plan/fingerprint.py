"""What an output was made of, besides the image's content: every choice that can change a byte, and its digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from flatpipe.quantize.options import FlattenOptions
from flatpipe.settings import TaskSettings
from flatpipe.versions import CAPTIONS, CLUSTERING, DECODING, DITHERING, ENCODING, KNEE, OKLAB, PALETTES, PICTURES

Choices = dict[str, Any]

_LONG = {
    "animation": "animation settings changed",
    "chart": "chart changed",
    "fixed": "fixed colours changed",
    "ks": "k range changed",
    "named": "names of colours changed",
}
# ^ choices whose values are too long to be told
_BEFORE: Choices = {"chart": [], "fixed": [], "match": None, "dither": "none"}
# ^ how colours were found and given before there was a choice
_ALL_WRITTEN: Choices = {"flats": "all"}
# ^ which flats were written before there was a choice
_LATER = ("encoding", "shared", "dither", "flats")
# ^ choices that a flat image depends on, and the palette does not that it is given


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Digests of the current settings, and what each stands for."""

    flat: dict[int, str]
    # ^ by k
    sweep: str
    shared: dict[int, str]
    # ^ of palettes that images share, by k; empty when they share none
    choices: dict[str, Choices]
    # ^ by digest


def fingerprints(settings: TaskSettings, ks: tuple[int, ...]) -> Fingerprints:
    """The digests under which outputs of these settings are recorded."""
    choices: dict[str, Choices] = {}
    for_flats = {k: _remember(flat_choices(settings, k), choices) for k in ks}
    for_sweep = _remember(sweep_choices(settings, ks), choices)
    for_shared = {k: _remember(palette_choices(settings, k), choices) for k in ks if settings.is_shared}
    return Fingerprints(for_flats, for_sweep, for_shared, choices)


def flat_choices(settings: TaskSettings, k: int) -> Choices:
    """Every choice that can change the flat image for k."""
    return {
        "algorithm": CLUSTERING,
        "decoding": DECODING,
        "encoding": ENCODING,
        "k": k,
        "alpha": settings.decode.alpha,
        "truncated": settings.decode.truncated,
        **_colors(settings.flatten),
        **({"shared": True} if settings.is_shared else {}),
        **({"flats": settings.flats} if settings.flats != "all" else {}),
        **_raised(_flat_versions(settings)),
    }


def palette_choices(settings: TaskSettings, k: int) -> Choices:
    """Every choice that can change the palette that images share for k."""
    kept = {name: choice for name, choice in flat_choices(settings, k).items() if name not in _LATER}
    return {**kept, "weigh": settings.weigh}


def _colors(options: FlattenOptions) -> Choices:
    """How colours are found; what came late is absent while it is as before there was a choice."""
    choices = asdict(options)
    choices["chart"], choices["fixed"] = list(options.chart), [asdict(color) for color in options.fixed]
    if options.matched_in == options.space:
        choices["match"] = None
    return {name: value for name, value in choices.items() if name not in _BEFORE or value != _BEFORE[name]}


def sweep_choices(settings: TaskSettings, ks: tuple[int, ...]) -> Choices:
    """Every choice that can change a file that needs all k."""
    flats = flat_choices(settings, 0)
    del flats["k"]
    animation = asdict(settings.animation) if settings.animation.enabled else {"enabled": False}
    for late in ("captions", "fade"):
        if not animation.get(late):
            animation.pop(late, None)
            # ^ as what was made before there was a choice
    report = {"pictures": PICTURES if settings.pictures else 0, "stills": settings.stills}
    best = {"best": settings.target} if settings.target else {}
    named = {"named": [list(color) for color in settings.named]} if settings.named else {}
    # ^ absent rather than empty: what was made before there was a choice stays valid
    chosen = {"ks": list(ks), "animation": animation, "palettes": list(settings.palettes)}
    return {**flats, **chosen, **report, **best, **named, **_late_versions(settings)}


def _late_versions(settings: TaskSettings) -> Choices:
    """Versions of the parts that these settings use and that had none at first; absent while they are 1."""
    versions = {
        **_flat_versions(settings),
        "knee": KNEE if settings.target or settings.pictures or settings.flats == "best" else 1,
        "captions": CAPTIONS if settings.animation.enabled and settings.animation.captions else 1,
        "palettes": PALETTES,
    }
    return _raised(versions)


def _flat_versions(settings: TaskSettings) -> dict[str, int]:
    """The same of the parts that flat images are made with."""
    options = settings.flatten
    return {
        "oklab": OKLAB if options.space == "oklab" else 1,
        "dithering": DITHERING if options.dither != "none" else 1,
    }


def _raised(versions: dict[str, int]) -> Choices:
    raised = {part: version for part, version in versions.items() if version > 1}
    return {"versions": raised} if raised else {}


def changed(before: Choices, after: Choices) -> str:
    """In words, what differs: `solver changed: sklearn -> multilevel`."""
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    words = []
    for name in names:
        if name in _LONG:
            words.append(_LONG[name])
        elif name == "versions":
            words += _parts_raised(before.get(name, {}), after.get(name, {}))
        elif name == "best":
            words.append(f"best k {_said(before, name)} -> {_said(after, name)}")
        else:
            earlier, now = (choices.get(name, {**_BEFORE, **_ALL_WRITTEN}.get(name)) for choices in (before, after))
            words.append(f"{name} changed: {earlier} -> {now}")
    return ", ".join(words) or "settings changed"


def _parts_raised(before: Choices, after: Choices) -> list[str]:
    """`knee 1 -> 2`: which parts of flatpipe have another version."""
    versions = {part: (before.get(part, 1), after.get(part, 1)) for part in sorted({*before, *after})}
    return [f"{part} {earlier} -> {now}" for part, (earlier, now) in versions.items() if earlier != now]


def _said(choices: Choices, name: str) -> str:
    return str(choices.get(name, "not asked for"))


def _remember(choices: Choices, by_digest: dict[str, Choices]) -> str:
    digest = hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()[:16]
    by_digest[digest] = choices
    return digest
