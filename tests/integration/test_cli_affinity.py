"""`lowlat affinity`: the kernel confirms what was set, and a started command keeps its arguments, exit code and
signals.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lowlat.errors import ExitCode
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.topology.nodes import memory_nodes
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
Document = Callable[..., dict[str, Any]]
Terminal = Callable[..., str]

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform does not pin")

CPU = "sys/devices/system/cpu"
SHOW = "import os; print(*sorted(os.sched_getaffinity(0)))"
ENDED = 4_194_303  # no Linux gives it unless told to: /proc/sys/kernel/pid_max is the first that is not given


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    """A process with three threads that waits for the end of its stdin."""
    program = (
        "import sys, threading\n"
        "done = threading.Event()\n"
        "for _ in range(2): threading.Thread(target=done.wait).start()\n"
        "print('ready', flush=True); sys.stdin.read(); done.set()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.communicate()


# --- show and set ---


def test_show_without_a_process_is_what_a_command_would_inherit(lowlat: Run, document: Document) -> None:
    allowed = format_cpu_list(allowed_cpus())
    assert f"allowed       {allowed} for a command started here\n" in lowlat("affinity", "show").stdout
    found = document("affinity", "show")
    assert [thread["cpus"] for thread in found["threads"]] == [sorted(os.sched_getaffinity(0))]
    assert found["cpu_sets"]["allowed"] == list(allowed_cpus())


def test_show_lists_every_thread(document: Document, child: subprocess.Popen[str]) -> None:
    found = document("affinity", "show", child.pid)
    assert (found["pid"], len(found["threads"])) == (child.pid, 3)
    assert found["threads"][0]["tid"] == child.pid
    assert {thread["scheduler"] for thread in found["threads"]} == {"other"}


def test_set_binds_every_thread_and_reads_it_back(
    lowlat: Run, document: Document, child: subprocess.Popen[str]
) -> None:
    cpu = allowed_cpus()[-1]
    text = lowlat("affinity", "set", child.pid, cpu).stdout
    assert f"process       {child.pid} · 3 threads" in text
    threads = document("affinity", "show", child.pid)["threads"]
    assert [thread["cpus"] for thread in threads] == [[cpu]] * 3
    assert os.sched_getaffinity(child.pid) == {cpu}
    every = document("affinity", "set", child.pid, "all")["threads"]
    assert all(set(thread["cpus"]) >= set(allowed_cpus()) for thread in every)  # this process may itself be bound


def test_set_may_go_beyond_our_own_affinity(lowlat: Run, child: subprocess.Popen[str]) -> None:
    """The affinity that this process inherited does not limit another one; the kernel allows any CPU."""
    first, last = allowed_cpus()[0], allowed_cpus()[-1]
    itself = (sys.executable, "-P", "-m", "lowlat_cli.main", "affinity", "set")
    done = lowlat("affinity", "run", "--cpus", first, "--", *itself, child.pid, last)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.sched_getaffinity(child.pid) == {last}


def test_name_of_a_thread_cannot_write_to_the_terminal(lowlat: Run, tmp_path: Path) -> None:
    program = tmp_path / "evil\x1b[31m"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "30"]) as process:
        try:
            text = lowlat("affinity", "show", process.pid).stdout
        finally:
            process.kill()
    assert r"evil\x1b[31m" in text and "\x1b" not in text


# --- run ---


@pytest.mark.parametrize("dashes", [["--"], []])
def test_command_runs_on_the_cpus_from_inside(lowlat: Run, dashes: list[str]) -> None:
    cpu = allowed_cpus()[-1]
    done = lowlat("affinity", "run", "--cpus", cpu, *dashes, sys.executable, "-c", SHOW, "--json", "--cpus", "9")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{cpu}\n", "")


def test_run_may_leave_the_affinity_it_inherited(lowlat: Run) -> None:
    first, last = allowed_cpus()[0], allowed_cpus()[-1]
    itself = (sys.executable, "-P", "-m", "lowlat_cli.main", "affinity", "run", "--cpus")
    done = lowlat("affinity", "run", "--cpus", first, "--", *itself, last, "--", sys.executable, "-c", SHOW)
    assert (done.stdout, done.stderr) == (f"{last}\n", "")


def test_auto_is_the_cpu_that_plan_chooses(lowlat: Run, document: Document) -> None:
    (planned,) = document("affinity", "plan", "--roles", "matcher")["assignments"]
    done = lowlat("affinity", "run", "--cpus", "auto", "--", sys.executable, "-c", SHOW)
    assert done.stdout == f"{planned['cpu']}\n"


def test_exit_code_and_streams_are_the_commands(lowlat: Run) -> None:
    done = lowlat("affinity", "run", "--cpus", "all", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_signals_are_the_commands(start: Start) -> None:
    """The command replaces the process: the process id stays, and a signal ends the command itself."""
    with start("affinity", "run", "--cpus", "all", "--", "sh", "-c", "echo $$; exec sleep 3600") as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == -signal.SIGINT


def test_command_dies_of_a_broken_pipe_as_it_would_alone(start: Start) -> None:
    """The interpreter ignores SIGPIPE; a command that inherited that would keep writing without a reader."""
    with start("affinity", "run", "--cpus", "all", "--", "yes") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=PATIENCE_S) == -signal.SIGPIPE


def test_memory_is_bound_for_the_command(lowlat: Run) -> None:
    nodes = memory_nodes()
    if nodes.value is None:
        pytest.skip(nodes.text)
    node = nodes.value[0]
    tell = (
        "import sys; from lowlat.probes.memory.numa_memory import thread_policy; policy = thread_policy().value; "
        "print(policy.policy, *policy.nodes)"
    )
    for more, number in ((["--membind"], 2), ([], 1)):  # MPOL_BIND and MPOL_PREFERRED of linux/mempolicy.h
        done = lowlat("affinity", "run", "--cpus", "all", "--node", node, *more, "--", sys.executable, "-P", "-c", tell)
        if "forbids it" in done.stderr:
            pytest.skip(done.stderr)
        assert done.stdout == f"{number} {node}\n"


def test_realtime_priority_is_set_or_the_missing_right_named(lowlat: Run) -> None:
    tell = "import os; print(os.sched_getscheduler(0) == os.SCHED_FIFO, os.sched_getparam(0).sched_priority)"
    done = lowlat("affinity", "run", "--cpus", "all", "--fifo", "3", "--", sys.executable, "-c", tell)
    if done.returncode:
        assert done.returncode == ExitCode.USAGE
        assert "it needs CAP_SYS_NICE or RLIMIT_RTPRIO" in done.stderr
    else:
        assert done.stdout == "True 3\n"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("no-such-command", ExitCode.COMMAND_MISSING, "'no-such-command' cannot be started: No such file or directory"),
        ("/etc", ExitCode.COMMAND_REFUSED, "'/etc' cannot be started: Permission denied"),
        ("./plain", ExitCode.COMMAND_REFUSED, "cannot be started: Permission denied"),
    ],
)
def test_command_that_cannot_be_started_ends_as_from_a_shell(
    lowlat: Run, tmp_path: Path, command: str, code: int, words: str
) -> None:
    (tmp_path / "plain").write_text("not executable")
    done = lowlat("affinity", "run", "--cpus", "all", "--", command)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr and done.stderr.count("\n") == 1


# --- plan ---


def test_plan_gives_each_thread_an_allowed_cpu_and_says_why(lowlat: Run, document: Document) -> None:
    found = document("affinity", "plan", "--roles", "producer=2,matcher,publisher")
    assert [a["thread"] for a in found["assignments"]] == ["producer[0]", "producer[1]", "matcher", "publisher"]
    assert {a["cpu"] for a in found["assignments"]} <= set(allowed_cpus())
    assert all(a["reasons"] or a["compromises"] for a in found["assignments"])
    text = lowlat("affinity", "plan", "--roles", "producer=2,matcher,publisher").stdout
    for assignment in found["assignments"]:
        assert f"\n{assignment['thread']} " in text
    for warning in found["warnings"]:
        assert warning in text


def test_plan_for_another_host(document: Document, tmp_path: Path) -> None:
    """Four CPUs in two cores, 2 and 3 isolated: the matcher takes 2; the next thread avoids its sibling 3."""
    files = {f"{CPU}/online": "0-3", f"{CPU}/isolated": "2-3", "proc/self/status": "Cpus_allowed_list:\t0-3"}
    files |= {f"{CPU}/cpu{cpu}/topology/core_cpus_list": f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}" for cpu in range(4)}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def cpus(*arguments: str) -> list[int]:
        found = document("affinity", "plan", "--root", tmp_path, "--roles", "matcher,publisher", *arguments)
        return [assignment["cpu"] for assignment in found["assignments"]]

    assert cpus() == [2, 1]
    assert cpus("--busy", "2") == [1, 3]


def test_plan_starts_from_the_node_of_a_network_card(document: Document, tmp_path: Path) -> None:
    """Two nodes of two CPUs; without a card the lower one is chosen."""
    card = "sys/class/net/eth1/device"
    files = {f"{CPU}/online": "0-3", "proc/self/status": "Cpus_allowed_list:\t0-3", f"{card}/numa_node": "1"}
    for node, cpus in enumerate(("0-1", "2-3")):
        files[f"sys/devices/system/node/node{node}/cpulist"] = cpus
        files[f"sys/devices/system/node/node{node}/meminfo"] = f"Node {node} MemTotal: 1024 kB"
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    verb = ("affinity", "plan", "--root", tmp_path, "--roles", "matcher,publisher")
    assert document(*verb)["memory_node"] == 0
    found = document(*verb, "--nic", "eth1")
    assert (found["memory_node"], [each["cpu"] for each in found["assignments"]]) == (1, [2, 3])


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("verb", ["plan", "show"])
def test_tables_fit_a_terminal(on_terminal: Terminal, verb: str, columns: int) -> None:
    text = on_terminal(columns, "affinity", verb)
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text and "allowed" in text


# --- bad input ---


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", ENDED], f"process {ENDED} does not exist; check the process ID"),
        (["show", "0"], "PID: 0 is outside 1.."),
        (["show", "x"], "PID: 'x' is not an integer"),
        (["set", ENDED, "0"], f"process {ENDED} does not exist; check the process ID"),
        (["set", os.getpid(), "3-1"], "'3-1' as a CPU list is reversed; write 1-3"),
        (["set", os.getpid(), "0-"], "'0-' as a CPU list has no end; write 0-N or name the last CPU"),
        (["set", os.getpid(), "4095"], "CPU 4095 does not exist on this host; it has CPUs "),
        (["set", os.getpid()], "missing argument 'LIST'"),
        (["run", "--cpus", "a", "true"], "'a' as a CPU list is not a CPU number or range; write CPUs like 0-3,8"),
        (["run", "--cpus", "4000-4031:2/8", "true"], "CPUs 4000-4001,4008-4009,4016-4017,4024-4025 do not exist"),
        (["run", "--cpus", "", "true"], "the CPU list is empty"),
        (["run", "--cpus", "all"], "missing argument 'COMMAND'"),
        (["run", "true"], "missing option '--cpus'"),
        (["run", "--cpus", "all", "--membind", "true"], "--membind needs a NUMA node; add --node N"),
        (["run", "--cpus", "all", "--node", "1000", "true"], "node"),
        (["run", "--cpus", "all", "--fifo", "100", "true"], "--fifo: 100 is outside 1..99"),
        (["plan", "--roles", "a=0"], "'a=0' asks for 0 threads; use 1 to 1024"),
        (["plan", "--roles", "a,a"], "role 'a' is given twice; write its number of threads as a=2"),
        (["plan", "--roles", ""], "'' is not a role; write roles like producer=2,matcher,publisher"),
        (["plan", "--node", "1000"], "node 1000"),
        (["plan", "--nic", "lo"], "--nic 'lo': there is no such network card"),
        (["plan", "--nic", "eth1", "--node", "0"], "--nic eth1 chooses the node, and so does --node 0; remove one"),
        (["plan", "--root", "/nope"], "/nope does not exist"),
        (["plan", "--busy", "x"], "'x' as a CPU list is not a CPU number or range"),
        (["stop"], "no such command 'stop'"),
    ],
)
def test_bad_input_is_one_line_with_what_to_do(lowlat: Run, arguments: list[object], words: str) -> None:
    done = lowlat("affinity", *arguments)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr.startswith("lowlat: error: ") and done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_process_of_another_user_names_the_right() -> None:
    with subprocess.Popen(["sleep", "3600"]) as sleeper:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "lowlat_cli.main", "affinity", "set", str(sleeper.pid), "all"],
                user=65_534,
                group=65_534,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
            )
        except PermissionError:
            pytest.skip("another user may not run this interpreter")
        finally:
            sleeper.kill()
    if "No module named" in done.stderr:
        pytest.skip("another user may not read this installation")
    assert done.returncode == ExitCode.USAGE
    assert "it belongs to another user; run as that user or with CAP_SYS_NICE" in done.stderr


def test_without_a_verb_of_its_own_it_shows_help(lowlat: Run) -> None:
    done = lowlat("affinity")
    assert done.returncode == 0
    assert done.stdout.index("Examples:") < done.stdout.index("Usage:")
    assert all(f"\n  {verb} " in done.stdout for verb in ("show", "set", "run", "plan"))


def test_settings_reach_the_verbs_beneath(document: Document, lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "lowlat.toml").write_text('[affinity]\nroles = "gateway"\n')
    assert [a["role"] for a in document("affinity", "plan")["assignments"]] == ["gateway"]
    done = lowlat("affinity", "run", "--", sys.executable, "-c", SHOW, env={"LOWLAT_CPUS": str(allowed_cpus()[0])})
    assert done.stdout == f"{allowed_cpus()[0]}\n"
    (tmp_path / "lowlat.toml").write_text('[affinity]\nrolls = "gateway"\n')
    assert "unknown key 'affinity.rolls'; did you mean 'roles'?" in lowlat("affinity", "plan").stderr


def test_two_at_once_leave_each_other_alone(lowlat: Run) -> None:
    """Each binds only itself."""
    results: dict[int, str] = {}

    def run(cpu: int) -> None:
        done = lowlat("affinity", "run", "--cpus", cpu, "--", sys.executable, "-c", SHOW)
        results[cpu] = done.stdout

    wanted = {allowed_cpus()[0], allowed_cpus()[-1]}
    threads = [threading.Thread(target=run, args=(cpu,)) for cpu in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {cpu: f"{cpu}\n" for cpu in wanted}
