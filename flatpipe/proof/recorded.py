"""The config of a run that was: from its config file, or from the ledger in its output folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flatpipe import layout
from flatpipe.config import Config, config_file, load_config, parse_config
from flatpipe.config.documents.resolved import yaml_of
from flatpipe.errors import ConfigError
from flatpipe.ledger.database import sound
from flatpipe.ledger.ledger import Ledger


def recorded_config(place: str, overrides: tuple[str, ...] = (), profile: str | None = None) -> Config:
    """The Config of a config file, or of the last run that wrote into an output folder; raises ConfigError.

    An output folder may have been moved or copied since: its config's output.path is where it is now.
    """
    if not is_output(place):
        return load_config(place, overrides, profile)
    content = _last_config(Path(place))
    content["output"]["path"] = str(Path(place).absolute())
    content["execution"]["state_path"] = None
    return parse_config(yaml_of(content), f"{place}/{layout.LEDGER}", str(Path.cwd()), overrides, profile).config


def is_output(place: str) -> bool:
    """Whether a place is the output folder of a run; raises ConfigError for a folder that has no config either."""
    if (Path(place) / layout.LEDGER).is_file():
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


def _last_config(folder: Path) -> dict[str, Any]:
    path = folder / layout.LEDGER
    ledger = Ledger(str(path), read_only=True)
    try:
        run = ledger.last_run()
    finally:
        ledger.close()
    if run is None:
        raise ConfigError(f"{path}: no run is recorded here")
    with sound(str(path)):
        return dict(json.loads(run.config))
