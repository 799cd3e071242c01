"""Whatever stands in a config, the answer is a Config or a ConfigError."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from flatpipe.config import Config, parse_config, resolved_yaml
from flatpipe.errors import ConfigError

PIPELINE = (Path(__file__).parents[2] / "pipeline.yaml").read_text(encoding="utf-8")
BARE = "\n".join(line for line in (line.partition(" #")[0].rstrip() for line in PIPELINE.splitlines()) if line)
# ^ without its comments: mutations of comments find nothing

TOKENS = [
    *("", "null", "true", "no", "-1", "0", "1e999", ".nan", "0x1f", "2-15", "5%", "4 GiB", "10min", "''", '"', "'"),
    *("[]", "{}", "[", "}", ",", ":", ": ", "- ", "#", "&a ", "*a", "<<: *a", "!!str ", "!!python/name:x ", "|", ">"),
    *("---", "...", "%YAML 1.1", "\t", "\n", "\r", "\x85", " ", "\0", "\x7f", "\ufeff", "\ud800", "é", "𝄞", "${HOME}"),
    *("${NOT_SET_1}", "$${A}", "@", "`", "?", "? ", "~", "profiles:", "profiles: {a: {flatten: {k: 3}}}", "s3://a/b"),
    *('"\\ud800"', '"\\0"', "9" * 400, "-" * 50, "cluster: {class: os.system}", "address: tcp://a:1"),
]  # fmt: skip


def _mutated(text: str, chance: random.Random) -> str:
    """The text after one to four random changes."""
    for _ in range(chance.randint(1, 4)):
        lines = text.split("\n")
        row = chance.randrange(len(lines))
        at = chance.randrange(len(text) + 1)
        kind = chance.randrange(8)
        if kind == 0:
            del lines[row]
        elif kind == 1:
            lines.insert(chance.randrange(len(lines) + 1), lines[row])
        elif kind == 2:
            lines[row] = " " * chance.randrange(5) + lines[row].strip()
        elif kind == 3:
            lines[row] = lines[row].partition(":")[0] + ": " + chance.choice(TOKENS)
        elif kind == 4:
            lines[row] = chance.choice(TOKENS) + lines[row]
        if kind < 5:
            text = "\n".join(lines)
        elif kind == 5:
            text = text[:at] + chance.choice(TOKENS) + text[at:]
        elif kind == 6:
            text = text[:at] + text[at + chance.randrange(1, 8) :]
        else:
            text = text[:at] + chr(chance.choice([chance.randrange(32, 127), chance.randrange(0x3000)])) + text[at:]
    return text


def _outcome(text: str, overrides: tuple[str, ...] = ()) -> str:
    try:
        loaded = parse_config(text, "c.yaml", "/base", overrides)
    except ConfigError as error:
        return "error" if str(error) else "silence"
    assert isinstance(loaded.config, Config)
    again = parse_config(resolved_yaml(loaded), "resolved.yaml", "/elsewhere").config
    assert again.as_json() == loaded.config.as_json()
    return "config"


@pytest.mark.parametrize("part", range(4))
def test_a_thousand_mutations_of_the_reference_config(part: int) -> None:
    """Mutations of pipeline.yaml end in a Config, whose resolved form is the same config, or in a ConfigError."""
    outcomes = Counter(_outcome(_mutated(BARE, random.Random(seed))) for seed in range(part * 250, part * 250 + 250))

    assert outcomes.keys() == {"config", "error"}
    assert min(outcomes["config"], outcomes["error"]) > 25


def test_mutations_of_the_commented_config() -> None:
    """Mutations of the whole file, comments and all, end in a Config or a ConfigError."""
    for seed in range(60):
        _outcome(_mutated(PIPELINE, random.Random(-seed)))


def test_mutations_of_overrides() -> None:
    """Overrides made of anything end in a Config or a ConfigError."""
    chance = random.Random(7)
    for _ in range(600):
        override = _mutated(chance.choice(["flatten.k=2-8", "execution.cluster={}", "a.b=c"]), chance)
        _outcome("input: {path: a}\n", (override,))


def test_random_bytes_as_text() -> None:
    """Texts of random characters end in a Config or a ConfigError."""
    chance = random.Random(3)
    for _ in range(300):
        _outcome("".join(chr(chance.choice([10, 32, 58, 45, chance.randrange(0x250)])) for _ in range(60)))
