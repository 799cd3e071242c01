"""What was proved, and what may go, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flatpipe import layout
from flatpipe.text import counted, printable, spans

if TYPE_CHECKING:
    from flatpipe.proof.compare import Compared
    from flatpipe.proof.outputs import Difference
    from flatpipe.proof.verify import Verified

_FLAT = re.compile(r"k(\d+)\.png")


def difference_text(difference: Difference) -> str:
    """One output or input that is not as recorded."""
    detail = f" ({difference.detail})" if difference.detail else ""
    return printable(f"{difference.kind}: {difference.name}{detail}")


def verified_text(counts: Verified, differences: int) -> str:
    """How much was verified, and how much of it differs."""
    words = f"{counted(counts.outputs, 'output')} of {counted(counts.images, 'image')}"
    words += f" and {counted(counts.inputs, 'input')}" * bool(counts.inputs)
    words += f", {counted(counts.beside, 'file')} beside them" * bool(counts.beside)
    words += f", {counted(counts.recomputed, 'image')} recomputed" * bool(counts.recomputed)
    lines = [f"verified {words}: {_differences(differences)}"]
    if counts.unfinished:
        unfinished = f"{counted(counts.unfinished, 'image')} {'is' if counts.unfinished == 1 else 'are'}"
        lines.append(f"{unfinished} not (all) done with these settings: nothing to verify there")
    return "\n".join(lines)


def compared_text(counts: Compared, differences: int) -> str:
    """How much was compared, and how much of it differs."""
    compared = counted(counts.files, "file") if counts.files else f"{counted(counts.images, 'image')} of two locks"
    return f"compared {compared}: {_differences(differences)}"


def stale_text(image_id: str, names: Sequence[str], why: str, *, is_ours: bool) -> str:
    """Files of one image that nobody asks for: `a.jpg: k09-k15 (k not asked for)`."""
    files = [name.rpartition("/")[2] for name in names if not name.startswith(f"{layout.PICTURES}/")]
    pictures = [counted(len(names) - len(files), "picture") + " of the report"] * (len(files) < len(names))
    flats = sorted(int(found[1]) for file in files if (found := _FLAT.fullmatch(file)))
    others = [file for file in files if not _FLAT.fullmatch(file)]
    ks = [f"k{span.replace('-', '-k')}" for span in spans(flats, digits=2).split(", ") if span]
    kept = "" if is_ours else ", but changed since written: kept"
    return printable(f"{image_id}: {', '.join([*ks, *others, *pictures])} ({why}{kept})")


def _differences(number: int) -> str:
    return counted(number, "difference") if number else "no differences"
