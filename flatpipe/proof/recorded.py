"""The config of a run that was: from its config file, or from the ledger in its output folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flatpipe import layout
from flatpipe.config import Config, load_config, parse_config
from flatpipe.config.documents.resolved import yaml_of
from flatpipe.errors import ConfigError
from flatpipe.ledger.ledger import Ledger


def recorded_config(place: str, overrides: tuple[str, ...] = (), profile: str | None = None) -> Config:
    """The Config of a config file, or of the last run that wrote into an output folder; raises ConfigError.

    An output folder may have been moved or copied since: its config's output.path is where it is now.
    """
    if not Path(place).is_dir():
        return load_config(place, overrides, profile)
    content = _last_config(Path(place))
    content["output"]["path"] = str(Path(place).absolute())
    content["execution"]["state_path"] = None
    return parse_config(yaml_of(content), f"{place}/{layout.LEDGER}", str(Path.cwd()), overrides, profile).config


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
    if not path.is_file():
        raise ConfigError(f"{folder}: no {layout.LEDGER} here; name an output folder, or a config file")
    ledger = Ledger(str(path), read_only=True)
    try:
        run = ledger.last_run()
    finally:
        ledger.close()
    if run is None:
        raise ConfigError(f"{path}: no run is recorded here")
    return dict(json.loads(run.config))
