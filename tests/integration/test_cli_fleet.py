"""`lowlat fleet`: a directory of reports as tables, documents and pages; real fleets on this machine are slow tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.fleet.store import FleetFolder
from tests.fleet_by_hand import FACTS, doctor_bytes, jitter_bytes, kept, report_bytes
from tests.fleets import LocalFleet, local_fleet
from tests.waiting import PATIENCE_S, wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
HOSTS = ("node-1", "node-2", "node-3", "node-4")
CPU = str(min(os.sched_getaffinity(0)))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four hosts, of which the third is slow since another thread has its CPUs; a fifth was busy."""
    folder = FleetFolder(tmp_path_factory.mktemp("fleet"))
    for verb in ("bench", "jitter", "doctor"):
        folder.prepare(verb)
    for number, host in enumerate(HOSTS):
        slow = number == 2
        facts = FACTS | {"governor": "powersave" if slow else "performance"}
        folder.keep(kept(host, report_bytes(200 if slow else 99 + number), facts=facts))
        folder.keep(kept(host, jitter_bytes(40_000 if slow else 0), "jitter", facts=facts))
        folder.keep(kept(host, doctor_bytes({"governor": "fail" if slow else "pass"}), "doctor", facts=facts))
    folder.keep(kept("busy\x1b[31m", None, outcome="busy", reason="lowlat bench (process 7)"))
    return folder.path


def test_a_table_names_the_slow_host_and_why(lowlat: Run, directory: Path) -> None:
    done = lowlat("fleet", "report", directory)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "INCOMPLETE: 1 busy" in lines
    assert "1 of 5 hosts stands out" in lines
    assert any(line.startswith("node-3 is slower: p50 ") for line in lines)
    assert "  jitter: lost to: another thread: 4.000%; elsewhere 0.000% (1 of 4 hosts like this)" in lines
    assert "  governor: powersave; elsewhere performance (1 of 4 hosts like this)" in lines
    assert "  doctor: governor: fail: something; elsewhere pass: something (1 of 4 hosts like this)" in lines
    assert any("busy\\x1b[31m: bench busy: lowlat bench (process 7)" in line for line in lines)
    assert max(map(len, (line for line in lines if line.startswith("node") and " is " not in line))) <= 80


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--gate", "p99=50%"], 1),
        (["--gate", "p99=150%"], 0),
        (["--strict"], 3),
        (["--gate", "p98=50%"], 2),
        (["--gate", "p99"], 2),
    ],
)
def test_exit_codes(lowlat: Run, directory: Path, options: list[str], code: int) -> None:
    done = lowlat("fleet", "report", directory, *options)
    assert done.returncode == code
    assert ("gate p99=50% failed: node-3: p99 is" in done.stdout) == (options == ["--gate", "p99=50%"])


