"""Parts of a run in words: each with its counts, those to run again in the form that sbatch takes."""

from __future__ import annotations

from dataclasses import replace

from flatpipe.cli.sentences.parts import lacking_text, merged_text, parts_text
from flatpipe.cli.sentences.running import quiet_text, summary_text
from flatpipe.plan.parts.part import RunPart
from flatpipe.proof.parts import PartsStatus, PartStatus
from flatpipe.summaries import RunSummary

DONE = PartStatus(RunPart(4, 0), "done", images=10, failed=1)
KILLED = PartStatus(RunPart(4, 1), "killed", images=10, failed=1, left=4)
RUNNING = PartStatus(RunPart(4, 2), "running", "its ledger is not here")
MISSING = PartStatus(RunPart(4, 3), "missing")
STATUS = PartsStatus((DONE, KILLED, RUNNING, MISSING))


def test_every_part_has_its_line() -> None:
    """State and counts of each part, then of all; last what is to be run, without the part that is at work."""
    assert parts_text(STATUS).splitlines() == [
        "part 0/4: done, 10 images: 9 done, 1 failed",
        "part 1/4: killed, 10 images: 5 done, 1 failed, 4 left",
        "part 2/4: running (its ledger is not here)",
        "part 3/4: missing",
        "4 parts: 1 done, 1 killed, 1 running, 1 missing; 20 images: 14 done, 2 failed, 4 left",
        "missing or failed: 1,3",
    ]


def test_what_is_not_merged_is_told_in_lines_or_in_one() -> None:
    """The parts in the way, and which are to be run: each on a line, or all on one where quiet is asked for."""
    *lines, last, array = lacking_text(STATUS, quiet=False).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["part 1/4", "part 2/4", "part 3/4"]
    assert (last, array) == ("not merged: 3 of 4 parts are not done", "missing or failed: 1,3")
    assert lacking_text(STATUS, quiet=True) == f"{last} (1,3)"


def test_a_merge_ends_as_a_run_does() -> None:
    """The last lines name the places that a run's do, and count what was merged."""
    whole = RunSummary(
        "run", "/out", images=20, done=18, failed=2, failures=(("timeout", 2),), report="/out/index.html"
    )
    *places, counts = merged_text(whole, STATUS).splitlines()

    assert places == summary_text(whole).splitlines()[:-1]
    assert counts == "merged 4 parts: 20 images: 18 done, 2 failed"


def test_a_part_says_what_comes_next() -> None:
    """A part names its images and the command that joins it to the others; it has no tables, and with shards no tar."""
    part = RunSummary("run", "/out", images=5, done=5, pairs=15, seconds=1, part="2/4")

    assert summary_text(part).splitlines() == [
        "pictures: /out/images/",
        "next:     flatpipe merge, when all 4 parts are done; flatpipe status tells which are",
        "part 2/4: 5 images done, 15 flat images in 1.0 s",
    ]
    assert quiet_text(part) == "part 2/4: 5 images done, 15 flat images in 1.0 s: /out/parts/2-of-4"
    assert "pictures" not in summary_text(replace(part, folder="shards"))
