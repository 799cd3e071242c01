"""The frozen config as the records that tasks, discovery and execution understand."""

from __future__ import annotations

from typing import get_args

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.environment import missing_codecs, missing_parquet
from flatpipe.errors import ConfigError
from flatpipe.places import ReadPolicy
from flatpipe.plan.inputs.places import searched_folders
from flatpipe.plan.palettes.colors import flatten_options, ks_of, named_colors
from flatpipe.quantize.options import CostlyMetric
from flatpipe.settings import AnimationOptions, DecodePolicy, TaskSettings
from flatpipe.storage.discover import Selection
from flatpipe.system.machine import core_count, memory_at_hand


def memory_per_worker(config: Config, workers: int | None = None) -> int:
    """Bytes that one worker may use: the config's word, or the memory at hand shared among the workers."""
    if config.limits.memory_per_worker is not None:
        return config.limits.memory_per_worker
    count = core_count() if config.execution.workers == "auto" else int(config.execution.workers)
    return memory_at_hand() // (workers or count)


def task_settings(config: Config) -> TaskSettings:
    """What is the same for every task of a run."""
    flatten, animation, ks = config.flatten, config.animation, ks_of(config)
    return TaskSettings(
        output=str(config.output.path),
        flatten=flatten_options(config),
        reading=_reading(config),
        decode=DecodePolicy(max_pixels=config.limits.max_pixels, truncated=config.input.truncated, alpha=flatten.alpha),
        animation=AnimationOptions(
            enabled=animation.enabled,
            format=animation.format,
            frame_ms=animation.frame_ms,
            hold_ms=animation.hold_ms,
            max_side=animation.max_side,
            captions=animation.captions,
            fade=animation.fade,
        ),
        name_width=layout.name_width(ks),
        widest_k=layout.widest_k(ks),
        n_ks=len(ks),
        flats=config.output.flats,
        pictures=config.has_report,
        stills=config.has_report and config.report.stills,
        palettes=config.output.palettes,
        target=flatten.target,
        named=tuple((color.hex, color.name, color.code) for color in named_colors(config)),
        is_shared=config.palette.is_shared,
        weigh=config.palette.weigh,
        metrics=_metrics(config),
        features=config.output.features,
        pieces=layout.PIECES if config.output.layout == "shards" else "",
        io_retries=config.errors.retries,
        seconds_per_image=config.limits.seconds_per_image,
    )


def _metrics(config: Config) -> tuple[CostlyMetric, ...]:
    """The costly measures that are taken: those asked for, and of images that get frozen palettes how well they fit."""
    asked = {*config.output.metrics, *(["own_mse"] if config.palette.frozen else [])}
    return tuple(name for name in get_args(CostlyMetric) if name in asked)


def check_extras(config: Config) -> None:
    """Raise ConfigError, with what to install, when this flatpipe cannot write what is asked for."""
    if config.animation.enabled and (missing := missing_codecs(config.animation.format)):
        raise ConfigError(f"animation.format: {missing}")
    if config.output.features and (missing := missing_parquet(layout.FEATURES)):
        raise config.refused(("output", "features"), missing)


def _reading(config: Config) -> ReadPolicy:
    """How inputs are read: links as they were found, and no file that alone would fill half a worker."""
    return ReadPolicy(searched_folders(config), memory_per_worker(config) // 2)
    # ^ a file that the user named may be a link


def selection(config: Config) -> Selection:
    """Which files the input section asks for; its root is the first of its places, if any."""
    section = config.input
    return Selection(
        root=section.places[0] if section.places else "",
        include=tuple(section.include),
        exclude=tuple(section.exclude),
        follow_symlinks=section.follow_symlinks,
        column=section.column,
    )
