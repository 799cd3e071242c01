"""--shard auto: which part a task of a SLURM array does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatpipe.errors import ConfigError
from flatpipe.plan.parts.array import part_of_task
from flatpipe.proof.parts import as_array


def _environment(tasks: list[int], task: int, step: int = 1) -> dict[str, str]:
    """What SLURM tells a task of an array of these numbers: the step is that of `0-14:2`, and 1 of a list."""
    told = {"ID": task, "COUNT": len(tasks), "MIN": min(tasks), "MAX": max(tasks), "STEP": step}
    return {f"SLURM_ARRAY_TASK_{word}": str(value) for word, value in told.items()}


def _indexes(tasks: list[int], step: int = 1, asked: str = "auto", there: tuple[int, ...] = ()) -> list[int]:
    return [part_of_task(asked, _environment(tasks, task, step), there).part.index for task in tasks]


@given(st.integers(1, 50), st.integers(0, 2000), st.integers(1, 7))
def test_each_part_of_an_array_has_one_task(count: int, first: int, step: int) -> None:
    """However evenly numbered an array is, its tasks do all parts, each one; told the count, they do the same."""
    tasks = [first * step + number * step for number in range(count)]

    assert sorted(_indexes(tasks, step)) == list(range(count))
    assert _indexes(tasks, step, f"auto/{count}") == _indexes(tasks, step)


@pytest.mark.parametrize("tasks", [[1, 3], [3], [1, 2], [2, 4, 6], [0, 7]])
def test_a_smaller_array_does_parts_again(tasks: list[int]) -> None:
    """`sbatch --array=1,3` after `--array=0-7` does parts 1 and 3 of eight, and says so."""
    assert _indexes(tasks, there=(8,)) == tasks
    assert _indexes(tasks, step=2, there=(8,)) == tasks
    assert _indexes(tasks, asked="auto/8") == tasks
    found = part_of_task("auto", _environment(tasks, tasks[0]), {8})
    assert f"does part {tasks[0]}/8: the output holds parts of 8" in found.note


def test_the_list_of_parts_leads_back_to_them() -> None:
    """What `status --array` prints of an array that counts from 1 names the same parts when it is given again."""
    first = _indexes(list(range(1, 9)))

    assert sorted(first) == list(range(8))
    assert _indexes([0, 1, 4, 5], there=(8,)) == [0, 1, 4, 5]


@given(st.sets(st.integers(0, 60)))
def test_a_list_for_sbatch_says_what_it_was_made_of(numbers: set[int]) -> None:
    """`1,3-5` names the numbers, with no blank in it."""
    text = as_array(sorted(numbers))
    spans = [[int(word) for word in span.split("-")] for span in text.split(",") if span]

    assert [number for span in spans for number in range(span[0], span[-1] + 1)] == sorted(numbers)
    assert " " not in text


REFUSED = {
    "no task of an array": ("auto", {}, (), "no task of a SLURM array"),
    "a list, and nothing there": (
        "auto",
        _environment([1, 3], 1),
        (),
        "array of 2 tasks numbered from 1 to 3 does not",
    ),
    "a list, larger than what is there": ("auto", _environment([1, 3, 9], 1), (2,), "does not say how many"),
    "parts of two counts": ("auto", _environment([1, 3], 1), (4, 8), "parts of 4 and 8: name which"),
    "more tasks than parts": ("auto/4", _environment(list(range(8)), 1), (), "8 tasks for 4 parts"),
    "words": ("auto/many", _environment([0, 1], 1), (), "auto/N with the number"),
    "none": ("auto/0", _environment([0], 0), (), "tasks for 0 parts"),
    "no number": ("auto", {**_environment([0], 0), "SLURM_ARRAY_TASK_ID": "x"}, (), "'x', no number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_array_tells_is_asked_for(case: str) -> None:
    """Where the number of parts cannot be known, the error says why and what to type."""
    asked, environment, there, words = REFUSED[case]
    with pytest.raises(ConfigError, match=words):
        part_of_task(asked, environment, there)
