"""The disk fills up during a run: the error names the file, no partial block is left, and everything acknowledged
stays. The disk is a small tmpfs in a separate mount namespace, which users may create if the kernel allows it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

MOUNT = 'mount -t tmpfs -o size=1m tmpfs "$1" && shift && exec "$@"'

FLOOD = """
import sys
from pathlib import Path
from lowlat.engine import _core
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.journal.errors import JournalWriteError, SnapshotError
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.flow.profile import load_profile

path, flow = Path(sys.argv[1]), synthetic_flow(load_profile("steady"), 100_000, 1).commands
engine = JournaledEngine.create(path, orders=100_000, sync=SyncPolicy[sys.argv[2]])
try:
    for start in range(0, len(flow), 1_000):
        engine.process(flow[start : start + 1_000])
except JournalWriteError as error:
    print(error)
before, done = _core.save_state(engine.matcher)[0], engine.counters.commands
assert engine.can_go_on and done % 1_000 == 0 and 20_000 < done < 33_000
try:
    engine.snapshot()
except SnapshotError as error:
    print(type(error).__name__)
engine.close()
back = JournaledEngine.recover(path)
assert back.recovery.commands == done and back.recovery.torn_bytes == 0
assert _core.save_state(back.matcher)[0] == before
print([file.name for file in path.parent.iterdir()])
"""


def on_small_disk(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with a file system of 1 MiB mounted on the folder."""
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", str(folder)]
    try:
        subprocess.run([*alone, "true"], check=True, capture_output=True, timeout=PATIENCE_S)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no mount namespace of one's own here: {error}")
    return subprocess.run([*alone, *command], capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize("sync", ["NONE", "INTERVAL", "BATCH"])
def test_an_engine_on_a_full_disk_keeps_what_it_acknowledged(tmp_path: Path, sync: str) -> None:
    journal = tmp_path / "day.journal"
    done = on_small_disk(tmp_path, sys.executable, "-P", "-c", FLOOD, str(journal), sync)
    assert done.returncode == 0, done.stderr
    assert f"{journal} accepted none of the batch: No space left on device; free some space" in done.stdout
    assert "SnapshotError" in done.stdout and "['day.journal']" in done.stdout


def test_bench_on_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    journal = tmp_path / "day.journal"
    lowlat = str(Path(sys.executable).with_name("lowlat"))
    script = '"$@"; echo "code $?"; ls -A "$(dirname "$0")"'
    command = [lowlat, "bench", "-n", "100k", "--runs", "1", "--journal", str(journal)]
    done = on_small_disk(tmp_path, "sh", "-c", script, str(journal), *command)
    assert done.stdout == "code 2\n", done.stdout
    assert "the journal could not be written: write failed: No space left on device; free some space" in done.stderr
