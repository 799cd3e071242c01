"""What cannot be done in parts, and what to do instead."""

from __future__ import annotations

from flatpipe.config import Config
from flatpipe.errors import ConfigError
from flatpipe.plan.parts.part import RunPart


def check_part(part: RunPart | None, config: Config, lock: str | None) -> None:
    """Raise ConfigError when a part of this run cannot be done without the others."""
    if part is None:
        return
    if config.palette.is_shared and not config.palette.frozen:
        key = "groups" if config.palette.groups else "scope"
        words = (
            "images share palettes, which no part can find alone; run without --shard, or let one run make them and "
            "set palette.frozen: true, or give them with palette.from"
        )
        raise config.refused(("palette", key), f"--shard {part}: {words}")
    if lock is not None:
        raise ConfigError(
            f"--shard {part}: a lock tells of all images, and a part has none; after `flatpipe merge`, "
            "`flatpipe run --locked` proves them"
        )
