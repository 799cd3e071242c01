"""YAML -> one frozen Config, read once, checked once; every error with its place."""

from flatpipe.config.load import LoadedConfig, default_config, load_config, load_resolved, parse_config
from flatpipe.config.models import Config
from flatpipe.config.resolved import resolved_yaml
from flatpipe.config.values import parse_k

__all__ = [
    "Config",
    "LoadedConfig",
    "default_config",
    "load_config",
    "load_resolved",
    "parse_config",
    "parse_k",
    "resolved_yaml",
]
