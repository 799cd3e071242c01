"""The JSON Schema against the loader: what flatpipe reads, an editor must not mark; what it marks, flatpipe refuses."""

from __future__ import annotations

import pytest
from jsonschema import Draft7Validator

from flatpipe.config import json_schema, parse_config
from flatpipe.config.fields import all_keys
from flatpipe.config.source import read_source
from flatpipe.errors import ConfigError

VALIDATOR = Draft7Validator(json_schema())

# Values of every form and of none, put in the place of every key.
VALUES = [
    *("null", "true", "false", "0", "1", "-1", "2", "8", "16", "20", "64", "255", "256", "257", "400", "4096", "4097"),
    *("16383", "16384", "60000", "60001", "100000", "100001", "4294967295", "4294967296", "67108863", "67108864"),
    *("1e3", "0.5", "-0.5", "1_000", "200_000_000", "2_000_000_000_000", "word", "''", "' '", "keep", "Keep", "auto"),
    *("rgb", "first", "gif", "threads", "fill", "pair", "sklearn", "'#ffffff'", "'#FFF'", "5%", "'100%'", "'101%'"),
    *("' 5.5 % '", "4 GiB", "500 MB", "64MiB", "10min", "90s", "'1.5 h'", "2-15", "2..15", "'2,4, 8-9'", "'2,,4'"),
    *("' auto'", "autos", "auto:knee", "'auto: psnr >= 30.5 '", "auto:psnr>30", "[auto]", "'auto,2'", "'auto:'"),
    *("knee", "knees", "psnr>=30", "' psnr >= 7'", "psnr>=1000", "psnr>=", "psnr>=30dB"),
    *("[]", "[2, 4]", "['2-4', 8]", "[2, x]", "[0]", "[[2]]", "['a', 'b']", "[true]", "{}", "{min: 2}", "{max: 300}"),
    *("{mim: 2}", "{jobs: 10}", "{jobs: 0}", "{jobs: x}", "a/b", "s3://b/x", "distributed.LocalCluster", "'5'"),
    *("ftp://h/x", "file:///a/b", "https://h/x"),
]  # fmt: skip

CLUSTER = "class: distributed.LocalCluster, "
ALLOWED = "allow_code: true, "
# ^ a schema does not see that a key may run code
BEYOND = {
    ("output.path", "s3://b/x"),
    ("limits.memory_per_worker", "1 kB"),
    ("palette.frozen", "true"),
    ("execution.cluster.address", "null"),
    ("execution.cluster.scheduler_file", "null"),
    ("execution.cluster.class", "null"),
    *((f"execution.cluster.security.{name}", "null") for name in ("ca_file", "cert", "key")),
}
# ^ refused because of another key, or by how they are quoted: a schema sees neither


def _text(path: tuple[str, ...], written: str) -> str:
    """The least config in which the key at `path` has a value."""
    inner = f"{path[-1]}: {written}"
    if path[:-1] == ("execution", "cluster") and path[-1] in ("address", "scheduler_file", "class"):
        return f"input: {{path: photos}}\nexecution: {{cluster: {{{inner}}}}}\n"
    for name in reversed(path[:-1]):
        files = "".join(f"{other}: x, " for other in ("ca_file", "cert", "key") if other != path[-1])
        cluster = CLUSTER + ALLOWED * (path[-1] != "allow_code")
        beside = {"input": "path: photos, ", "cluster": cluster, "security": files}
        inner = f"{name}: {{{beside.get(name, '') if path != ('input', 'path') else ''}{inner}}}"
    return inner + "\n" if path[0] == "input" else f"input: {{path: photos}}\n{inner}\n"


def _is_read(text: str) -> bool:
    try:
        parse_config(text, "c.yaml", "/folder")
    except ConfigError:
        return False
    return True


def _is_valid(text: str) -> bool:
    return bool(VALIDATOR.is_valid(read_source(text, "c.yaml").values))


@pytest.mark.parametrize("path", list(all_keys()), ids=".".join)
def test_schema_and_loader_agree_on_every_key(path: tuple[str, ...]) -> None:
    """For each key, the schema accepts every value that the loader reads, and refuses every other that it can see."""
    for written in VALUES:
        text = _text(path, written)
        if (".".join(path), written) in BEYOND:
            assert _is_valid(text) >= _is_read(text)
        else:
            assert _is_valid(text) == _is_read(text), text


@pytest.mark.parametrize("text", [
    "",
    "output:\nflatten:\nprofiles:\n",
    "profiles: {a: {flatten: {k: 2-4}}, b: {input: {exclude: '*.gif'}}, c: }\n",
    "profiles: {slurm: {execution: {cluster: {class: dask_jobqueue.SLURMCluster, adapt: {maximum_jobs: 3}}}}}\n",
    "execution: {cluster: {class: my.own.Cluster, allow_any_class: true, args: [1, x], kwargs: {a: [1, {b: c}]}}}\n",
    "execution: {cluster: {address: 'tcp://h:1', wait_for: {timeout: 1h}, allow_code: true, dask_config: {a.b: 1}}}\n",
    "output: {path: 's3://bucket/out'}\nexecution: {state_path: state}\n",
], ids=range(7))  # fmt: skip
def test_sound_configs_are_valid(text: str) -> None:
    """Empty sections, partial profiles, clusters and URLs are read by the loader and accepted by the schema."""
    assert _is_read(f"input: {{path: photos}}\n{text}")
    assert _is_valid(f"input: {{path: photos}}\n{text}")


@pytest.mark.parametrize("text", [
    "flatten: {k: 8}\n",
    "input:\n",
    "input: {exclude: []}\n",
    "input: {path: a}\nflaten: {k: 8}\n",
    "input: {path: a}\nflatten: {solvr: sklearn}\n",
    "input: {path: a}\nflatten: [8]\n",
    "input: {path: a}\nprofiles: [a]\n",
    "input: {path: a}\nprofiles: {a: fast}\n",
    "input: {path: a}\nprofiles: {a: {flaten: {}}}\n",
    "input: {path: a}\nprofiles: {a: {flatten: {k: 0}}}\n",
    "input: {path: a}\nprofiles: {a: {profiles: {}}}\n",
    "input: {path: a}\nexecution: {cluster: {klass: x}}\n",
], ids=range(12))  # fmt: skip
def test_broken_configs_are_not_valid(text: str) -> None:
    """Missing inputs, unknown keys and broken profiles are refused by the loader and marked by the schema."""
    assert not _is_read(text)
    assert not _is_valid(text)


def test_grouped_digits_are_valid_for_an_editor() -> None:
    """200_000_000 is a text to an editor's YAML, and valid all the same."""
    assert VALIDATOR.is_valid({"input": {"path": "photos"}, "limits": {"max_pixels": "200_000_000"}})
