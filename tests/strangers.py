"""Who else may speak with the processes of a run: tried by a stranger on the same machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
from distributed.comm import connect
from distributed.security import Security

from flatpipe.engines.clusters.security import temporary_credentials

_SECONDS = 3.0


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def ports(processes: Iterable[psutil.Process]) -> dict[int, str]:
    """Ports on which processes listen, with the address that each is bound to."""
    found = {}
    for process in processes:
        for connection in process.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                found[connection.laddr.port] = connection.laddr.ip
    return found


def let_in(numbers: Sequence[int]) -> list[str]:
    """Addresses at which something answers a stranger's message of Dask: without keys, and with keys of his own."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, _let_in(numbers)).result()
        # ^ a browser of other tests may keep a loop running in this thread


async def _let_in(numbers: Sequence[int]) -> list[str]:
    tries = {
        f"{protocol}://127.0.0.1:{number}": security
        for number in numbers
        for protocol, security in (("tcp", Security()), ("tls", temporary_credentials()))
    }
    answers = await asyncio.gather(*(_answer(address, security) for address, security in tries.items()))
    return [address for address, answer in zip(tries, answers, strict=True) if answer]


async def _answer(address: str, security: Security) -> Any:
    try:
        return await asyncio.wait_for(_asked(address, security), _SECONDS + 1)
        # ^ for all of it: over a door that speaks otherwise, each step may wait without an end
    except (OSError, TimeoutError, ValueError):
        # ^ ValueError: without TLS on the other side, when that has spoken first
        return None


async def _asked(address: str, security: Security) -> Any:
    comm = await connect(address, timeout=_SECONDS, **security.get_connection_args("client"))
    await comm.write({"op": "identity", "reply": True})
    return await comm.read()
