"""`lowlat bench --journal`: the figures beside the measured runs, the journal that it leaves, and what it rejects."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.names import snapshot_path
from lowlat.engine.journal.records import Fault
from tests.integration.conftest import Run, Start
from tests.waiting import PATIENCE_S

SHORT = ("bench", "-n", "20k", "--runs", "2")


@pytest.mark.parametrize("profile", ["steady", pytest.param("all-kinds", marks=pytest.mark.slow)])
def test_it_measures_each_policy_and_leaves_the_whole_flow(lowlat: Run, tmp_path: Path, profile: str) -> None:
    done = lowlat(*SHORT, "-p", profile, "--journal", "day.journal", "--batch", "500", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    journal = report["journal"]
    assert (journal["file"], journal["batch"]) == ("day.journal", 500)
    assert journal["size_bytes"] == (tmp_path / "day.journal").stat().st_size
    policies = {each["policy"]: each for each in journal["policies"]}
    assert list(policies) == ["off", "none", "interval", "batch"]
    assert policies["off"]["more_ns_per_command"] is None and policies["none"]["syncs"] == 0
    assert all(policies[name]["commands"] == 20_000 for name in ("off", "none", "interval"))
    batch = policies["batch"]
    assert 0 < batch["commands"] <= 20_000 and batch["commands"] % 500 == 0
    assert batch["syncs"] >= 2 * batch["commands"] // 500  # of two runs, whose seeding is committed too
    assert 0 < batch["sync_p50_ns"] <= batch["sync_p99_ns"]
    flow = synthetic_flow(load_profile(profile), 20_000, 1)
    with JournalFile(tmp_path / "day.journal") as file:
        assert file.fault is Fault.NONE
        assert np.array_equal(np.concatenate([block.commands for block in file.blocks()]), flow.commands)
        assert file.settings.orders == report["engine"]["settings"]["orders"]
    assert [file.name for file in tmp_path.iterdir()] == ["day.journal"]


def test_the_table_tells_what_each_policy_costs(lowlat: Run) -> None:
    done = lowlat(*SHORT, "--journal", "day.journal")
    told = " ".join(done.stdout.partition("\njournal ")[2].partition("\nnoise")[0].split())
    for part in ("batches of 4,096", "none ", "interval ", "batch +", "fdatasync p50", "day.journal"):
        assert part in told


def test_a_file_that_is_there_is_left_alone(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "day.journal").write_text("precious")
    done = lowlat(*SHORT, "--journal", "day.journal")
    assert (done.returncode, done.stdout) == (2, "")
    assert "day.journal exists; remove it, or name another file" in done.stderr
    assert (tmp_path / "day.journal").read_text() == "precious"


def test_a_file_that_appears_meanwhile_is_left_alone(start: Start, tmp_path: Path) -> None:
    process = start(*SHORT, "--journal", "day.journal")
    while process.poll() is None and not list(tmp_path.glob(".lowlat-*")):
        time.sleep(0.01)
    (tmp_path / "day.journal").write_text("precious")
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2 and "created by another process meanwhile and left untouched" in err
    assert [file.name for file in tmp_path.iterdir()] == ["day.journal"]
    assert (tmp_path / "day.journal").read_text() == "precious"


def test_an_interruption_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    process = start("bench", "-n", "1M", "--journal", "day.journal")
    while process.poll() is None and not list(tmp_path.glob(".lowlat-*/*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_setting_for_other_invocations_goes_unused(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat(*SHORT, "--rate", "1M", "--json", env={"LOWLAT_JOURNAL": "day.journal"})
    assert done.returncode in (0, 3), done.stderr  # a busy machine may miss the rate
    assert json.loads(done.stdout)["journal"] is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no /dev/shm here")
def test_a_journal_in_shared_memory(lowlat: Run) -> None:
    path = Path(f"/dev/shm/lowlat-test-{os.getpid()}.journal")
    try:
        assert lowlat(*SHORT, "--journal", path).returncode == 0
        with JournaledEngine.recover(path) as engine:
            assert engine.snapshot().path.exists()
    finally:
        path.unlink(missing_ok=True)
        snapshot_path(path).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--batch", "10"), "--batch needs a journal; add --journal FILE"),
        (("--journal", "j", "--batch", "0"), "--batch"),
        (("--journal", "j", "-o", "j"), "--journal and -o both name j; give each its own file"),
        (("--journal", "j", "--rate", "1M"), "a journal is measured in a closed loop; remove"),
        (("--journal", "j", "--pipeline"), "a journal is measured in a closed loop; remove"),
        (("--journal", "j", "--sweep", "1M:2M:2"), "a journal is measured in a closed loop; remove"),
        (("--journal", "j", "--engine", "reference"), "of the native engine; remove --journal"),
        (("--journal", "j", "-p", "burst"), "a closed loop of the native engine; remove --journal"),
        (("--journal", "no/folder/j"), "cannot create a journal next to no/folder/j: No such file"),
    ],
)
def test_what_cannot_be_is_refused_at_once(lowlat: Run, tmp_path: Path, options: tuple[str, ...], why: str) -> None:
    done = lowlat(*SHORT, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert list(tmp_path.iterdir()) == []
