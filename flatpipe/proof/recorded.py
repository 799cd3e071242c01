"""The config of a run that was: from its config file, or from the ledger in its output folder."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from flatpipe import layout
from flatpipe.config import Config, config_file, load_config, parse_config
from flatpipe.config.documents.resolved import yaml_of
from flatpipe.errors import ConfigError
from flatpipe.ledger.answers import RecordedRun
from flatpipe.ledger.database import sound
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.parts.part import part_named


def recorded_config(
    place: str, overrides: tuple[str, ...] = (), profile: str | None = None, *, of_parts: bool = False
) -> Config:
    """The Config of a config file, or of the last run that wrote into an output folder; raises ConfigError.

    An output folder may have been moved or copied since: its config's output.path is where it is now. With `of_parts`
    the last run is that of a part, as it is where no other has been.
    """
    if not is_output(place):
        return load_config(place, overrides, profile)
    content = _last_config(Path(place), of_parts=of_parts)
    content["output"]["path"] = str(Path(place).absolute())
    content["execution"]["state_path"] = None
    return parse_config(yaml_of(content), f"{place}/{layout.LEDGER}", str(Path.cwd()), overrides, profile).config


def is_output(place: str) -> bool:
    """Whether a place is the output folder of a run; raises ConfigError for a folder that has no config either."""
    if (Path(place) / layout.LEDGER).is_file() or _ledgers_of_parts(Path(place)):
        return True
    if Path(place).is_dir():
        try:
            config_file(place)
        except ConfigError as error:
            raise ConfigError(f"{place}: no {layout.LEDGER} here, and {error}") from None
    return False


def check_recorded(ledger: Ledger, ledger_path: str) -> None:
    """Raise ConfigError when the ledger knows of no image: it is a new one, or was emptied."""
    if not ledger.planned_counts().images:
        raise ConfigError(f"{ledger_path}: no image is recorded here; `flatpipe run` records what it makes")


def config_yaml(config: Config) -> str:
    """YAML text of a whole config as a run keeps it, loadable as it is where its variables are set."""
    lines = []
    for name, value in config.recorded().items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key}: {yaml_of(inner)}" for key, inner in value.items())]
        else:
            lines.append(f"{name}: {yaml_of(value)}")
    return "\n".join(lines) + "\n"


def _last_config(folder: Path, *, of_parts: bool) -> dict[str, Any]:
    path, parts = folder / layout.LEDGER, _ledgers_of_parts(folder)
    paths = parts if parts and (of_parts or not path.is_file()) else [path]
    runs = [(run.started, str(path), run.config) for path in paths if (run := _last_run(path)) is not None]
    if not runs:
        raise ConfigError(f"{paths[0]}: no run is recorded here")
    _, where, config = max(runs)
    with sound(where):
        return dict(json.loads(config))


def _last_run(path: Path) -> RecordedRun | None:
    with contextlib.closing(Ledger(str(path), read_only=True)) as ledger:
        return ledger.last_run()


def _ledgers_of_parts(folder: Path) -> list[Path]:
    """The ledgers, or copies of them, that parts of a run have left in an output folder."""
    return sorted(path for path in folder.glob(f"{layout.PARTS}/*/{layout.LEDGER}") if part_named(path.parent.name))
