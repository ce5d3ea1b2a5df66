"""`lowlat bench --journal`: the figures beside the measured runs, the journal that is left, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.flood import flood
from engine.journal_file import Fault, JournalFile
from engine.profile import load_profile
from tests.integration.conftest import Run

SHORT = ("bench", "-n", "20k", "--runs", "2")


@pytest.mark.parametrize("profile", ["steady", "all-kinds"])
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
    flow = flood(load_profile(profile), 20_000, 1)
    with JournalFile(tmp_path / "day.journal") as file:
        assert file.fault is Fault.NONE
        assert np.array_equal(np.concatenate([block.commands for block in file.blocks()]), flow.commands)
        assert file.settings.orders == report["engine"]["settings"]["orders"]
    assert [file.name for file in tmp_path.iterdir()] == ["day.journal"]


def test_the_table_tells_what_each_policy_costs(lowlat: Run) -> None:
    done = lowlat(*SHORT, "--journal", "day.journal")
    told = " ".join(done.stdout.partition("\njournal ")[2].partition("\nhot path")[0].split())
    for part in ("batches of 4,096", "none ", "interval ", "batch +", "fdatasync p50", "day.journal"):
        assert part in told


def test_a_file_that_is_there_is_left_alone(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "day.journal").write_text("precious")
    done = lowlat(*SHORT, "--journal", "day.journal")
    assert (done.returncode, done.stdout) == (2, "")
    assert "day.journal exists; remove it, or name another file" in done.stderr
    assert (tmp_path / "day.journal").read_text() == "precious"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--batch", "10"), "--batch is for a journal; add --journal FILE"),
        (("--journal", "j", "--batch", "0"), "--batch"),
        (("--journal", "j", "--rate", "1M"), "a journal is measured in a closed loop; leave out"),
        (("--journal", "j", "--pipeline"), "a journal is measured in a closed loop; leave out"),
        (("--journal", "j", "--sweep", "1M:2M:2"), "a journal is measured in a closed loop; leave out"),
        (("--journal", "j", "--engine", "reference"), "of the native engine; leave out --journal"),
        (("--journal", "j", "-p", "burst"), "a closed loop of the native engine; leave out --journal"),
        (("--journal", "no/folder/j"), "there is no folder"),
    ],
)
def test_what_cannot_be_is_refused_at_once(lowlat: Run, tmp_path: Path, options: tuple[str, ...], why: str) -> None:
    done = lowlat(*SHORT, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert list(tmp_path.iterdir()) == []