def test_a_document_markdown_and_a_page(lowlat: Run, directory: Path, tmp_path: Path) -> None:
    done = lowlat("fleet", "report", directory, "--json")
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published("lowlat.fleet/1", closed=True)).validate(document)
    assert [host["name"] for host in document["hosts"] if host["verdict"] == "slower"] == ["node-3"]
    markdown = lowlat("fleet", "report", directory, "--to", "md").stdout
    assert "### lowlat: 1 of 5 hosts stands out" in markdown
    assert "| node-3 |" in markdown
    assert lowlat("fleet", "report", directory, "-o", "fleet.html").returncode == 0
    page = (tmp_path / "fleet.html").read_text()
    assert page.count('class="heat-7"') >= 4
    assert "busy\\x1b[31m" in page


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["bench"], "name one cluster: --scheduler ADDRESS, --local N or --hosts FILE"),
        (["bench", "--local", "1", "--scheduler", "tcp://a:1"], "name one cluster"),
        (["bench", "--scheduler", "node"], "'node' is no address of a scheduler"),
        (["bench", "--local", "0"], "outside 1..512"),
        (["bench", "--local", "1", "--nonsense"], "--nonsense"),
        (["bench", "--local", "1", "-n", "many"], "many"),
        (["jitter", "--local", "1", "-n", "5"], "-n"),
        (["bench", "--local", "1", "--peer", "a:1"], "--peer does not go with a fleet"),
        (["bench", "--local", "1", "--log", "a.hlog"], "--log does not go with a fleet"),
        (["bench", "--local", "1", "--gate", "p99"], "not a valid gate"),
        (["bench", "--hosts", "none"], "no such file"),
        (["bench", "--local", "1", "-o", "/dev/null"], "cannot write /dev/null"),
        (["report", "."], "has no reports of a fleet"),
        (["report", "none"], "has no reports of a fleet"),
    ],
)
def test_what_cannot_be_is_one_line_and_starts_nothing(lowlat: Run, arguments: list[str], problem: str) -> None:
    done = lowlat("fleet", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    lines = [line for line in done.stderr.splitlines() if "starting" not in line]
    assert len(lines) == 1
    assert problem in lines[0]


def test_a_setting_is_refused_as_its_option_is(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text("[bench]\npeer = 'a:1'\n")
    done = lowlat("fleet", "bench", "--local", "1")
    assert done.returncode == 2
    assert done.stderr == "lowlat: error: the setting 'peer' does not go with a fleet; leave it out\n"


def test_an_unreachable_scheduler_is_one_line(patched: Run) -> None:
    """Nothing listens on the port of a socket that is bound only. Dask would try for ten seconds."""
    import socket

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        code = "from lowlat.fleet import connection\nconnection.CONNECT_S = 0.2"
        done = patched(code, "fleet", "doctor", "--scheduler", f"tcp://127.0.0.1:{bound.getsockname()[1]}", "-q")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lowlat: error: no scheduler answers at tcp://127.0.0.1:")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFleet]:
    """Four hosts by name. The last shares its CPU with a loop that never sleeps; the others have another CPU."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("needs two CPUs: one for the slow host and its competing load")
    commands = dict.fromkeys(HOSTS[:3], ("taskset", "-c", str(cpus[0]))) | {HOSTS[3]: ("taskset", "-c", str(cpus[1]))}
    loop = subprocess.Popen(["taskset", "-c", str(cpus[1]), sys.executable, "-c", "while True: pass"])
    try:
        with local_fleet(tmp_path_factory.mktemp("workers"), commands) as found:
            yield found
    finally:
        loop.kill()
        loop.wait()


def documents(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published(found["schema"], closed=True)).validate(found)
    return found


@pytest.mark.slow
def test_the_host_with_a_competing_load_is_named_with_its_cause(lowlat: Run, fleet: LocalFleet) -> None:
    """By jitter itself, which sees another thread on the CPU. The hosts take turns, by the lock of this machine."""
    done = lowlat(
        *("fleet", "jitter", "--scheduler", fleet.address, "--wait", "10min", "--duration", "1s", "--json"),
        *("-o", "fleet"),
        env={"LOWLAT_NO_LOCK": ""},  # else all four measure at once
    )
    assert done.returncode == 0, done.stderr
    assert sorted(line.split("] ")[1].split(":")[0] for line in done.stderr.splitlines()[1:]) == [*HOSTS]
    found = documents(done)
    (lost,) = (metric for metric in found["metrics"] if metric["name"] == "time lost")
    if lost["median"] > 0.2:
        pytest.skip(f"other programs take {lost['median']:.0%} of the CPU from every host here")
    assert [value["host"] for value in lost["values"] if value["outlier"]] == [HOSTS[3]]
    slow = {host["name"]: host for host in found["hosts"] if host["verdict"] == "slower"}
    assert slow[HOSTS[3]]["differences"][0]["what"] == "jitter: lost to: another thread"

    again = lowlat("fleet", "jitter", "--scheduler", fleet.address, "--duration", "1s", "--json", "-o", "fleet")
    assert "measured" not in again.stderr
    assert documents(again)["metrics"] == found["metrics"]


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_is_named_and_ctrl_c_reports_the_rest(start: Start, tmp_path: Path) -> None:
    hosts = dict.fromkeys(("node-1", "node-2", "node-3"), ("taskset", "-c", CPU))
    with local_fleet(tmp_path, hosts) as fleet:
        options = ("--no-lock", "--duration", "1h", "--cpus", CPU, "--json")
        with start("fleet", "jitter", "--scheduler", fleet.address, *options) as process:
            wait_until(lambda: len(measuring(fleet)) == 3, "each host measures")
            children = measuring(fleet)
            fleet.workers["node-2"].kill()
            assert process.stderr is not None
            wait_until(lambda: len(alive(children)) == 2, "the process of the killed worker ends")
            while "node-2: lost" not in (line := process.stderr.readline()):
                assert line, "it never names the lost host"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE_S)
        wait_until(lambda: not alive(children), "the processes of the others end")
    assert process.returncode == 130, err
    found = json.loads(out)
    assert found["status"] == "interrupted"
    assert {host["name"]: host["runs"][0]["outcome"] for host in found["hosts"]} == {
        "node-1": "canceled",
        "node-2": "lost",
        "node-3": "canceled",
    }


def measuring(fleet: LocalFleet) -> list[Any]:
    """The processes of the verbs that workers run."""
    import psutil

    found = []
    for worker in fleet.workers.values():
        with contextlib.suppress(psutil.Error):
            found += [each for each in psutil.Process(worker.pid).children() if "jitter" in each.cmdline()]
    return found


def alive(processes: list[Any]) -> list[Any]:
    import psutil

    return [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_a_cluster_of_its_own_on_this_host(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    command = ("fleet", "calibrate", "--local", "2", "--duration", "10ms", "--no-lock", "--strict")
    done = lowlat(*command, env={"TMPDIR": str(tmp_path / "temporary")})
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == "lowlat: starting a cluster of 2 on this host"
    assert len(done.stderr.splitlines()) == 2
    assert "too few hosts" in done.stdout
    assert not any((tmp_path / "temporary").iterdir()), "Dask keeps its locks in a folder that goes"


@pytest.mark.slow
def test_ctrl_c_on_a_terminal_is_heard_by_the_command_alone(start: Start) -> None:
    """A terminal sends it to all processes of the group, the workers too, which would write tracebacks."""
    import psutil

    options = ("--no-lock", "--duration", "1h", "--cpus", CPU, "--json")
    with start("fleet", "jitter", "--local", "1", *options, start_new_session=True) as process:
        own = psutil.Process(process.pid)

        def runs() -> bool:
            with contextlib.suppress(psutil.Error):
                return any("lowlat.fleet.verb_process" in child.cmdline() for child in own.children(recursive=True))
            return False

        wait_until(runs, "the host measures")
        children = own.children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    wait_until(lambda: not alive(children), "all processes end")
    assert (process.returncode, err) == (130, "lowlat: starting a cluster of 1 on this host\n")
    assert json.loads(out)["status"] == "interrupted"


@pytest.mark.slow
def test_five_hundred_hosts() -> None:
    """What it costs beside the runs, within what was promised; in CPU time, to which neighbors do not add."""
    program = "import runpy, sys; sys.path.append('.'); runpy.run_module('tests.simulated_fleet', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "500"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert (found["status"], found["hosts"], found["outliers"]) == ("ok", 500, ["node-0077"])
    assert found["dispatch and gather"]["cpu_s"] / 500 < 0.050
    assert sum(each["cpu_s"] for each in found.values() if isinstance(each, dict)) < 30
    assert found["peak_bytes"] < 1 << 30
