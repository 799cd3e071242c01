"""`--shard auto`: which part a task of a SLURM array does.

A task's part is its number modulo the number of parts: however an array is numbered, `0-7`, `1-8` or `0-14:2`, each
part has one task; and the numbers of parts, which `flatpipe status --array` prints, name the same parts when they are
given to `sbatch --array` again. https://slurm.schedmd.com/job_array.html has the variables.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flatpipe.errors import ConfigError
from flatpipe.plan.parts.part import RunPart, checked_part

AUTO = "auto"
_TASK, _COUNT, _MIN, _MAX, _STEP = (f"SLURM_ARRAY_TASK_{word}" for word in ("ID", "COUNT", "MIN", "MAX", "STEP"))


@dataclass(frozen=True, slots=True)
class TaskPart:
    """The part of a task, and what to say of how it was found."""

    part: RunPart
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Array:
    task: int
    count: int
    lowest: int
    highest: int
    step: int

    @property
    def is_regular(self) -> bool:
        """Whether its tasks are numbered evenly, so that their count can be meant as that of the parts."""
        return self.highest - self.lowest == (self.count - 1) * self.step

    def part(self, count: int, asked: str) -> RunPart:
        step = self.step if self.count == count and self.is_regular else 1
        # ^ a smaller array is given the numbers of parts
        return checked_part(self.task // step % count, count, asked)


def part_of_task(asked: str, environment: Mapping[str, str], there: Collection[int]) -> TaskPart:
    """The part of this task of a SLURM array, for `auto` or `auto/8`; raises ConfigError.

    `there` are the numbers of parts that the output has been split into before. A smaller array does some of those
    again: `sbatch --array=1,3` has two tasks, and the parts stay as many as they were.
    """
    array, option = _array(environment), f"--shard {asked}"
    _, _, told = asked.partition("/")
    if told:
        count = _told_count(told, array, option)
        return TaskPart(array.part(count, option))
    if array.count in there or not there:
        if not array.is_regular and array.count not in there:
            raise ConfigError(f"{option}: {_not_known(array)}: name the number of parts, as in --shard auto/8")
        return TaskPart(array.part(array.count, option))
    more = sorted(count for count in there if count > array.count)
    if len(more) > 1:
        counts = " and ".join(map(str, more))
        raise ConfigError(f"{option}: the output holds parts of {counts}: name which, as in --shard auto/{more[0]}")
    if more:
        part = array.part(more[0], option)
        note = f"task {array.task} of an array of {array.count} does part {part}: the output holds parts of {more[0]}"
        return TaskPart(part, note)
    if not array.is_regular:
        raise ConfigError(f"{option}: {_not_known(array)}: name the number of parts, as in --shard auto/8")
    return TaskPart(array.part(array.count, option))


def _told_count(told: str, array: _Array, option: str) -> int:
    if not (told.isascii() and told.isdecimal()):
        raise ConfigError(f"{option}: must be auto, or auto/N with the number of parts")
    count = int(told)
    if array.count > count:
        raise ConfigError(f"{option}: the array has {array.count} tasks for {count} parts")
    return count


def _not_known(array: _Array) -> str:
    tasks = f"{array.count} tasks numbered from {array.lowest} to {array.highest}"
    return f"an array of {tasks} does not say how many parts there are"


def _array(environment: Mapping[str, str]) -> _Array:
    """The array that this process is a task of; raises ConfigError outside of one."""
    if not {_TASK, _COUNT} <= environment.keys():
        words = f"{_TASK} and {_COUNT} are not set"
        raise ConfigError(
            f"--shard auto: {words}: this is no task of a SLURM array (sbatch --array=0-7); name the part, "
            "as in --shard 0/8"
        )
    task, count = _number(environment, _TASK), _number(environment, _COUNT)
    lowest = _number(environment, _MIN) if _MIN in environment else task
    step = max(1, _number(environment, _STEP)) if _STEP in environment else 1
    highest = _number(environment, _MAX) if _MAX in environment else lowest + (count - 1) * step
    return _Array(task, count, lowest, highest, step)


def _number(environment: Mapping[str, str], name: str) -> int:
    value = environment[name]
    if not (value.isascii() and value.isdecimal()):
        raise ConfigError(f"--shard auto: {name} is {value!r}, no number")
    return int(value)
