"""No file hangs a verb, fills memory or ends in an internal error: one line on stderr, and the exit code for it.

CPU time and memory are compared with those of a verb that finds no file, so that a slow or busy machine changes
nothing.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import lzma
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from lowlat.errors import ExitCode
from tests.integration.conftest import LOWLAT, Run, Start
from tests.waiting import PATIENCE_S, wait_until
from tests.warm_start import Zygote

Refused = Callable[..., str]

STARTS_MAX = 11
"""The CPU time of a refusal beyond the start of the command, in starts."""
MEMORY_KB_MAX = 200 << 10
ROW = b"0.0,1,1,1,100,1\n"
SQUEEZE = {".xz": lzma.compress, ".gz": gzip.compress, ".bz2": bz2.compress}


@pytest.fixture(scope="module")
def start_s() -> float:
    """The CPU time that a verb takes from its start to an error."""
    before = os.times()
    subprocess.run([LOWLAT, "report", "missing.json"], check=False, stderr=subprocess.DEVNULL)
    return sum(os.times()[2:4]) - sum(before[2:4])


@pytest.fixture(scope="module")
def usual_kb(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> int:
    """The memory of a verb that finds no file."""
    null = os.open(os.devnull, os.O_RDWR)
    started = zygote.start(("report", "missing.json"), folder=Path("/"), environment=os.environ, streams=[null] * 3)
    os.close(null)
    assert started.wait() == ExitCode.USAGE
    return started.peak_kb


@pytest.fixture
def refused(zygote: Zygote, tmp_path: Path, environment: dict[str, str], start_s: float, usual_kb: int) -> Refused:
    """Check that a verb refuses its input with one line, cheaply; return the line."""

    def check(*arguments: object) -> str:
        with tempfile.TemporaryFile("w+") as stderr, open(os.devnull, "r+b") as null:  # noqa: PTH123
            streams = [null.fileno(), null.fileno(), stderr.fileno()]
            found = zygote.start(arguments, folder=tmp_path, environment=environment, streams=streams)
            code = found.wait()
            stderr.seek(0)
            said = stderr.read()
        what = f"{arguments}: {code}, {found}: {said}"
        assert code == ExitCode.USAGE, what
        assert re.fullmatch(r"lowlat: [^\n]*\n", said) and len(said) < 2_200, what
        assert found.cpu_s < STARTS_MAX * start_s, what
        assert found.peak_kb < usual_kb + MEMORY_KB_MAX, what
        return said

    return check


VERBS = (
    ("report", "IT"),
    ("compare", "IT", "IT2"),
    ("replay", "IT"),
    ("replay", "IT", "--format", "lobster"),
    ("replay", "IT", "--format", "journal"),
    ("profile", "show", "IT"),
    ("bench", "--profile", "IT"),
    ("profile", "fit", "IT"),
    ("profile", "check", "steady", "IT"),
    ("journal", "verify", "IT"),
    ("journal", "dump", "IT"),
    ("topology", "--root", "IT"),
    ("affinity", "plan", "--root", "IT"),
    ("report", "--history", "IT"),
    ("book", "--dir", "IT"),
)
"""Every way to name a file to read."""


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "loop of links"])
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_what_is_no_file_is_refused_by_every_verb(
    refused: Refused, tmp_path: Path, verb: tuple[str, ...], kind: str
) -> None:
    for name in ("IT", "IT2"):
        path = tmp_path / name
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir(mode=0o700)
        elif kind == "loop of links":
            path.symlink_to(path)
        else:
            path.symlink_to("/dev/zero")
    if kind == "folder" and verb[-2] in ("--history", "--dir"):
        return  # which read one
    words = [f"./{word}" if word.startswith("IT") else word for word in verb]
    assert "IT" in refused(*words)


@pytest.mark.parametrize("name", ["lowlat.toml", "pyproject.toml"])
@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "huge", "levels", "dots", "digits"])
def test_settings_that_are_none(refused: Refused, tmp_path: Path, name: str, kind: str) -> None:
    texts = {
        "huge": "#" * (1 << 20),
        "levels": PROFILES["levels"],
        "dots": PROFILES["dots"],
        "digits": PROFILES["digits"],
    }
    path = tmp_path / name
    if kind in texts:
        path.write_text(texts[kind])
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    assert name in refused("topology")


@pytest.mark.parametrize(
    ("suffix", "squeeze"), [(".xz", lzma.compress), (".gz", gzip.compress), (".bz2", bz2.compress)]
)
@pytest.mark.parametrize("content", [bytes(1 << 24), ROW * (1 << 19)], ids=["zeros", "rows"])
def test_a_bomb_of_gigabytes(refused: Refused, tmp_path: Path, suffix: str, squeeze: Any, content: bytes) -> None:
    path = tmp_path / f"day.csv{suffix}"
    one = squeeze(content)
    path.write_bytes(one * min(300, 1 + (500_000 // len(one))))
    assert "the limit" in (line := refused("replay", path)) or "is not order flow" in line


def zstandard(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, "zstd", asbytes=True)
    return packed


@pytest.mark.parametrize("squeeze", [lzma.compress, gzip.compress, bz2.compress, zstandard])
def test_padding_of_a_sparse_file_is_not_read_to_its_end(refused: Refused, tmp_path: Path, squeeze: Any) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(squeeze(ROW))
    os.truncate(path, 1 << 40)
    assert "more than 4 MiB of padding, the limit" in refused("replay", path)


def rows_of_a_table(count: int, symbol: str) -> pa.Table:
    """The same row so many times, as columns that a file stores in no space."""
    columns = dict.fromkeys(
        ("time_ns", "order_id", "other_id", "price", "quantity", "flags"), np.zeros(count, np.int64)
    )
    words = {"symbol": symbol, "action": "add", "side": "buy"}
    same = pa.array(np.zeros(count, np.int8))
    return pa.table(columns | {name: pa.DictionaryArray.from_arrays(same, [word]) for name, word in words.items()})


def test_rows_that_a_parquet_file_multiplies(refused: Refused, tmp_path: Path) -> None:
    parquet.write_table(rows_of_a_table(1_000_000, "A"), path := tmp_path / "day.parquet")
    assert path.stat().st_size < 100_000
    assert "1,000,000 rows or more; the limit is" in refused("replay", path)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_rows_that_an_arrow_file_multiplies(refused: Refused, tmp_path: Path, compression: str) -> None:
    table = rows_of_a_table(1_000_000, "A")
    path = tmp_path / "day.arrow"
    with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    assert path.stat().st_size < 1_000_000
    assert "20 times as much is not order flow" in refused("replay", path)


def test_a_long_text_that_a_parquet_file_multiplies(refused: Refused, tmp_path: Path) -> None:
    """60,000 times 100,000 bytes: 6 GB."""
    parquet.write_table(rows_of_a_table(60_000, "A" * 100_000), tmp_path / "day.parquet")
    assert "column symbol: a text of 100,000 bytes; the limit is 1,024" in refused("replay", "day.parquet")


PROFILES = {
    "dots": "a." * 100_000 + "a = 1\n",
    "levels": "a = " + "[" * 100_000 + "\n",
    "digits": "live_orders = " + "9" * 100_000 + "\n",
    "ten million live orders": "live_orders = 10_000_000\n[mix]\nadd = 1\n",
    "not a number": "zipf_exponent = nan\n[mix]\nadd = 1\n",
    "a long key": "x" * 200_000 + " = 1\n",
    "a NUL": "a = '\0'\n",
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_hostile_profile(refused: Refused, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.toml").write_text(PROFILES[name])
    assert "mine.toml" in refused("bench", "--profile", "mine.toml")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of a real report."""
    path = tmp_path_factory.mktemp("saved") / "a.json"
    subprocess.run([LOWLAT, "bench", "-p", "steady", "--commands", "2000", "--runs", "1", "-o", path], check=True)
    return path.read_text()


