"""What an output was made of, besides the image's content: every choice that can change a byte, and its digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from flatpipe.records import TaskSettings
from flatpipe.versions import CLUSTERING, DECODING, ENCODING, PICTURES

Choices = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Digests of the current settings, and what each stands for."""

    flat: dict[int, str]
    # ^ by k
    sweep: str
    choices: dict[str, Choices]
    # ^ by digest


def fingerprints(settings: TaskSettings, ks: tuple[int, ...]) -> Fingerprints:
    """The digests under which outputs of these settings are recorded."""
    choices: dict[str, Choices] = {}
    for_flats = {k: _remember(flat_choices(settings, k), choices) for k in ks}
    for_sweep = _remember(sweep_choices(settings, ks), choices)
    return Fingerprints(for_flats, for_sweep, choices)


def flat_choices(settings: TaskSettings, k: int) -> Choices:
    """Every choice that can change the flat image for k."""
    return {
        "algorithm": CLUSTERING,
        "decoding": DECODING,
        "encoding": ENCODING,
        "k": k,
        "alpha": settings.decode.alpha,
        "truncated": settings.decode.truncated,
        **asdict(settings.flatten),
    }


def sweep_choices(settings: TaskSettings, ks: tuple[int, ...]) -> Choices:
    """Every choice that can change a file that needs all k."""
    flats = flat_choices(settings, 0)
    del flats["k"]
    animation = asdict(settings.animation) if settings.animation.enabled else {"enabled": False}
    if not settings.animation.captions:
        animation.pop("captions", None)
        # ^ as what was made before there were captions
    report = {"pictures": PICTURES if settings.pictures else 0, "stills": settings.stills}
    best = {"best": settings.target} if settings.target else {}
    # ^ absent rather than empty: what was made before there was a choice stays valid
    return {**flats, "ks": list(ks), "animation": animation, "palettes": list(settings.palettes), **report, **best}


def changed(before: Choices, after: Choices) -> str:
    """In words, what differs: `solver changed: sklearn -> multilevel`."""
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    words = []
    for name in names:
        if name == "ks":
            words.append("k range changed")
        elif name == "animation":
            words.append("animation settings changed")
        elif name == "best":
            words.append(f"best k {_said(before, name)} -> {_said(after, name)}")
        else:
            words.append(f"{name} changed: {before.get(name)} -> {after.get(name)}")
    return ", ".join(words) or "settings changed"


def _said(choices: Choices, name: str) -> str:
    return str(choices.get(name, "not asked for"))


def _remember(choices: Choices, by_digest: dict[str, Choices]) -> str:
    digest = hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()[:16]
    by_digest[digest] = choices
    return digest
