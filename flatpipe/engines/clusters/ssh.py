"""The run's credentials on the machines of an SSHCluster, in a folder that no other user there may enter.

Dask would write them into the command line of scheduler and workers, which every user of those machines can read.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import uuid
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from distributed.security import Security

from flatpipe.engines.clusters.security import certificates, in_files

_SECONDS = 60.0
# ^ for all machines to take the files; they are asked side by side
_FAREWELL_SECONDS = 10.0

Host = tuple[str, dict[str, Any]]
# ^ a machine's name, and how to connect to it in asyncssh's words


@contextlib.contextmanager
def credentials_on_hosts(options: Mapping[str, Any], security: Security) -> Iterator[tuple[str, Security]]:
    """A folder that is the run's own on every host of an SSHCluster, and the credentials in it as paths.

    `options` are the cluster's. Raises OSError, asyncssh's errors and TimeoutError when a host does not take them; the
    folders are removed at the end.
    """
    hosts, folder = _hosts(options), f"/tmp/flatpipe-{uuid.uuid4().hex}"  # noqa: S108 - made by us, or refused
    inner = shlex.quote(f"{folder}/run.pem")
    make = f"umask 077 && mkdir -p {folder} && test -O {folder} && cat > {inner}"
    content = "".join(certificates(security))
    try:
        _in_thread(_on_all(hosts, make, content, check=True), _SECONDS)
        yield folder, in_files(f"{folder}/run.pem")
    finally:
        with contextlib.suppress(Exception):
            # ^ a host that is gone keeps a folder with a key that opens nothing any more
            _in_thread(_on_all(hosts, f"rm -rf {folder}", "", check=False), _FAREWELL_SECONDS)


def _hosts(options: Mapping[str, Any]) -> list[Host]:
    """Each machine once, with its own way to connect."""
    names: Sequence[str] = options["hosts"]
    ways = options.get("connect_options") or {}
    each = ways if isinstance(ways, list) else [ways] * len(names)
    return list({(name, repr(way)): (name, dict(way)) for name, way in zip(names, each, strict=True)}.values())


async def _on_all(hosts: Sequence[Host], command: str, content: str, *, check: bool) -> None:
    import asyncssh

    async def on(name: str, way: dict[str, Any]) -> None:
        async with asyncssh.connect(name, **way) as connection:
            await connection.run(command, input=content, check=check)

    await asyncio.gather(*(on(name, way) for name, way in hosts), return_exceptions=not check)


def _in_thread(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Run it in a loop of its own: that of the caller, in a notebook, may be running already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, asyncio.wait_for(work, seconds)).result()
