"""A sound config: what its values become, and where they came from."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flatpipe.config import (
    Argument,
    Config,
    ConfigProblems,
    LoadedConfig,
    default_config,
    load_config,
    load_resolved,
    parse_config,
    resolved_yaml,
)
from flatpipe.config.scalars import escape_variables, fill_variables

INPUT = "input: {path: photos}\n"


def _parsed(text: str, *overrides: str | Argument, profile: str | None = None) -> Config:
    return parse_config(text, "c.yaml", "/base", overrides, profile).config


def test_an_input_alone_is_a_config() -> None:
    """Every key but input.path has a default; paths are absolute, from the config's folder."""
    config = _parsed(INPUT)

    assert config.input.path == "/base/photos"
    assert config.output.path == "/base/outputs"
    assert config.flatten.k == tuple(range(2, 16))
    assert (config.limits.max_pixels, config.limits.memory_per_worker) == (200_000_000, None)
    assert (config.execution.scheduler, config.execution.workers, config.execution.cluster) == ("auto", "auto", None)
    assert "**/*.{fli,flc,xbm,xpm,msp}" in config.input.include


def test_a_config_never_changes() -> None:
    """A loaded config is frozen, section by section, and can cross to another process."""
    config = _parsed(INPUT)

    with pytest.raises(ValidationError):
        config.flatten.seed = 1  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(config)) == config


def test_values_are_those_of_yaml_12() -> None:
    """1e3 and grouped digits are numbers, `no` is a text, JSON is YAML, an empty section is defaults."""
    text = """
        input: {path: no, exclude: [on, off, 12:30, 2024-01-02, 1.2.3], include: "*.jpg"}
        flatten: {k: !!str 8, seed: 1_000}
        animation:
          # frame_ms: 20
        limits: {max_pixels: 1e6, seconds_per_image: 1e-3, memory_per_worker: 1.5 GiB}
        errors: {max_failures: 5%}
    """
    config = _parsed(text)

    assert config.input.path == "/base/no"
    assert config.input.exclude == ("on", "off", "12:30", "2024-01-02", "1.2.3")
    assert config.input.include == ("*.jpg",)
    assert (config.flatten.k, config.flatten.seed) == ((8,), 1000)
    assert config.animation.frame_ms == 400
    assert config.limits.max_pixels == 10**6
    assert config.limits.seconds_per_image == 0.001
    assert config.limits.memory_per_worker == 3 * 2**29
    assert config.errors.max_failures == 0.05
    assert _parsed('{"input": {"path": "a"},}').input.path == "/base/a"


def test_a_config_is_json_whatever_its_paths_are() -> None:
    """as_json holds every key by the name that a config writes, also where a path is not valid UTF-8."""
    text = 'input: {path: "\\udcff"}\nexecution: {cluster: {class: coiled.Cluster}}\nerrors: {max_failures: 5%}'
    told = json.loads(_parsed(text).as_json())

    assert told["input"]["path"] == "/base/\udcff"
    assert told["execution"]["cluster"]["class"] == "coiled.Cluster"
    assert told["errors"]["max_failures"] == "5%"


def test_a_share_of_failures_grows_with_the_images() -> None:
    """max_failures counts images, or a share of them, or nothing."""
    allowed = [
        _parsed(f"{INPUT}errors: {{max_failures: {value}}}").errors.allowed_failures(200) for value in (7, "5%", "null")
    ]

    assert allowed == [7, 10, None]


def test_anchors_aliases_and_merges_work() -> None:
    """Aliases repeat a value, `<<` joins mappings, and a key written out goes before a merged one."""
    text = """
        input: {path: photos}
        flatten: &quick {k: 3, seed: 5}
        profiles:
          one: {flatten: *quick}
          two: {flatten: {<<: *quick, seed: 6}}
          three: {flatten: {<<: [{seed: 7}, *quick], space: oklab}}
    """
    seeds = [_parsed(text, profile=name).flatten for name in ("one", "two", "three")]

    assert [(flatten.k, flatten.seed, flatten.space) for flatten in seeds] == [
        ((3,), 5, "rgb"),
        ((3,), 6, "rgb"),
        ((3,), 7, "oklab"),
    ]


