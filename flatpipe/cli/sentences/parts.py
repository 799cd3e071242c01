"""The parts of a run in words: how far each is, what is missing, what merging came to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flatpipe import layout
from flatpipe.cli.sentences.running import summary_text
from flatpipe.text import counted, printable

_NAMED = 8
# ^ parts that a line names

if TYPE_CHECKING:
    from flatpipe.proof.parts import PartsStatus, PartStatus
    from flatpipe.summaries import RunSummary


def parts_text(status: PartsStatus) -> str:
    """A line for each part, then all of them in numbers, and which are to be run."""
    lines = [_part_line(part) for part in status.parts]
    lines += [f"{_part_line(part)}; of another split" for part in status.others]
    return "\n".join(map(printable, [*lines, _total(status), *_array_lines(status)]))


def lacking_text(status: PartsStatus, *, quiet: bool) -> str:
    """Why parts cannot be merged: a line for each that stands in the way, and which are to be run."""
    lacking = status.lacking
    last = f"not merged: {len(lacking)} of {counted(len(status.parts), 'part')} {_are(len(lacking))} not done"
    if quiet:
        return f"{last}{f' ({status.array})' * bool(status.array)}"
    lines = [*map(_part_line, lacking), *_other_lines(status), last, *_array_lines(status)]
    return "\n".join(map(printable, lines))


def merged_text(summary: RunSummary, status: PartsStatus) -> str:
    """What merging came to: where to look, what failed and what to do about it, and the counts."""
    *places, _ = summary_text(summary).splitlines()
    states = ", ".join(_states({"done": summary.done, "failed": summary.failed}))
    merged = f"merged {counted(len(status.parts), 'part')}: {counted(summary.images, 'image')}"
    return "\n".join([*places, f"{merged}{f': {states}' * bool(states)}"])


def unmerged_text(parts: int) -> str:
    """That a plan is made without what parts have recorded."""
    return (
        f"{counted(parts, 'part')} of a run {'has' if parts == 1 else 'have'} recorded more, which a run takes in first"
    )


def _part_line(part: PartStatus) -> str:
    counts = _states({"done": part.done, "failed": part.failed, "left": part.left})
    known = f", {counted(part.images, 'image')}{': ' * bool(counts)}{', '.join(counts)}" if part.images else ""
    return f"part {part.part}: {part.state}{known}{f' ({part.why})' * bool(part.why)}"


def _total(status: PartsStatus) -> str:
    states = Counter[str](part.state for part in status.parts)
    images = sum(part.images for part in status.parts)
    counts = {
        "done": sum(part.done for part in status.parts),
        "failed": sum(part.failed for part in status.parts),
        "left": sum(part.left for part in status.parts),
    }
    known = f"; {counted(images, 'image')}: {', '.join(_states(counts))}" if images else ""
    return f"{counted(len(status.parts), 'part')}: {', '.join(_states(states))}{known}"


def _array_lines(status: PartsStatus) -> list[str]:
    """The parts to run, as `sbatch --array` takes them; no line where there are none."""
    return [f"missing or failed: {status.array}"] if status.array else []


def _other_lines(status: PartsStatus) -> list[str]:
    """That the split that was run last may not be the one that is meant."""
    if not status.others:
        return []
    named = ", ".join(str(part.part) for part in status.others[:_NAMED]) + ", ..." * (len(status.others) > _NAMED)
    return [
        f"parts of another split lie beside them: {named}; delete the folders in {layout.PARTS}/ of what is not meant"
    ]


def _states(numbers: dict[str, int] | Counter[str]) -> list[str]:
    return [f"{number:,} {state}" for state, number in numbers.items() if number]


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
