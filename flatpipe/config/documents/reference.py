"""docs/config.md, pipeline.yaml and the JSON Schema, all written from the model.

`python -m flatpipe.config` writes them anew in the current folder; tests hold that they are in step.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

from flatpipe.config.documents.annotated import pipeline_yaml
from flatpipe.config.documents.schema import SCHEMA_FILE, schema_text
from flatpipe.config.fields import allowed_words, default_as_written, fields_at, section_of
from flatpipe.places import LOCAL_PROTOCOLS, PROTOCOLS, READ_ONLY_PROTOCOLS

_HEAD = """\
# The config

One YAML file says what a run does; `flatpipe run` reads `pipeline.yaml` unless another one is named. Only `input.path`
or `input.list` is needed. `flatpipe validate` tells every error in it at once, `flatpipe validate --resolved` prints
every value and where it came from. `pipeline.yaml` in the repository shows every key at its default.

This page is written from the model that checks the config (`python -m flatpipe.config`).
"""

_TAIL = """
## How values are written

* Words, numbers and `true` / `false` are those of YAML 1.2: `no` and `on` are words, `1e-3` is a number, `12:30` is a
  text, and digits may be grouped: `200_000_000`.
* A text that begins with `#`, `*`, `&`, `!`, `%`, `@` or `{` must stand in quotes: `alpha: "#ffffff"`,
  `include: "**/*.jpg"`. Patterns are safest in quotes.
* A key that is not known, or given twice, is an error; so is a value of the wrong kind or out of range.
* A section whose keys are all left out or commented out stands at its defaults.
* Anchors, aliases and `<<` work; tags (`!!python/...`) are refused.

## Paths

Relative paths start at the folder of the config file, wherever the command is run, also in overrides; `~` is the home
folder. `flatpipe validate --resolved` shows them absolute.

<urls>