# --- paths and variables ---------------------------------------------------------------------------------------------


def test_paths_start_at_the_config_and_urls_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths start at the config's folder, wherever the command runs; ~ is home; URLs stay as they are."""
    monkeypatch.setenv("HOME", "/home/somebody")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "c.yaml").write_text(
        "input: {path: ../photos/}\noutput: {path: s3://bucket/a/../b/}\nexecution:\n  state_path: ~/state\n"
        "  cluster: {scheduler_file: s.json}\n"
    )
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("project/c.yaml"))

    assert config.input.path == str(tmp_path / "photos")
    assert config.output.path == "s3://bucket/a/../b/"
    assert config.execution.state_path == "/home/somebody/state"
    assert config.execution.cluster is not None
    assert config.execution.cluster.scheduler_file == str(tmp_path / "project" / "s.json")


def test_a_home_that_is_nobodys_is_a_folder_of_that_name() -> None:
    """~name of an unknown user stays a plain name instead of breaking the config."""
    assert _parsed("input: {path: ~no-such-user-here/a}").input.path == "/base/~no-such-user-here/a"


def test_variables_are_put_in_where_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """${NAME} is the environment's, typed where it stands without quotes; $NAME and $${NAME} are plain text."""
    monkeypatch.setenv("FLATPIPE_N", "3")
    monkeypatch.setenv("FLATPIPE_EMPTY", "")
    text = """
        input:
          path: ${FLATPIPE_N}/a${FLATPIPE_EMPTY}
          exclude: ["$HOME", "$${HOME}", "${FLATPIPE_N}", "${not a name}", "$"]
        execution:
          workers: ${FLATPIPE_N}
    """
    config = _parsed(text)

    assert config.input.path == "/base/3/a"
    assert config.input.exclude == ("$HOME", "${HOME}", "3", "${not a name}", "$")
    assert config.execution.workers == 3


def test_an_empty_variable_is_an_empty_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to nothing is no null: a path that it makes up is empty, and told so."""
    monkeypatch.setenv("FLATPIPE_EMPTY", "")
    with pytest.raises(ConfigProblems, match=r"input\.path: must not be empty"):
        _parsed("input:\n  path: ${FLATPIPE_EMPTY}\n")


@given(st.text())
def test_any_text_can_be_written_without_variables(text: str) -> None:
    """Escaping keeps every text as it is when variables are put in."""
    assert fill_variables(escape_variables(text)).text == text


def test_a_variable_is_wanted_only_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set is no error in a profile that is not chosen, nor under an override."""
    monkeypatch.delenv("FLATPIPE_NOT_SET", raising=False)
    text = 'input: {path: "${FLATPIPE_NOT_SET}"}\nprofiles: {other: {limits: {max_pixels: "${FLATPIPE_NOT_SET}"}}}\n'

    assert _parsed(text, "input.path=a").input.path == "/base/a"
    with pytest.raises(ConfigProblems, match=r"input\.path: the environment has no variable FLATPIPE_NOT_SET"):
        _parsed(text)
    with pytest.raises(ConfigProblems, match=r"max_pixels: the environment has no variable FLATPIPE_NOT_SET"):
        _parsed(text, "input.path=a", profile="other")


# --- profiles and overrides ------------------------------------------------------------------------------------------

PROFILES = """
input: {path: photos}
flatten: {k: {min: 2, max: 9}, seed: 5}
execution: {cluster: {address: "tcp://h:1", wait_for: {workers: 3}}}
profiles:
  quick:
    flatten: {k: {max: 4}}
    animation: {enabled: false}
  list:
    flatten: {k: [8, 6]}
  slurm:
    execution: {cluster: {address: null, class: dask_jobqueue.SLURMCluster, scale: {jobs: 2}}}
  nothing:
"""