REPORTS = {
    "NaN": lambda text: text.replace('"duration_s": ', '"duration_s": NaN, "x": ', 1),
    "infinity": lambda text: re.sub(r'"duration_s": [0-9.e-]+', '"duration_s": 1e999', text, count=1),
    "10**400": lambda text: re.sub(r'"count": [0-9]+', f'"count": 1{"0" * 400}', text, count=1),
    "10**5000": lambda text: re.sub(r'"commands": [0-9]+', f'"commands": 1{"0" * 5000}', text, count=1),
    "a setting of 10**400": lambda text: re.sub(r'"settings": {', f'"settings": {{"x": 1{"0" * 400},', text, count=1),
    "deep": lambda text: '{"schema": "lowlat.report/1", "x": ' + "[" * 100_000,
    "many values": lambda text: '{"schema": "lowlat.report/1", "x": [' + "1," * 5_000_000 + "1]}",
    "no date": lambda text: re.sub(r'"started": "[^"]+"', '"started": "9999-99-99T99:99:99Z"', text),
    "empty": lambda text: "",
    "cut": lambda text: text[:5_000],
}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(
    "verb", [("report", "it.json"), ("compare", "it.json", "saved.json")], ids=["report", "compare"]
)
def test_a_hostile_report(refused: Refused, tmp_path: Path, saved: str, name: str, verb: tuple[str, ...]) -> None:
    (tmp_path / "saved.json").write_text(saved)
    (tmp_path / "it.json").write_text(REPORTS[name](saved))
    assert "it.json: " in refused(*verb)


def test_a_nul_in_a_name_is_shown(lowlat: Run, tmp_path: Path, saved: str) -> None:
    document = json.loads(saved)
    document["workload"]["profile"] = "a\0b"
    (tmp_path / "a.json").write_text(json.dumps(document))
    done = lowlat("report", "a.json")
    assert done.returncode == 0 and r"a\x00b" in done.stdout


def test_a_command_that_prints_without_end_is_stopped(lowlat: Run) -> None:
    """Both do, since chance decides which one runs first."""
    done = lowlat("ab", "--runs", "2", "--", "cat /dev/zero", "--", "cat /dev/zero")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    told = r"lowlat: error: the output of [AB] is too large for a report: over 128 MiB\n"
    assert re.fullmatch(told, done.stderr), done.stderr


def waits_for_its_pipe(pid: int) -> bool:
    """Whether a process has opened stdin a second time, which it then reads, and sleeps."""
    folder = Path(f"/proc/{pid}/fd")
    opened = 0
    for entry in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            opened += entry.readlink() == (folder / "0").readlink()
    return opened > 1 and "\nState:\tS" in Path(f"/proc/{pid}/status").read_text()


def test_sigterm_ends_a_read_at_once(start: Start, tmp_path: Path) -> None:
    """While it waits for a pipe of the shell, which never writes."""
    read_end, write_end = os.pipe()
    with start("report", "/dev/stdin", stdin=read_end) as process, os.fdopen(write_end, "wb"):
        os.close(read_end)
        wait_until(lambda: waits_for_its_pipe(process.pid), "a read of the pipe")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == ExitCode.TERMINATED
