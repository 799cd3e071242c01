"""The config that `flatpipe init` writes: short, commented, with values that suit what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flatpipe.config.annotated import beside, key_line
from flatpipe.config.fields import plain_yaml
from flatpipe.config.scalars import escape_variables

_DEFAULT_MAX_PIXELS = 200_000_000
_MANY_IMAGES = 1_000
# ^ beyond it a few broken files are certain, and a share of failures says more than waiting for the end
_STEP = 50_000_000
# ^ pixels: max_pixels is proposed as a multiple, above the largest image found


@dataclass(frozen=True, slots=True)
class StarterFacts:
    """What a look at a folder has found."""

    path: str
    # ^ of the images, as the config shall write it
    n_images: int = 0
    extensions: Mapping[str, int] = field(default_factory=dict)
    # ^ how many files of each, such as {"jpg": 1180}
    largest_pixels: int | None = None
    n_multi_frame: int = 0
    # ^ files with several frames or pages
    output: str = "outputs/"
    schema: str | None = None
    # ^ where the JSON Schema lies, as editors shall find it


def starter_config(facts: StarterFacts) -> str:
    """The text of a config for these images; it loads as it is."""
    parts = [_head(facts), _input(facts), _output_and_flatten(facts), _animation(), _limits(facts), _execution()]
    return "\n".join(parts)


def _head(facts: StarterFacts) -> str:
    schema = f"# yaml-language-server: $schema={facts.schema}\n" if facts.schema else ""
    return (
        f"{schema}# {_found(facts)}\n"
        "# flatpipe validate    checks this file      flatpipe plan    says what a run would do\n"
        "# flatpipe run         does it; run it again after any change: only what is missing is computed\n"
        "version: 1\n"
    )


def _found(facts: StarterFacts) -> str:
    if not facts.n_images:
        return "No image was found yet: set input.path."
    kinds = sorted(facts.extensions.items(), key=lambda kind: (-kind[1], kind[0]))
    listed = ", ".join(f"{name} {count:,}" for name, count in kinds[:6]) + (", ..." if len(kinds) > 6 else "")
    largest = f"; the largest has {facts.largest_pixels:,} pixels" if facts.largest_pixels else ""
    return f"Found: {facts.n_images:,} image{'s' * (facts.n_images != 1)} ({listed}){largest}."


def _input(facts: StarterFacts) -> str:
    lines = [
        "input:",
        key_line(("input", "path"), plain_yaml(escape_variables(facts.path)), "  "),
        key_line(("input", "include"), '["**/*.{jpg,png}"]', "  # "),
    ]
    if facts.n_multi_frame:
        lines.append(beside("  # frames: all", f"{facts.n_multi_frame:,} files have several; only the first is taken"))
    return "\n".join(lines) + "\n"


def _output_and_flatten(facts: StarterFacts) -> str:
    output = key_line(("output", "path"), plain_yaml(escape_variables(facts.output)), "  ")
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


def _animation() -> str:
    lines = [
        "animation:",
        key_line(("animation", "format"), "webp", "  # "),
        key_line(("animation", "frame_ms"), "400", "  # "),
        key_line(("animation", "max_side"), "null", "  # "),
    ]
    return "\n".join(lines) + "\n"


def _limits(facts: StarterFacts) -> str:
    largest = facts.largest_pixels or 0
    is_large = largest > _DEFAULT_MAX_PIXELS
    proposed = -(-largest // _STEP) * _STEP if is_large else _DEFAULT_MAX_PIXELS
    lines = [
        "limits:",
        key_line(("limits", "max_pixels"), f"{proposed:_}", "  " if is_large else "  # "),
        "",
        "errors:",
        key_line(("errors", "max_failures"), "5%", "  " if facts.n_images > _MANY_IMAGES else "  # "),
    ]
    return "\n".join(lines) + "\n"


def _execution() -> str:
    lines = [
        "execution:",
        key_line(("execution", "workers"), "4", "  # "),
        "",
        "# Every other key stands at its default: see docs/config.md.",
    ]
    return "\n".join(lines) + "\n"
