"""The short way in: from a folder to pictures in one command, and a sentence wherever somebody takes a wrong turn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import write_image
from commands import Project

from flatpipe import cli


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two photographs and two other files in photos/, a config in it, an empty folder; done by `flatpipe photos`."""
    project = Project(tmp_path_factory.mktemp("short"))
    for seed in range(2):
        write_image(project.folder / "photos" / f"0{seed}.png", seed=seed)
    (project.folder / "photos" / "notes.txt").write_text("")
    (project.folder / "photos" / "a.svg").write_text("")
    (project.folder / "void").mkdir()
    (project.folder / "others").mkdir()
    (project.folder / "others" / "a.svg").write_text("")
    assert project.flatpipe("init", "photos").returncode == 0
    return project


def told(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str) -> str:
    """What a command that ends with 2 says on stderr, but for the line that it has begun."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr("sys.argv", ["flatpipe", *words.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, ""), said
    return re.sub(r"^reading .* \.\.\.\n", "", said.err).replace(str(project.folder), "DIR")


def test_a_folder_alone_is_flattened(project: Project) -> None:
    """`flatpipe photos` says what it found and skipped, makes it, and ends with a link and the pictures' places."""
    done = project.flatpipe("photos", "-k", "2-3", "-o", "alone")

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[:3] == [
        "reading photos ...",
        "2 images: 4 flat images and 2 sweeps to make",
        "2 other files skipped: .svg, .txt",
    ]
    lines = done.stdout.splitlines()
    assert lines[0] == f"report:   file://{project.folder}/alone/index.html"
    assert lines[1] == f"pictures: {project.folder}/alone/images/00.png/k02.png"
    named = [line[10:] for line in lines[1:7]]
    assert all(Path(name).is_file() for name in named)
    assert len({*named}) == 6
    assert re.fullmatch(r"2 images done, 4 flat images in \d+\.\d s", lines[-1])


def test_many_pictures_are_named_by_their_folder(project: Project) -> None:
    """Of several images with many k each the folder of pictures is named; quiet, a call says one line."""
    done = project.flatpipe("flatten", "photos", "-o", "many")
    quiet = project.flatpipe("flatten", "photos", "-o", "many", "-q")

    assert f"pictures: {project.folder}/many/images/\n" in done.stdout
    assert quiet.stdout == f"nothing to do: 2 images up to date: file://{project.folder}/many/index.html\n"
    assert quiet.stderr == ""


@pytest.mark.parametrize("arguments", [
    ("run", "photos", "-s", "flatten.k=2", "-q"), ("plan", "photos"), ("validate", "photos"),
    ("explain", "00.png", "photos"), ("status", "photos"), ("verify", "photos"), ("report", "photos"),
    ("clean", "photos"), ("run", "photos", "-n"),
], ids=" ".join)  # fmt: skip
def test_a_folder_stands_for_its_config(arguments: tuple[str, ...], project: Project) -> None:
    """Every command that takes a config takes the folder that holds it."""
    if arguments[0] in ("status", "verify", "report", "clean"):
        project.flatpipe("run", "photos", "-s", "flatten.k=2")
    by_folder = project.flatpipe(*arguments)
    by_file = project.flatpipe(*(word.replace("photos", "photos/pipeline.yaml") for word in arguments))

    assert by_folder.returncode == by_file.returncode == 0, by_folder.stderr
    assert _plain(by_folder.stdout) == _plain(by_file.stdout)


def _plain(text: str) -> str:
    """Without what differs between a first and a second time."""
    return re.sub(r"\d.*\d s:|nothing to do: 2 images up to date:|2 images done,", "", text)