def test_a_profile_lies_over_the_file() -> None:
    """Mappings are joined key by key, lists are replaced, null takes a value back, an empty profile changes nothing."""
    assert _parsed(PROFILES, profile="quick").flatten.k == (2, 3, 4)
    assert _parsed(PROFILES, profile="quick").flatten.seed == 5
    assert not _parsed(PROFILES, profile="quick").animation.enabled
    assert _parsed(PROFILES, profile="list").flatten.k == (6, 8)
    assert _parsed(PROFILES, profile="nothing") == _parsed(PROFILES)
    cluster = _parsed(PROFILES, profile="slurm").execution.cluster
    assert cluster is not None
    assert (cluster.address, cluster.class_, cluster.scale) == (None, "dask_jobqueue.SLURMCluster", {"jobs": 2})
    assert cluster.wait_for.workers == 3


def test_a_profile_may_bring_what_the_file_lacks() -> None:
    """input.path, or the ledger's place for a URL, may stand in a profile alone; without it they are missing."""
    text = "output: {path: s3://b/o}\nprofiles:\n  s3: {input: {path: s3://b/i}, execution: {state_path: s}}\n"

    assert _parsed(text, profile="s3").input.path == "s3://b/i"
    with pytest.raises(ConfigProblems, match=r"input\.path: is missing"):
        _parsed(text)


def test_overrides_lie_over_everything_and_are_typed() -> None:
    """The last override wins over earlier ones, over the profile and over the file."""
    config = _parsed(
        PROFILES, "flatten.k.max=5", "flatten.seed=1", "flatten.seed=2", "animation.max_side=null", profile="quick"
    )

    assert (config.flatten.k, config.flatten.seed, config.animation.max_side) == ((2, 3, 4, 5), 2, None)


