"""The config that `flatpipe init` writes: short, commented, with values that suit what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flatpipe.config.documents.annotated import beside, key_line
from flatpipe.config.documents.resolved import yaml_of
from flatpipe.config.fields import plain_yaml
from flatpipe.text import counted, in_bytes

_MANY_IMAGES = 1_000
# ^ beyond it a few broken files are certain, and a share of failures says more than waiting for the end
_VERY_MANY_IMAGES = 5_000
# ^ beyond it the sweeps' size is felt on the disk


@dataclass(frozen=True, slots=True)
class StarterFacts:
    """What a look at a folder has found."""

    path: str
    # ^ of the images, as the config shall write it
    n_images: int = 0
    extensions: Mapping[str, int] = field(default_factory=dict)
    # ^ how many files of each, such as {"jpg": 1180}
    largest_bytes: int = 0
    total_bytes: int = 0
    output: str = "outputs/"
    schema: str | None = None
    # ^ where the JSON Schema lies, as editors shall find it
    day: str = ""
    # ^ of the look, such as 2026-11-26


def starter_config(facts: StarterFacts) -> str:
    """The text of a config for these images; it loads as it is.

    What it pins stays right when images come or go; all else that is often changed stands there as a comment.
    """
    parts = [_head(facts), _input(facts), _output_and_flatten(facts), _animation(facts), _errors(facts)]
    parts.append(_execution())
    return "\n".join(parts)


def _head(facts: StarterFacts) -> str:
    schema = f"# yaml-language-server: $schema={facts.schema}\n" if facts.schema else ""
    return (
        f"{schema}# {_found(facts)}\n"
        "# flatpipe plan    says what a run would do, with --estimate how long it takes\n"
        "# flatpipe run     does it; run it again after any change: only what is missing is computed\n"
        "version: 1\n"
    )


def _found(facts: StarterFacts) -> str:
    if not facts.n_images:
        return "No image was found here yet: set input.path."
    kinds = sorted(facts.extensions.items(), key=lambda kind: (-kind[1], kind[0]))
    listed = ", ".join(f"{name} {count:,}" for name, count in kinds[:6]) + (", ..." if len(kinds) > 6 else "")
    sizes = f"{in_bytes(facts.total_bytes)}; the largest has {in_bytes(facts.largest_bytes)}"
    found = f"Found{f' on {facts.day}' * bool(facts.day)}"
    return f"{found}: {counted(facts.n_images, 'image')} ({listed}), {sizes}."


def _input(facts: StarterFacts) -> str:
    lines = [
        "input:",
        key_line(("input", "path"), _written(facts.path), "  "),
        key_line(("input", "include"), '["**/*.{jpg,png}"]', "  # "),
    ]
    return "\n".join(lines) + "\n"


def _written(path: str) -> str:
    """The path as a config writes it: without quotes where none are needed."""
    return path if plain_yaml(path) == path else yaml_of(path)


def _output_and_flatten(facts: StarterFacts) -> str:
    output = key_line(("output", "path"), _written(facts.output), "  ")
    lines = [
        "output:",
        output,
        "",
        "flatten:",
        key_line(("flatten", "k"), "{min: 2, max: 15}", "  "),
        key_line(("flatten", "space"), "oklab", "  # "),
        key_line(("flatten", "alpha"), '"#ffffff"', "  # "),
    ]
    return "\n".join(lines) + "\n"


def _animation(facts: StarterFacts) -> str:
    many = facts.n_images > _VERY_MANY_IMAGES
    why = f"Longest side of a frame in pixels; {facts.n_images:,} sweeps of 1024 would take 4 times the space"
    lines = [
        "animation:",
        key_line(("animation", "format"), "webp", "  # "),
        key_line(("animation", "frame_ms"), "400", "  # "),
        beside("  max_side: 512", why) if many else key_line(("animation", "max_side"), "1024", "  # "),
    ]
    return "\n".join(lines) + "\n"


def _errors(facts: StarterFacts) -> str:
    margin = "  " if facts.n_images > _MANY_IMAGES else "  # "
    return "\n".join(["errors:", key_line(("errors", "max_failures"), "5%", margin)]) + "\n"


def _execution() -> str:
    lines = [
        "execution:",
        key_line(("execution", "scheduler"), "processes", "  # "),
        key_line(("execution", "workers"), "4", "  # "),
        "",
        "# Every other key stands at its default: `flatpipe schema --yaml` prints all of them with their meanings.",
    ]
    return "\n".join(lines) + "\n"
