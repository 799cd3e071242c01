"""What flatpipe says about broken configs, word by word."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import yaml
from broken import Broken, table

from flatpipe.config import ConfigProblems, Origin, Problem, parse_config
from flatpipe.config.problems import did_you_mean
from flatpipe.errors import ConfigError

CASES = table()


@pytest.fixture(autouse=True)
def _without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLATPIPE_NOT_SET", raising=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_error_is_told_with_its_place(case: Broken) -> None:
    """Each broken config gives exactly the message of the table: place, key, what is allowed, line and caret."""
    assert case.message() == case.expected


def test_the_table_is_large_and_every_case_in_it_is_broken() -> None:
    """More than a hundred configs stand in the table, no name twice, none of them sound."""
    assert len({case.name for case in CASES}) == len(CASES) > 100
    assert all(case.expected.split(" ", 1)[0].isdigit() for case in CASES)


def test_a_place_is_one_that_exists() -> None:
    """Every problem of the table names a line and a column of its config, and quotes that very line."""
    for case in CASES:
        if case.argument:
            continue
        with pytest.raises(ConfigProblems) as caught:
            parse_config(case.text, "c.yaml", "/base")

        lines = [*case.text.splitlines(), ""]
        for problem in caught.value.problems:
            origin = problem.origin
            assert (origin.file, origin.text) == ("c.yaml", lines[origin.line - 1]) or not origin.text
            assert 1 <= origin.column <= len(lines[origin.line - 1]) + 1


def test_no_error_is_known_by_the_words_of_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever PyYAML says, we say the same, but where their words are all that there is to tell."""
    made = yaml.MarkedYAMLError.__init__

    def reworded(error: Any, context: Any = None, mark: Any = None, problem: Any = None, *more: Any) -> None:
        made(error, context and "?", mark, problem and "?", *more)

    monkeypatch.setattr(yaml.MarkedYAMLError, "__init__", reworded)
    others = {case.name for case in CASES if case.message() != case.expected}

    assert others == {case.name for case in CASES if "not readable as YAML: " in case.expected}


def test_a_thousand_errors_are_counted_but_not_all_told() -> None:
    """A file of another kind gives a hundred errors and the number of the others, not thousands of lines."""
    text = "input: {path: a, include: [" + "5, " * 150 + "]}\n"
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml", "/base")

    assert str(caught.value).startswith("150 errors in the config\n")
    assert str(caught.value).endswith("\n... and 50 more")


def test_problems_survive_pickling() -> None:
    """The error can cross to another process and still says the same."""
    error = ConfigProblems([Problem(Origin("c.yaml", 2, 3, "  k: 0"), "flatten.k", "too small")])
    copy = pickle.loads(pickle.dumps(error))

    assert (copy.problems, str(copy), copy.exit_code) == (error.problems, str(error), 2)


def test_a_long_line_is_shown_around_its_caret() -> None:
    """Of a line of thousands of characters only the part around the error is shown, the caret still under it."""
    text = "x" * 5000 + "!" + "y" * 5000
    _, line, caret = str(Problem(Origin("c.yaml", 1, 5001, text), "k", "wrong")).split("\n")

    assert len(line) < 200
    assert line[caret.index("^")] == "!"


def test_what_cannot_be_printed_is_not() -> None:
    """Control characters and lone surrogates of a broken file never reach the terminal."""
    told = str(Problem(Origin("c.yaml", 1, 3, "a\x1b[31m\udcff"), "k\n\x07", "wrong"))

    assert told == "c.yaml:1:3: k??: wrong\n    a?[31m?\n      ^"


@pytest.mark.parametrize(("word", "hint"), [
    ("colorspace", "; did you mean 'space'?"),
    ("SOLVER", "; did you mean 'solver'?"),
    ("zzz", ""),
    ("", ""),
])  # fmt: skip
def test_a_near_word_is_proposed(word: str, hint: str) -> None:
    """The nearest known word is proposed, whatever its case, and none when none is near."""
    assert did_you_mean(word, ["solver", "space", "seed"]) == hint
