"""Feeds every reader of files from outside with random and bit-flipped inputs, which it reads or refuses in one line.

    PYTHONPATH=workflow/scripts:tests python -m support.fuzz --random 10000 --flipped 1500

Each input follows from the seed, the reader's name and the input's number, so that a fault can be made again.
"""

import argparse
import concurrent.futures
import gzip
import io
import logging
import os
import random
import re
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

from optical.errors import OpticalError
from support.fuzz_targets import TARGETS, packed

LONGEST_SECONDS = 10.0  # of the processor, for one input; all are small

# What readers trip over, between pieces of the valid file.
HOSTILE = [
    *"\0\ufeff\u2028\x0b\r\n\t{}[]\"',:<>&/\\ é\U0001f600",
    *("\\ud83d", "7" * 5000, "-1", "NaN", "1e999", "null", "true", "[" * 2000, "न्द्र", "&#xD800;", "&#0;", "&amp;"),
    *("<![CDATA[", "<!--", "<DOC>", "</DOC>", "<TEXT", "<top>", "<tu>", "<seg>", "<!DOCTYPE a [<!ENTITY b 'c'>]>"),
]


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Return content with one bit changed."""
    if not content:
        return content
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def scrambled(content: bytes, chance: random.Random) -> bytes:
    """Return random bytes, pieces of a valid file among hostile ones, or the file with a stretch of it replaced."""
    kind = chance.randrange(3)
    if kind == 0:
        return chance.randbytes(chance.randrange(120))
    pieces = re.findall(rb"\w+|[^\w]", content[:400]) or [b"a"]
    hostile = [sign.encode() for sign in HOSTILE]
    mixed = b"".join(chance.choice(hostile if chance.random() < 0.4 else pieces) for _ in range(chance.randrange(40)))
    if kind == 1:
        return mixed
    start = chance.randrange(len(content) + 1)
    stop = min(len(content), start + chance.randrange(30))
    return content[:start] + mixed[: chance.randrange(60)] + content[stop:]


def inputs(name: str, random_inputs: int, flipped_inputs: int, seed: int) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the number of each input and its files, one of them damaged. In an archive, a member may be damaged.

    The first input is not damaged.
    """
    files = TARGETS[name].files
    yield "whole", files
    for kind, damage, count in (("random", scrambled, random_inputs), ("flipped", flipped, flipped_inputs)):
        for number in range(count):
            chance = random.Random(f"{seed} {name} {kind} {number}")
            chosen = chance.choice(sorted(files))
            content = files[chosen]
            if damage is scrambled and content.startswith(b"\x1f\x8b") and chance.random() < 0.5:
                content = gzip.compress(scrambled(gzip.decompress(content), chance))
            elif damage is scrambled and content.startswith(b"PK") and chance.random() < 0.5:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    members = {member: archive.read(member) for member in archive.namelist()}
                member = chance.choice(sorted(members))
                content = packed(members | {member: scrambled(members[member], chance)})
            else:
                content = damage(content, chance)
            yield f"{kind} {number}", files | {chosen: content}


def faults_of(name: str, random_inputs: int, flipped_inputs: int, seed: int = 1) -> tuple[list[str], int]:
    """Return what went wrong with a reader, a line each, and how many inputs it refused.

    Wrong is an error of another kind than `OpticalError`, a message of several lines, and a reader that takes long.
    """
    logging.disable(logging.WARNING)
    faults, refused = [], 0
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None  # memory: each output is synchronised
    for number, files in inputs(name, random_inputs, flipped_inputs, seed):
        with tempfile.TemporaryDirectory(dir=shared) as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            for file, content in files.items():
                Path(folder, file).write_bytes(content)
            start = time.process_time()
            try:
                TARGETS[name].read(Path(folder))
            except OpticalError as error:
                refused += 1
                if number == "whole":
                    faults.append(f"{name}, whole: {error}")
                if "\n" in str(error) or "\r" in str(error):
                    faults.append(f"{name}, {number}: a message of several lines: {str(error)!r:.200}")
            except Exception as error:
                faults.append(f"{name}, {number}: {type(error).__name__}: {str(error)!r:.200}")
            if time.process_time() - start > LONGEST_SECONDS:
                faults.append(f"{name}, {number}: it took {time.process_time() - start:.0f} s of the processor")
    logging.disable(logging.NOTSET)
    return faults, refused


def main() -> None:
    """Feed every reader, several at a time; print a line for each, and leave with 1 where something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=10_000)
    parser.add_argument("--flipped", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="readers whose name begins so")
    arguments = parser.parse_args()
    names = [name for name in TARGETS if name.startswith(arguments.only)]
    wrong = 0
    with concurrent.futures.ProcessPoolExecutor() as pool:
        running = {
            name: pool.submit(faults_of, name, arguments.random, arguments.flipped, arguments.seed) for name in names
        }
        for name, future in running.items():
            faults, refused = future.result()
            wrong += len(faults)
            count = arguments.random + arguments.flipped + 1
            print(f"{name}: {refused} of {count} refused, {len(faults)} wrong", flush=True)
            for fault in faults[:10]:
                print("  ", fault)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
