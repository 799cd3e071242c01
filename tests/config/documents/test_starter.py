"""`flatpipe init`, `flatpipe schema`, and mutated configs through the command itself."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from builders import write_image

from flatpipe import cli
from flatpipe.cli.starting import look_at
from flatpipe.config import StarterFacts, load_config, parse_config, schema_text, starter_config
from flatpipe.plan.inputs.places import check_input

PIPELINE = Path(__file__).parents[3] / "pipeline.yaml"


def _flatpipe(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the command; anything but SystemExit is a traceback, and fails the test."""
    monkeypatch.setattr(sys, "argv", ["flatpipe", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


@pytest.mark.parametrize(("images", "path", "output"), [
    (["photos/a.png", "photos/trips/b.png"], "photos", "outputs"),
    (["a.png", "photos/b.png"], ".", "../{}-flat"),
    (["one/a.png", "two/b.png"], ".", "../{}-flat"),
    ([], ".", "../{}-flat"),
    (["photos/a.png", "outputs/images/a.png/k02.png"], "photos", "outputs"),
], ids=["one-folder", "beside-it", "two-folders", "none", "results-are-no-input"])  # fmt: skip
def test_init_writes_a_config_that_can_be_run(
    images: list[str], path: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the images lie, the config that init writes loads, and its input and output do not overlap."""
    for image in images:
        write_image(tmp_path / image, seed=1)

    assert _flatpipe(monkeypatch, "init", str(tmp_path)) == 0
    config = load_config(tmp_path / "pipeline.yaml")
    assert Path(config.input.path) == tmp_path / path
    assert Path(config.output.path) == (tmp_path / output.format(tmp_path.name)).resolve()
    check_input(config)


def test_init_leaves_editors_a_schema_that_moves_with_the_folder(tmp_path: Path, monkeypatch) -> None:
    """The first line names the schema beside the config, never a place of this machine; one that is there stays."""
    assert _flatpipe(monkeypatch, "init", str(tmp_path)) == 0
    first = (tmp_path / "pipeline.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=flatpipe.schema.json"
    assert str(PIPELINE.parent) not in (tmp_path / "pipeline.yaml").read_text()
    assert (tmp_path / "flatpipe.schema.json").read_text() == schema_text()

    (tmp_path / "pipeline.yaml").unlink()
    (tmp_path / "flatpipe.schema.json").write_text("mine")
    assert _flatpipe(monkeypatch, "init", str(tmp_path)) == 0
    assert (tmp_path / "flatpipe.schema.json").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["a b", "it's # 1", 'say "x"', "a: b", "${HOME}", "- x", "*", "é𝄞", "null", "1e3", "%x"]
)
def test_init_copes_with_any_folder_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that YAML or variables would read otherwise come back as they are."""
    write_image(tmp_path / name / "a.png", seed=1)

    assert _flatpipe(monkeypatch, "init", str(tmp_path)) == 0
    assert load_config(tmp_path / "pipeline.yaml").input.path == str(tmp_path / name)


@pytest.mark.parametrize("make", [
    lambda place: place.write_text("mine\n"),
    lambda place: place.mkdir(),
    lambda place: place.symlink_to("nowhere"),
], ids=["file", "folder", "dangling-link"])  # fmt: skip
def test_init_never_overwrites(make, tmp_path: Path, monkeypatch, capsys) -> None:
    """Whatever bears the config's name stays as it is; the command ends with 2 and says why."""
    place = tmp_path / "pipeline.yaml"
    make(place)

    assert _flatpipe(monkeypatch, "init", str(tmp_path)) == 2
    assert f"{place}: is there already; init never overwrites" in capsys.readouterr().err
    assert not place.is_file() or place.read_text() == "mine\n"
    assert not (tmp_path / "nowhere").exists()


def test_init_needs_a_folder(tmp_path: Path, monkeypatch, capsys) -> None:
    """A folder that is not there, or is a file, is an error in one line, and nothing is written."""
    (tmp_path / "file").write_text("")

    assert _flatpipe(monkeypatch, "init", str(tmp_path / "nope")) == 2
    assert _flatpipe(monkeypatch, "init", str(tmp_path / "file")) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"flatpipe: {tmp_path}/nope: No such file or directory",
        f"flatpipe: {tmp_path}/file: Not a directory",
    ]
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_look_counts_what_is_there(tmp_path: Path) -> None:
    """Images are counted by extension whatever its case, with the largest and all bytes; other files are not."""
    for name, size in (("a.JPG", 700), ("b.jpg", 300), ("deep/c.png", 50), ("notes.txt", 9000), (".hidden/d.png", 80)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    facts = look_at(str(tmp_path))

    assert (facts.n_images, dict(facts.extensions)) == (3, {"jpg": 2, "png": 1})
    assert (facts.largest_bytes, facts.total_bytes) == (700, 1050)
    found = "# Found on DAY: 3 images (jpg 2, png 1), 1.05 kB; the largest has 700 bytes.\n"
    assert found in re.sub(r"20\d\d-\d\d-\d\d", "DAY", starter_config(facts))


@pytest.mark.parametrize(("images", "words"), [
    (2, "wrote {0}/pipeline.yaml for 2 images; next: flatpipe run {0}/pipeline.yaml\n"),
    (1, "wrote {0}/pipeline.yaml for 1 image; next: flatpipe run {0}/pipeline.yaml\n"),
    (0, "wrote {0}/pipeline.yaml; no image is here yet: put some beside it, or set input.path\n"),
])  # fmt: skip
def test_init_says_what_to_type_next(images: int, words: str, tmp_path: Path, monkeypatch, capsys) -> None:
    """The config's place, the number of images, and the command that does them."""
    for number in range(images):
        write_image(tmp_path / f"{number}.png", seed=number)

    assert _flatpipe(monkeypatch, "init", str(tmp_path)) == 0
    assert capsys.readouterr().out == words.format(tmp_path)


@pytest.mark.parametrize(("n_images", "mean_bytes", "proposed"), [
    (0, 0, {}),
    (3, 5_000_000, {}),
    (500, 20_000, {}),
    (2_000, 5_000_000, {"max_failures": 0.05}),
    (9_000, 5_000_000, {"max_side": 512, "max_failures": 0.05}),
])  # fmt: skip
def test_proposals_suit_the_collection(n_images: int, mean_bytes: int, proposed: dict[str, object]) -> None:
    """Only what stays right when the folder grows is pinned, each with its reason; all else is at its default."""
    total = n_images * mean_bytes
    text = starter_config(StarterFacts("photos/", n_images, {"jpg": n_images}, mean_bytes, total))
    config = parse_config(text, "pipeline.yaml", "/folder").config

    sections = (config.animation, config.errors, config.execution, config.limits, config.report)
    pinned = {key: value for one in sections for key, value in one.model_dump(exclude_unset=True).items()}

    assert pinned == proposed
    assert max(map(len, text.splitlines())) <= 120
    for line in text.splitlines():
        assert not line.startswith(("  max_side:", "  scheduler:")) or " # " in line


def test_what_a_starter_has_commented_out_loads_too() -> None:
    """Every commented key of the starter can be put in by taking its # away."""
    text = starter_config(StarterFacts("photos/", 3, {"jpg": 3}, 10, 30))
    config = parse_config(text.replace("\n  # ", "\n  "), "pipeline.yaml", "/folder").config

    assert (config.flatten.space, config.flatten.alpha, config.animation.format) == ("oklab", "#ffffff", "webp")
    assert (config.errors.max_failures, config.execution.workers) == (0.05, 4)


def test_schema_prints_the_schema(monkeypatch, capsys) -> None:
    """`flatpipe schema` prints the model's JSON Schema and nothing else."""
    assert _flatpipe(monkeypatch, "schema") == 0
    assert capsys.readouterr().out == schema_text()


def test_who_has_no_docs_gets_every_key_printed(monkeypatch, capsys) -> None:
    """`flatpipe schema --yaml`, which the starter names, prints a config of every key that loads, and no docs/."""
    assert "`flatpipe schema --yaml`" in starter_config(StarterFacts("photos/"))
    assert _flatpipe(monkeypatch, "schema", "--yaml") == 0
    text = capsys.readouterr().out

    assert parse_config(text, "c.yaml", "/folder").config.model_fields_set >= {"input", "limits", "report"}
    assert "docs/" not in text + starter_config(StarterFacts("photos/"))


def test_schema_and_init_import_nothing_heavy(tmp_path: Path) -> None:
    """Neither command waits for numpy, Pillow, numba, scikit-learn or Dask."""
    program = (
        "import sys\nfrom flatpipe.cli import cli\n"
        "for arguments in (['schema'], ['init', sys.argv[1]]):\n    cli.main(arguments, standalone_mode=False)\n"
        "assert not {'numpy', 'PIL', 'numba', 'sklearn', 'dask', 'distributed'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_mutated_files_through_the_command(tmp_path: Path, monkeypatch, capsys) -> None:
    """Bytes of pipeline.yaml changed at random: validate and validate --resolved end in 0 or 2, and say something."""
    chance = random.Random(20261123)
    content = PIPELINE.read_bytes()
    codes = set()
    for number in range(60):
        mutated = bytearray(content)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(mutated))
            mutated[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        (tmp_path / "c.yaml").write_bytes(mutated)
        (tmp_path / "data").mkdir(exist_ok=True)
        code = _flatpipe(monkeypatch, "validate", str(tmp_path / "c.yaml"), *(["--resolved"] if number % 2 else []))
        told = capsys.readouterr()
        assert told.err.startswith("flatpipe: ") if code else told.out
        codes.add(code)
    assert codes == {0, 2}


@pytest.mark.parametrize("override", ["", "=", "k", "flatten.k=", "flatten=[", "a..b=1", "flatten.k.min=0", "\udcff=1"])
def test_broken_overrides_through_the_command(override: str, tmp_path: Path, monkeypatch, capsys) -> None:
    """An override that cannot be is an error of one config: exit code 2, the argument quoted."""
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"input": {"path": "."}, "output": {"path": "../out"}}))

    assert _flatpipe(monkeypatch, "validate", str(tmp_path / "c.yaml"), "-s", override) == 2
    assert capsys.readouterr().err.startswith("flatpipe: 1 error in the config\n-s: ")


def test_a_folder_given_as_config_through_the_command(tmp_path: Path, monkeypatch, capsys) -> None:
    """A folder in the place of a config ends with 2 and one line."""
    assert _flatpipe(monkeypatch, "validate", str(tmp_path)) == 2
    assert capsys.readouterr().err.startswith(f"flatpipe: {tmp_path} holds no config: `flatpipe flatten ")
