"""YAML -> one frozen Config, read once, checked once; every error with its place."""

from flatpipe.config.documents.annotated import every_key_yaml
from flatpipe.config.documents.reference import config_reference
from flatpipe.config.documents.resolved import resolved_yaml
from flatpipe.config.documents.schema import json_schema, schema_text
from flatpipe.config.documents.starter import StarterFacts, starter_config
from flatpipe.config.kinds import IMAGE_PATTERNS, IMAGE_SUFFIXES
from flatpipe.config.layers import Argument
from flatpipe.config.load import (
    LoadedConfig,
    config_file,
    default_config,
    load_config,
    load_resolved,
    parse_config,
)
from flatpipe.config.models import Config
from flatpipe.config.problems import ConfigProblems, Origin, Problem
from flatpipe.config.values import parse_k

__all__ = [
    "IMAGE_PATTERNS",
    "IMAGE_SUFFIXES",
    "Argument",
    "Config",
    "ConfigProblems",
    "LoadedConfig",
    "Origin",
    "Problem",
    "StarterFacts",
    "config_file",
    "config_reference",
    "default_config",
    "every_key_yaml",
    "json_schema",
    "load_config",
    "load_resolved",
    "parse_config",
    "parse_k",
    "resolved_yaml",
    "schema_text",
    "starter_config",
]
