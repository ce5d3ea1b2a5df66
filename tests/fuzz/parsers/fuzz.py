"""Fuzz a parser: `python -P tests/fuzz/parsers/fuzz.py NAME SECONDS [--seed N] [--plain] [--planted] [--kept FILE]`.

With Atheris, libFuzzer for Python, inputs are guided by coverage, and an input that is slow or takes much memory ends
the run. Without it, or with `--plain`, inputs are random changes of the seeds. Both leave an input that ends the run in
`crash-NAME`; `--kept` runs that alone. `--planted`: with the target's fault, which must be found.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import operator
import os
import random
import resource
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT))  # last: the packages are those that are installed

from tests.fuzz.parsers.target import Target  # noqa: E402
from tests.fuzz.parsers.targets import TARGETS  # noqa: E402

PATIENCE_S = 20
MEMORY_BYTES = 3 << 30
LONGEST = 32_768
"""Bytes of an input; seeds are shorter."""
TOKENS = (b"\0" * 8, b"\xff" * 8, b"1e999", b"-1", b"null", b"[[", b'""', b"9" * 30, b"\n", b",", b"nan", b"\x80")


def mutated(seeds: list[bytes], choice: random.Random) -> bytes:
    """A seed with a few changes: bytes set, removed, repeated, or taken from another seed."""
    data = bytearray(choice.choice(seeds))
    for _ in range(choice.randint(1, 6)):
        at, length = choice.randrange(len(data) + 1), choice.choice((1, 2, 4, 8, 40, 400))
        match choice.randrange(6):
            case 0 | 1 if data:
                data[at % len(data)] = choice.choice((0, 1, 0x7F, 0x80, 0xFF, choice.randrange(256)))
            case 2 if data:
                data[at % len(data)] ^= 1 << choice.randrange(8)
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = choice.choice(TOKENS)
            case _:
                other = choice.choice(seeds)
                begin = choice.randrange(len(other) + 1)
                data[at : at + length] = other[begin : begin + length]
    return bytes(data[:LONGEST])


def fuzz_plain(target: Target, folder: Path, seconds: float, seed: int) -> int:
    """Run inputs for so long. Returns how many. Each is in `crash-NAME` while it runs: it may end the process."""
    kept = Path(f"crash-{target.name}")
    seeds, choice, inputs = list(target.seeds()), random.Random(seed), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(seeds, choice)
        kept.write_bytes(data)
        patiently(target, data, folder)
        inputs += 1
    kept.unlink(missing_ok=True)
    return inputs


def patiently(target: Target, data: bytes, folder: Path) -> None:
    """Run an input, and end with a signal if that takes too long."""
    signal.alarm(PATIENCE_S)
    target.attempt(data, folder)
    signal.alarm(0)


def fuzz_guided(target: Target, folder: Path, seconds: float, seed: int) -> None:
    """The same by Atheris. Never returns."""
    import atheris
    from atheris import core_with_libfuzzer

    core_with_libfuzzer._trace_cmp = freed(core_with_libfuzzer._trace_cmp)
    instrument(atheris)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, content in enumerate(target.seeds()):
        (corpus / str(number)).write_bytes(content)
    files = folder / "files"
    files.mkdir()

    @atheris.instrument_func  # type: ignore[untyped-decorator]
    def attempt(data: bytes) -> None:
        target.attempt(data, files)

    limits = [f"-max_total_time={max(1, round(seconds))}", f"-timeout={PATIENCE_S}", "-rss_limit_mb=2048"]
    words = [
        sys.argv[0],
        *limits,
        f"-seed={seed}",
        f"-max_len={LONGEST}",
        "-verbosity=0",
        "-print_final_stats=1",
        f"-exact_artifact_path=crash-{target.name}",
        str(corpus),
    ]
    atheris.Setup(words, attempt)
    atheris.Fuzz()


def instrument(atheris: types.ModuleType) -> None:
    """Have every function of lowlat report its branches. By name, since Atheris does not see editable installations."""
    for function in gc.get_objects():
        if isinstance(function, types.FunctionType) and (function.__module__ or "").startswith("lowlat"):
            atheris.instrument_func(function)


def freed(traced: Callable[..., object]) -> Callable[..., object]:
    """As Atheris 3.0 compares, except for arrays: it never frees what a comparison returns, here 20 KB and more."""
    kinds = (operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge)

    def compared(left: object, right: object, kind: int, counter: int, constant: bool) -> object:
        if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
            return kinds[kind](left, right)
        return traced(left, right, kind, counter, constant)

    return compared


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def main() -> None:
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter)  # a name a line
    parser.add_argument("--list", action="version", version="\n".join(TARGETS))
    parser.add_argument("name", choices=TARGETS)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path, metavar="FILE")
    asked = parser.parse_args()
    target = TARGETS[asked.name]
    guided = not asked.plain and asked.kept is None and importlib.util.find_spec("atheris") is not None
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as name:
        folder = Path(name)
        for seed in target.seeds():
            if not target.attempt(seed, folder):
                raise SystemExit(f"fuzz: {asked.name}: a seed is refused")
        limit()
        if asked.planted:
            target.plant()
        if asked.kept is not None:
            patiently(target, asked.kept.read_bytes(), folder)
        elif guided:
            fuzz_guided(target, folder, asked.seconds, asked.seed)
        else:
            inputs = fuzz_plain(target, folder, asked.seconds, asked.seed)
            sys.stdout.write(f"{asked.name}: {inputs} inputs\n")


if __name__ == "__main__":
    main()
