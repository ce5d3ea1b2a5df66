"""The script of the fixes, run on a copy of the host's files: it makes the checks pass, and its undo restores them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lowlat.probes.doctor.examination import Examination
from lowlat.probes.doctor.fix_script import fixable, script_of
from lowlat.probes.doctor.knobs import choice
from tests.hostile import HOSTILE
from tests.unit.probes.doctor.hosts import CPU, UNTUNED, UNTUNED_ANSWERS, examined, tree_of

ONLY_FILES = {"interrupt-coalescing", "receive-offload"}
"""Their command asks the driver, which no file stands for."""
READ_BACK_OTHERWISE = {"preemption"}
"""Its file takes a word, and gives all of them with one in parentheses."""
PARTLY = {"swap"}
"""The rest is for a person."""
SYSCTL = '#!/bin/sh\nfile={root}/proc/sys/$(echo "${{2%%=*}}" | tr . /)\n[ "$1" = -w ] && echo "${{2#*=}}" > "$file"\n'


def examine(root: Path, **files: str) -> Examination:
    return examined(tree_of(root, files), **UNTUNED_ANSWERS)


@pytest.fixture
def run(tmp_path: Path):
    """Run a script below a root, with commands that write there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    commands = {"sysctl": SYSCTL.format(root=tmp_path / "host"), "ethtool": "#!/bin/sh\n"}
    for name, text in commands.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)

    def run_script(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "tune.sh"
        script.write_text(text.replace("> /", f"> {tmp_path / 'host'}/").replace("> '/", f"> '{tmp_path / 'host'}/"))
        environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
        return subprocess.run(
            ["sh", str(script), *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
        )

    return run_script


def contents(root: Path) -> dict[str, str | None]:
    """Each file as the kernel would show it: the choice alone."""
    return {str(path.relative_to(root)): choice(path.read_text().strip()) for path in root.rglob("*") if path.is_file()}


def test_the_script_tunes_the_host_and_its_undo_restores_it(tmp_path: Path, run) -> None:
    root = tmp_path / "host"
    found = examine(root, **UNTUNED)
    before = contents(root)
    names = {finding.id for finding in fixable(found)}
    assert len(names) > 18
    script = script_of(found)
    done = run(script)
    assert (done.returncode, done.stderr) == (0, "")
    after = {finding.id: finding.status for finding in examine(root).findings}
    assert {
        name: after[name] for name in names - ONLY_FILES - READ_BACK_OTHERWISE - PARTLY if after[name] != "pass"
    } == {}
    assert run(script, "undo").returncode == 0
    restored = contents(root)
    kept = {path: text for path, text in before.items() if "sched/preempt" not in path}
    assert {path: restored[path] for path in kept} == kept


def test_a_script_without_undo_would_be_noticed(tmp_path: Path, run) -> None:
    root = tmp_path / "host"
    script = script_of(examine(root, **UNTUNED))
    before = contents(root)
    run(script)
    assert contents(root) != before


def test_each_undo_stands_beside_its_fix(tmp_path: Path) -> None:
    script = script_of(examine(tmp_path, **UNTUNED))
    part = script.partition("# transparent-huge-pages: ")[2].partition("\nfi\n")[0].splitlines()
    path = "/sys/kernel/mm/transparent_hugepage/enabled"
    assert part == [
        "always; good: never or madvise",
        f"# echo madvise > {path}",
        "if $undo; then",
        f"    echo always > {path} || status=1",
        "else",
        f"    echo madvise > {path} || status=1",
    ]
    assert "# swapoff -a, and mlockall() in the program; sysctl -w vm.swappiness=10" in script
    assert "# By hand: rtprio in limits.conf, LimitRTPRIO=, or --cap-add SYS_NICE" in script


def test_another_word_than_undo_changes_nothing(tmp_path: Path, run) -> None:
    root = tmp_path / "host"
    script = script_of(examine(root, **UNTUNED))
    before = contents(root)
    done = run(script, "redo")
    assert done.returncode == 2 and "usage" in done.stderr
    assert contents(root) == before


def test_a_command_that_fails_is_told_and_the_others_run(tmp_path: Path, run) -> None:
    root = tmp_path / "host"
    script = script_of(examine(root, **UNTUNED))
    (root / "sys/kernel/mm/ksm/run").unlink()
    (root / "sys/kernel/mm/ksm/run").mkdir()
    assert run(script).returncode == 1
    assert (root / "sys/kernel/mm/transparent_hugepage/enabled").read_text() == "madvise\n"


@pytest.mark.parametrize(
    "text", ["$(touch pwned)", "x; touch pwned", "'; touch pwned; '", f"x\ntouch pwned\n{HOSTILE}"]
)
def test_no_text_of_a_file_becomes_a_command(tmp_path: Path, run, text: str) -> None:
    files = {
        f"{CPU}/cpu0/cpufreq/scaling_governor": text,
        "sys/kernel/mm/transparent_hugepage/defrag": f"[{text[:38]}]",
    }
    script = script_of(examine(tmp_path / "host", **{**UNTUNED, **files}))
    for arguments in ((), ("undo",)):
        run(script, *arguments)
        assert not list(tmp_path.rglob("pwned"))
    assert "\x1b" not in script
