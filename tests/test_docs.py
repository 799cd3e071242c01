"""The docs name everything that there is, and nothing that there is not: commands, flags, columns, fields."""

from __future__ import annotations

import contextlib
import json
import re
import runpy
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from commands import Project

from flatpipe import cli, errors
from flatpipe.features.table import COLUMNS
from flatpipe.ledger.schema import connect
from flatpipe.palettes.charts import CHARTS
from flatpipe.report.tables import FAILURE_COLUMNS, RESULT_COLUMNS
from flatpipe.storage.litter import LITTER
from flatpipe.summaries import RunSummary

ROOT = Path(__file__).parent.parent
PAGES = {
    path.name: path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
}
COMMANDS = list(cli.cli.commands.values())


def _section(page: str, title: str) -> str:
    """The part of a page below `## title`, up to the next heading."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^#|\Z)", PAGES[page], re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no section {title}"
    return found[1]


def _rows(table: str) -> list[list[str]]:
    """The cells of each row of the tables in a text, without head and rule."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row, below in zip(rows, [*rows[1:], [""]], strict=True) if not {row[0][:3], below[0][:3]} & {"---"}]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([a-z][a-z0-9_]*)`", cell)


# --- commands --------------------------------------------------------------------------------------------------------


def test_the_page_of_commands_is_in_step() -> None:
    """docs/commands.md is what the commands give today; `python docs/make_commands.py` writes it anew."""
    page = runpy.run_path(str(ROOT / "docs" / "make_commands.py"))["commands_page"]()

    assert PAGES["commands.md"] == page
    for command in COMMANDS:
        section = _section("commands.md", f"`{command.name}`")
        for option in (one for one in command.params if isinstance(one, click.Option)):
            assert option.help, option.name
            assert all(f"`{flag}" in section for flag in option.opts), option.name


def test_the_page_of_charts_is_in_step() -> None:
    """docs/charts.md and its pictures are what the charts hold; `python docs/make_charts.py` writes them anew."""
    made = runpy.run_path(str(ROOT / "docs" / "make_charts.py"))

    assert PAGES["charts.md"] == made["charts_page"]()
    for word in CHARTS:
        file = ROOT / "docs" / "pictures" / "charts" / f"{word}.svg"
        assert file.read_text(encoding="utf-8") == made["picture"](word)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_help_has_an_example_and_a_summary(command: click.Command) -> None:
    """--help of each command shows how it is called; its line in the list of commands is not cut off."""
    shown = command.get_help(click.Context(command, info_name=f"flatpipe {command.name}"))

    assert re.search(rf"Examples?:\s+(\S+ )*'?.*flatpipe {command.name}", shown)
    assert len(command.short_help or command.help or "") < 65 or "\n\n" in (command.help or "")[:65]


