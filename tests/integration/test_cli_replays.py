"""`lowlat replay` of several recordings, without a cluster and with one, as a user sees it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.errors import ExitCode
from tests.integration.conftest import Run, Start
from tests.recorded_day import recorded_day
from tests.waiting import PATIENCE_S


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """A folder of two days."""
    folder = tmp_path / "days"
    folder.mkdir()
    for day in (1, 2):
        (folder / f"XYZ_{day}_message_1.csv").write_text(recorded_day(100 * day)[0])
    return folder


def test_a_folder_is_one_document_and_says_its_memory_beforehand(lowlat: Run, days: Path) -> None:
    done = lowlat("replay", days, "--mode", "rebuild", "--json")
    assert done.stderr == "lowlat: 2 partitions, 1 worker: at most 128 MiB of memory for one\n"
    found = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published("lowlat.replays/1", closed=True)).validate(found)
    assert [Path(each["file"]).name for each in found["result"]["partitions"]] == [
        "XYZ_1_message_1.csv",
        "XYZ_2_message_1.csv",
    ]
    assert found["result"]["counts"]["events"] == 300 and found["status"] == "ok"


@pytest.mark.slow  # starts a cluster, and matches
def test_a_cluster_has_the_same_result(cold: Run, days: Path) -> None:
    here, there = (
        json.loads(cold("replay", days, "--json", *more, env={"PYTHONWARNINGS": "default"}).stdout)
        for more in ((), ("--cluster", "local:2"))
    )
    assert there["result"] == here["result"]
    assert (here["measured"]["workers"], there["measured"]["workers"]) == (1, 2)


@pytest.mark.slow  # starts a cluster
def test_ctrl_c_on_a_cluster_prints_what_is_there(start: Start, days: Path) -> None:
    for day in range(3, 401):  # they take several seconds
        (days / f"XYZ_{day}_message_1.csv").write_text(recorded_day(100)[0])
    command = ("replay", days, "--mode", "rebuild", "--json", "--cluster", "local:1", "-v")
    with start(*command, env={"PYTHONWARNINGS": "default"}) as process:
        assert process.stderr is not None
        assert any(re.search(r"[1-9]\d* of 400 partitions replayed", line) for line in process.stderr)
        process.terminate()
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.TERMINATED, err
    found = json.loads(out)
    assert found["status"] == "interrupted" and found["result"]["digest"] is None
    assert 1 <= len(found["result"]["partitions"]) < 400


def test_what_several_recordings_do_not_have(lowlat: Run, days: Path) -> None:
    done = lowlat("replay", days, "--rate", "1k", "--cpu", "0")
    assert done.returncode == ExitCode.USAGE
    assert "remove --rate and --cpu, or name one file" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", "-", "day.csv"), "-, stdin, can be read but once; name files to replay them by partition"),
        (("replay", "none*.csv"), "none*.csv: no files; name a file, or a folder or a pattern of them"),
        (("replay", ".", "--cluster", "local:x"), "'local:x' has no number of workers; write local:N"),
        (("verify", "--engine", "reference", "--cluster", "nowhere"), "'nowhere' is no address of a scheduler"),
    ],
)
def test_what_cannot_be_meant(lowlat: Run, arguments: tuple[str, ...], said: str) -> None:
    done = lowlat(*arguments)
    assert done.returncode == ExitCode.USAGE and said in done.stderr


def test_a_journal_among_them_is_named(lowlat: Run, days: Path) -> None:
    lowlat("bench", "-n", "300", "--runs", "1", "--journal", days / "day.journal")
    done = lowlat("replay", days, "--mode", "rebuild")
    assert done.returncode == ExitCode.NOT_VALID
    assert "day.journal is a journal, not a venue's recording; replay it alone" in done.stderr