Several places, patterns, and lists of files and URLs: [data-sets.md](data-sets.md#lists-of-files-and-urls).

Archives (tar, zip, cbz and others) are opened wherever they lie, and each member is an image:
[docs/data-sets.md](data-sets.md#archives-in).

Of a folder, links that lead out of it and folders that are links are left alone unless `input.follow_symlinks` is
true, and so are hidden files and folders, whose names begin with a dot, always. What systems leave among pictures is
never looked into, in whatever case it is written: `@eaDir`, `#recycle`, `#snapshot`, `@Recycle`,
`@Recently-Snapshot`, `$RECYCLE.BIN`, `RECYCLER`, `System Volume Information`, `Thumbs.db`, `ehthumbs.db`,
`desktop.ini`, `__MACOSX`, `Network Trash Folder`, `Temporary Items` and `lost+found`; to take pictures out of
such a folder, name it as `input.path`. So is a folder in which an earlier run has
left its ledger. `flatpipe plan`, and a run at its beginning, count what was skipped.

Outputs may not lie in the input, nor the input in the outputs, nor the ledger in the input, whatever links and
spellings lead there.

## Variables

`${NAME}` in a value is replaced from the environment, and nowhere else does the environment come in; `$${NAME}` is the
text `${NAME}`. A variable that is not set is an error where it is used; in a profile, only when the profile is chosen.
A value that stands without quotes is read after its variables are put in: `workers: ${N}` is a number. Within `[ ]` and
`{ }` a text with a variable must be quoted.

A run keeps its config as resolved, in `run.json`, `runs/` and the ledger, but for secrets: below `execution.cluster`
texts with a variable are kept, and shown by `validate --resolved`, as they were written, and the values of keys that
are not known to be harmless are kept as `***`. Paths stand in every table: a URL with a password or a signature in it
is refused; storage libraries read theirs from the environment themselves.

## Trust

A config from a stranger reads images and writes outputs where it says, and runs no code. `execution.cluster` names
machines that are trusted: whoever answers there can run code here. Keys below it that name code themselves (preloads,
lines of job scripts, programs, classes, variables of the environment, images) are refused unless `allow_code: true`
or `allow_any_class: true` stands there: [docs/clusters.md](clusters.md#what-a-config-may-do) has the whole list.

## Profiles

```yaml
input: {path: photos/}
profiles:
  quick:
    flatten: {k: 2-4}
    animation: {enabled: false}
  slurm:
    execution:
      cluster:
        class: dask_jobqueue.SLURMCluster
        kwargs: {cores: 8, processes: 8, memory: 32 GB, walltime: "01:00:00"}
        adapt: {minimum_jobs: 1, maximum_jobs: 10}
```

`flatpipe run --profile quick` lays the profile over the rest: mappings are joined key by key, anything else is
replaced, and `null` takes a value back. Profiles that are not chosen are checked all the same.

## Overrides

`-s flatten.k=2-8` (repeatable) gives a key another value, read as YAML, with the same checks; it lies over the profile.
A value that begins with `#`, `*` or another sign that YAML reserves is taken as text here: `-s flatten.alpha=#ffffff`.

## Which k?

`flatten: {k: auto}` makes every k from 2 to `flatten.auto.max`, and copies the flat image that `flatten.auto.target`
names to `best.png`: that at the knee of the distortion curve, or the smallest k whose PSNR reaches so many dB. A target
behind the word goes before the section's, in a config and on the command line: `-k "auto:psnr>=30"`. When no k reaches
the target, the largest is taken, and the image's notes in `results.csv` say so.

## Errors

Every error of a config is told at once, before anything is done (exit code 2), with its place, what is allowed and the
nearest key or value that is known:

```text
flatpipe: 2 errors in the config
pipeline.yaml:3:3: flatten.spce: unknown key; did you mean 'space'? allowed: k, auto, solver, seed, space, dither, alpha
      spce: oklab
      ^
-s: input.truncated: must be fail or fill, not 'filled'; did you mean 'fill'?
    -s input.truncated=filled
                       ^
```

An error in a profile names it (`profiles.slurm.flatten.k`); one in an override quotes the argument.

## Starting

`flatpipe init DIR` writes a short `pipeline.yaml` into a folder, with values that suit the images there and the reason
beside each, and `flatpipe.schema.json` beside it for editors. It opens no image and overwrites no file.

## Editors

`# yaml-language-server: $schema=...` in the first line of a config gives completion, hover text and checks in editors
with a YAML language server. `flatpipe schema` prints the schema (draft-07); after an update of flatpipe,
`flatpipe schema > flatpipe.schema.json` brings that of an older `flatpipe init` up to date. A variable in the place of
a number is beyond it: the editor may mark it, flatpipe does not.
"""


def _quoted(protocols: tuple[str, ...]) -> str:
    """Protocols as a page shows them: `http://` and `https://`."""
    *others, last = (f"`{protocol}://`" for protocol in protocols)
    return f"{', '.join(others)} and {last}"


_URLS = fill(
    f"URLs begin with {_quoted(PROTOCOLS)}; {_quoted(READ_ONLY_PROTOCOLS)} are for the input alone, and what "
    f"`memory://` holds ends with the process: only programs use it. {_quoted(LOCAL_PROTOCOLS)} are local paths.",
    118,
    break_on_hyphens=False,
)


def config_reference() -> str:
    """The text of docs/config.md: every key with default, range and meaning, then how the file is read."""
    return _HEAD + "".join(_tables(())) + _TAIL.replace("<urls>", _URLS)


def write_files(root: Path) -> None:
    """Write docs/config.md, pipeline.yaml and the schema below the repository's root."""
    (root / "docs" / "config.md").write_text(config_reference(), encoding="utf-8")
    (root / "pipeline.yaml").write_text(pipeline_yaml(), encoding="utf-8")
    (root / "flatpipe" / "config" / SCHEMA_FILE.name).write_text(schema_text(), encoding="utf-8")


def _tables(path: tuple[str, ...]) -> Iterator[str]:
    """One table per section, those within it after it."""
    fields = fields_at(path) or {}
    yield "\n| key | default | allowed | meaning |\n|---|---|---|---|\n"
    for name, field in fields.items():
        if section_of(field) is None or field.get_default(call_default_factory=True) is None:
            default = "none: needed" if field.is_required() else f"`{default_as_written(field)}`"
            cells = map(_cell, (default, allowed_words(field), field.description or ""))
            yield f"| `{'.'.join((*path, name))}` | {' | '.join(cells)} |\n"
    for name, field in fields.items():
        if (section := section_of(field)) is not None:
            yield f"\n## `{'.'.join((*path, name))}`\n\n{section.__doc__}\n"
            yield from _tables((*path, name))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