def _quoted_commands() -> Iterator[tuple[str, str]]:
    """Every `flatpipe ...` in code of the pages and in the help texts, with where it stands."""
    for page, text in PAGES.items():
        blocks = "\n".join(re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
        for line in [*blocks.splitlines(), *inline]:
            if "[OPTIONS]" not in line:
                yield from ((page, found) for found in re.findall(r"(?:^|&& |\$\()(flatpipe [a-z-].*)", line))
    for command in COMMANDS:
        for line in (command.help or "").splitlines():
            yield from ((str(command.name), found) for found in re.findall(r"^\s+(?:Example: )?(flatpipe .*)", line))


@pytest.mark.parametrize(("place", "line"), sorted(set(_quoted_commands())))
def test_every_command_line_that_is_shown_can_be_typed(place: str, line: str) -> None:
    """A command line in the docs or in a help text names a command and flags that there are."""
    words = shlex.split(re.split(r" (?:&&|>|\|) |\)\"", line)[0], comments=True)[1:]
    command = cli.cli.commands.get(words[0])
    if words[0].startswith("-"):
        assert words[0] in ("--version", "-h", "--help")
        return
    assert command is not None, line
    with contextlib.suppress(click.MissingParameter):
        # ^ `flatpipe explain` and the like speak of the command
        command.make_context(str(command.name), words[1:])


@pytest.mark.parametrize(("wish", "words"), [
    ("change k", "flatten.k=2-8"), ("run on S3", "--profile bucket"), ("run on SLURM", "--profile slurm"),
    ("rerun only failures", "--only-failed"), ("get an ASE palette", "output.palettes=[gpl, ase]"),
    ("prove two runs equal", "flatpipe diff"), ("check every byte", "flatpipe verify"),
])  # fmt: skip
def test_a_stranger_finds_it_in_the_readme(wish: str, words: str) -> None:
    """What people come for stands in the README as a command; profiles that it names are in docs/clusters.md."""
    assert words in PAGES["README.md"], wish
    profile = words.partition("--profile ")[2]
    assert not profile or f"\n  {profile}:\n" in PAGES["clusters.md"]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page names a file that is there, and a heading that the file has."""
    place = ROOT / "docs" / page if (ROOT / "docs" / page).exists() else ROOT / page
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", PAGES[page]):
        name, _, anchor = target.partition("#")
        other = place.parent / name if name else place
        assert other.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "title", "columns"), [
    ("outputs.md", "`results.csv`", RESULT_COLUMNS),
    ("outputs.md", "`failures.csv`", FAILURE_COLUMNS),
    ("data-sets.md", "Colours as a table", tuple(COLUMNS)),
], ids=["results", "failures", "features"])  # fmt: skip
def test_every_column_of_the_tables_is_documented(page: str, title: str, columns: tuple[str, ...]) -> None:
    """The pages explain the columns that are there, in their order, and no others."""
    rows = _rows(_section(page, title))
    documented = [name for row in rows for name in _names(row[0])]

    assert documented == list(columns)
    assert all(len(row[-1]) > 5 for row in rows)


def test_every_word_for_an_error_is_documented() -> None:
    """Each word that failures.csv may hold stands in docs/outputs.md."""
    known = {kind.error for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "error")}
    section = _section("outputs.md", "`failures.csv`")

    assert len(known) > 4
    assert not {word for word in known if f"`{word}`" not in section}


def test_every_field_of_the_ledger_is_documented() -> None:
    """docs/outputs.md names each table and column of the ledger, and no others."""
    with contextlib.closing(connect(None, read_only=False)) as ledger:
        tables = [row[0] for row in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        there = {name: [row[1] for row in ledger.execute(f"PRAGMA table_info({name})")] for name in tables}
    section = _section("outputs.md", "`ledger.sqlite`")
    documented = {_names(row[0])[0]: _names(re.sub(r"\([^)]*\)", "", row[2])) for row in _rows(section)}

    assert documented == there


def test_every_field_of_a_summary_is_documented() -> None:
    """docs/outputs.md names what run.json and summary.json say of a run."""
    section = _section("outputs.md", "`run.json`")

    assert not [field.name for field in fields(RunSummary) if f"{field.name}`" not in section]


def test_all_litter_is_documented() -> None:
    """docs/config.md has every name that is left out."""
    section = _section("config.md", "Paths")

    assert not [name for name in LITTER if f"`{name}`" not in section]


# --- JSON lines ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two images and a broken one, done; then one byte changed, one output left over, one image still to do."""
    project = Project.make(tmp_path_factory.mktemp("json"), images=2)
    (project.folder / "photos" / "bad.png").write_bytes(b"nothing")
    project.flatpipe("run", "--shard", "0/1")
    project.flatpipe("run")
    (project.out / "images/00.png/k02.png").write_bytes(b"changed")
    return project


@pytest.mark.parametrize("arguments", [
    "run -s output.path=other", "flatten photos/00.png -k auto", "flatten photos/00.png -k 2 -o one.png",
    "plan --estimate --force", "status", "search 808080", "report", "merge",
    "explain 00.png", "verify", "diff out/flatpipe.lock old.lock", "clean -s flatten.k=2",
])  # fmt: skip
def test_every_json_line_is_documented(arguments: str, finished: Project, monkeypatch, capsys) -> None:
    """What --json prints has, line by line, the fields that docs/json.md names for that command and event."""
    monkeypatch.chdir(finished.folder)
    lock = finished.out / "flatpipe.lock"
    (finished.folder / "old.lock").write_text(lock.read_text().replace("setting.seed: 0", "setting.seed: 1"))
    monkeypatch.setattr("sys.argv", ["flatpipe", *arguments.split(), "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    command = arguments.split(maxsplit=1)[0] + " -o FILE" * ("-o one.png" in arguments)
    seen = {line["event"]: line for line in lines}
    documented = {
        _names(row[1])[0]: set(_names(re.sub(r"\([^)]*\)", "", row[3])))
        for row in _rows(PAGES["json.md"])
        if command in row[0].replace("`", "").replace(" -k auto", "").split(", ")
    }

    assert {event: set(line) - {"event"} for event, line in seen.items()} == documented
