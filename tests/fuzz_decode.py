"""Mutated files through decode(), in a process of their own: python tests/fuzz_decode.py MUTATIONS SEED PROGRESS_FILE.

Each case is written to the progress file before it is tried, so that whoever waits knows which one killed or hung us.
What escapes is printed, one line per case; nothing printed and exit status 0 is success.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import warnings
from collections.abc import Sequence

from file_builders import sample_files

from flatpipe.decode.decode import count_frames, decode
from flatpipe.errors import ImageError
from flatpipe.settings import DecodePolicy
from flatpipe.system.c_libraries import silence_c_libraries

SECONDS_PER_CASE = 20
MEMORY_BYTES = 4 << 30
POLICIES = (
    DecodePolicy(max_pixels=20_000_000),
    DecodePolicy(max_pixels=20_000_000, truncated="fill", alpha="#ff8800"),
)


def mutated(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """The content with one or two wounds: cut short, bits flipped, bytes set, a piece of another file put in, a gap."""
    wounded = bytearray(content)
    for _ in range(draw.choice((1, 1, 2))):
        if not wounded:
            break
        at = draw.randrange(len(wounded))
        kind = draw.randrange(6)
        if kind == 0:
            del wounded[at:]
        elif kind == 1:
            for _ in range(draw.randrange(1, 20)):
                wounded[draw.randrange(len(wounded))] ^= 1 << draw.randrange(8)
        elif kind == 2:
            wounded[draw.randrange(min(len(wounded), 200))] = draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))
        elif kind == 3:
            other = draw.choice(others)
            begin = draw.randrange(len(other))
            wounded[at:at] = other[begin : begin + draw.randrange(1, 2000)]
        elif kind == 4:
            del wounded[at : at + draw.randrange(1, 200)]
        else:
            wounded[at : at + 4] = draw.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1"))
    return bytes(wounded)


def escaped(content: bytes, policy: DecodePolicy, frame: int) -> BaseException | None:
    """What leaves decode() or count_frames() that is no ImageError; None when all is well."""
    for ask in (lambda: decode(content, policy, frame), lambda: count_frames(content, policy)):
        try:
            ask()
        except ImageError:
            continue
        except BaseException as error:  # noqa: BLE001 - this is what is looked for
            return error
    return None


def main(mutations: int, seed: int, progress_path: str) -> None:
    """Try `mutations` wounded versions of each sample file."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    silence_c_libraries()
    warnings.simplefilter("error")
    samples = sample_files()
    others = list(samples.values())
    progress = os.open(progress_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for name, content in samples.items():
        for number in range(mutations):
            case = f"{name} {number} {seed}"
            os.pwrite(progress, case.ljust(80).encode(), 0)
            draw = random.Random(case)
            signal.alarm(SECONDS_PER_CASE)
            # ^ its default action ends the process: a hang in C code answers to nothing else
            error = escaped(mutated(content, draw, others), POLICIES[number % 2], number % 3 % 2)
            if error is not None:
                print(f"{case}: {error!r}")
    signal.alarm(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