@pytest.mark.parametrize(("words", "said"), [
    ("run photos/00.png", "flatpipe: photos/00.png is an image: flatpipe flatten photos/00.png\n"),
    ("verify photos/00.png", "flatpipe: photos/00.png is an image: flatpipe flatten photos/00.png\n"),
    ("photos/pipeline.yaml", "flatpipe: photos/pipeline.yaml is a config: flatpipe run photos/pipeline.yaml\n"),
    ("flatten void", "flatpipe: no image in DIR/void\n"),
    ("flatten others", "flatpipe: no image in DIR/others (1 other file skipped: .svg)\n"),
    ("flatten none.png", "flatpipe: none.png: no such file or folder\n"),
    ("flatten photos/*.gif", "flatpipe: photos/*.gif: nothing is called so\n"),
    (
        "run void",
        "flatpipe: void holds no config: `flatpipe flatten void` needs none, `flatpipe init void` writes one\n",
    ),
    (
        "run",
        "flatpipe: pipeline.yaml: no such config file; `flatpipe init` writes one, `flatpipe flatten` needs none\n",
    ),
    (
        "status void",
        "flatpipe: void: no ledger.sqlite here, and void holds no config: `flatpipe flatten void` needs none, "
        "`flatpipe init void` writes one\n",
    ),
    ("statsu", "flatpipe: no command and no file is called 'statsu'; did you mean 'status'?\n"),
    ("frobnicate", "flatpipe: no command and no file is called 'frobnicate'; `flatpipe --help` lists the commands\n"),
    ("explain 07.png photos", "flatpipe: 07.png: no such image in DIR/photos or its ledger\n"),
], ids=lambda value: "" if value.startswith("flatpipe") else value)  # fmt: skip
def test_a_wrong_turn_is_one_line_with_the_way_on(
    words: str, said: str, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An image for a config, a config for an image, nothing there: exit 2, one line, what to type instead."""
    assert told(project, monkeypatch, capsys, words) == said


def test_a_missing_input_is_told_at_its_place(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """File, line, column and a caret, like every other error in a config."""
    (project.folder / "bad.yaml").write_text("input:\n  path: photoz\n")
    said = told(project, monkeypatch, capsys, "validate bad.yaml")
    (project.folder / "bad.yaml").unlink()
    overridden = told(project, monkeypatch, capsys, "run photos -s input.path=nowhere")

    assert overridden == (
        "flatpipe: 1 error in the config\n-s: input.path: DIR/photos/nowhere does not exist\n"
        "    -s input.path=nowhere\n                  ^\n"
    )
    assert said == (
        "flatpipe: 1 error in the config\n"
        "bad.yaml:2:9: input.path: DIR/photoz does not exist\n      path: photoz\n            ^\n"
    )


def test_help_fits_a_terminal_and_stands_in_groups(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """No line of any help has more than 80 columns, however wide the terminal; commands stand by what they are for."""
    monkeypatch.setenv("COLUMNS", "200")
    pages = {}
    for command in ("", *cli.cli.commands):
        monkeypatch.setattr("sys.argv", ["flatpipe", *command.split(), "--help"])
        with pytest.raises(SystemExit):
            cli.main()
        pages[command] = capsys.readouterr().out
    long = [line for page in pages.values() for line in page.splitlines() if len(line) > 80]
    titles = re.findall(r"^(\w+):$", pages[""], re.MULTILINE)
    listed = re.findall(r"^  (\w+) {2,}\S", pages[""].partition("Start:")[2], re.MULTILINE)

    assert long == []
    assert titles[-4:] == ["Start", "Work", "Look", "Prove"]
    assert listed == [*cli.cli.commands]


def test_calls_add_up_and_an_image_counts_once(project: Project) -> None:
    """A folder, then a file of it, then the folder and the file: the file keeps its id, and all images stay."""
    for number, places in enumerate((["photos"], ["photos/00.png"], ["photos", "./photos/00.png", "photos/../photos"])):
        done = project.flatpipe("flatten", *places, "-k", "2", "-o", "sum", "-q")
        assert done.returncode == 0, done.stderr
        images = sorted(path.name for path in (project.folder / "sum" / "images").iterdir())
        rows = (project.folder / "sum" / "results.csv").read_text().splitlines()
        assert images == ["00.png", "01.png"], number
        assert [row.partition(",")[0] for row in rows[1:]] == images, number


def test_outputs_in_the_folder_are_no_images(project: Project) -> None:
    """`flatpipe flatten .` leaves out what earlier calls have written there, its own output included."""
    done = project.flatpipe("flatten", ".", "-k", "2", "-o", "here", "--json", "-q")
    again = project.flatpipe("flatten", ".", "-k", "2", "-o", "here", "-q")

    assert done.returncode == 0, done.stderr
    assert again.stdout.startswith("nothing to do: 2 images up to date")