def test_what_lies_over_an_error_does_not_hide_it() -> None:
    """A file with a bad value is broken, also when a profile or an override gives the key a good one."""
    text = f"{INPUT}flatten: {{k: 0}}\nprofiles: {{good: {{flatten: {{k: 3}}}}}}\n"

    for arguments in ({"overrides": ["flatten.k=3"]}, {"profile": "good"}):
        with pytest.raises(ConfigProblems, match=r"c\.yaml:2:14: flatten\.k: 0 is out of range"):
            parse_config(text, "c.yaml", "/base", **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(("override", "expected"), [
    ("flatten.alpha=#FFffff", "#ffffff"),
    ("flatten.alpha = '#000000'", "#000000"),
    ("input.include=**/*.jpg", ("**/*.jpg",)),
    ("input.exclude=[a, 'b c']", ("a", "b c")),
    ("output.path=a=b", "/base/a=b"),
    ("execution.cluster.dask_config={distributed.scheduler.allowed-failures: 8}",
     {"distributed.scheduler.allowed-failures": 8}),
    ("execution.cluster.kwargs.worker-extra_args=[--nanny]", {"worker-extra_args": ["--nanny"]}),
])  # fmt: skip
def test_overrides_need_no_quotes_for_signs_that_yaml_reserves(override: str, expected: object) -> None:
    """A colour or a pattern can be given as a shell user writes it; everything else is read as YAML."""
    config = _parsed(
        f"{INPUT}execution: {{cluster: {{class: distributed.LocalCluster, allow_code: true}}}}\n", override
    )
    value: object = config
    for part in override.partition("=")[0].strip().split("."):
        value = getattr(value, part, value)

    assert value == expected


def test_an_argument_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command's own flag gives is never read as YAML: any file name goes through."""
    monkeypatch.chdir(tmp_path)
    config = default_config(
        "a: b #1", [Argument("-o", "output.path", "${HOME}: *x #"), Argument("-k", "flatten.k", "3")]
    )

    assert config.input.path == str(tmp_path / "a: b #1")
    assert config.output.path == str(tmp_path / "${HOME}: *x #")
    assert config.flatten.k == (3,)


def test_an_argument_that_is_wrong_is_pointed_at() -> None:
    """An error in a flag's value names the flag and shows it."""
    with pytest.raises(ConfigProblems) as caught:
        default_config("a", [Argument("-k", "flatten.k", "2-999")])

    assert str(caught.value).splitlines()[1:] == [
        "-k: flatten.k: 999 is out of range; k is from 1 to 256",
        "    -k 2-999",
        "       ^",
    ]


# --- where values came from ------------------------------------------------------------------------------------------


def test_the_resolved_config_says_where_each_value_came_from() -> None:
    """Defaults, lines of the file, profiles and overrides are named behind the values they gave."""
    loaded = parse_config(PROFILES, "c.yaml", "/base", ["flatten.k.max=3", "errors.retries=0"], "quick")
    lines = dict(line.split("  # ") for line in resolved_yaml(loaded).splitlines() if "  # " in line)

    assert lines["version: 1"] == "default"
    assert lines['  path: "/base/photos"'] == "c.yaml:2"
    assert lines["  seed: 5"] == "c.yaml:3"
    assert lines["  enabled: false"] == "c.yaml:8 (profile quick)"
    assert lines["  retries: 0"] == "-s errors.retries=0"
    assert lines["  k: [2, 3]"] == "c.yaml:3, -s flatten.k.max=3"


def _round_trip(loaded: LoadedConfig) -> Config:
    return parse_config(resolved_yaml(loaded), "resolved.yaml", "/elsewhere").config


@pytest.mark.parametrize("text", [
    INPUT,
    PROFILES,
    'input: {path: "a # b: $${C} \\" \\\\ é 𝄞 \\n", exclude: ["*", "no", "1", "null", "", "${", "-", "{a,b}"]}',
    f"{INPUT}errors: {{max_failures: 33.3%}}\nlimits: {{memory_per_worker: 500 MB, seconds_per_image: 0.1}}",
    f"{INPUT}execution: {{cluster: {{class: coiled.Cluster, allow_code: true, args: [1, {{a: [null, x]}}]}}}}",
], ids=["defaults", "profiles", "signs", "numbers", "cluster"])  # fmt: skip
def test_the_resolved_config_loads_as_the_same_config(text: str) -> None:
    """What `validate --resolved` prints is a config by itself, with the same values, from any folder."""
    loaded = parse_config(text, "c.yaml", "/base")

    assert _round_trip(loaded) == loaded.config


def test_origins_name_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The origins of a loaded file hold its name, line and column, for whoever shows them."""
    (tmp_path / "c.yaml").write_text("# photos\ninput:\n  path: a\n")
    monkeypatch.chdir(tmp_path)

    assert str(load_resolved("c.yaml").origins["input", "path"]) == "c.yaml:3:9"


def test_importing_the_config_stays_light() -> None:
    """The config needs pydantic and PyYAML, and none of the libraries that take long to import."""
    program = (
        "import sys, flatpipe.config\n"
        "heavy = {'numpy', 'numba', 'PIL', 'dask', 'sklearn', 'fsspec', 'rich', 'jinja2', 'jsonschema'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_input_may_be_several_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of paths, URLs and patterns, each from the config's folder and with variables; kept as a list."""
    monkeypatch.setenv("DISK", "/disk")
    config = _parsed("input:\n  path: ['${DISK}/a', s3://b/c, 'shards/{00..09}.tar']\n")

    assert config.input.places == ("/disk/a", "s3://b/c", "/base/shards/{00..09}.tar")
    assert config.recorded()["input"]["path"] == ["/disk/a", "s3://b/c", "/base/shards/{00..09}.tar"]
    assert config.recorded()["input"]["path"] == json.loads(config.as_json())["input"]["path"]
