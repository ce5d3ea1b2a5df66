"""A wheel is the same, byte for byte, wherever and whenever it is built; it contains what it should and no more."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone"),
]


def cloned(folder: Path) -> Path:
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, folder], check=True, timeout=PATIENCE_S)
    return folder


def built(clone: Path) -> Path:
    """The wheel of a clone, without the compiler's cache; a second build compiles what has changed."""
    commit = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=clone, check=True, capture_output=True, text=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CMAKE_", "LOWLAT_"))}
    environment |= {"SOURCE_DATE_EPOCH": commit.stdout.strip(), "TZ": f"UTC{len(clone.name) % 12}"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", ".", "--no-deps"]
    command = [*pip, "--no-build-isolation", "-w", "made", "-C", "build-dir=build/wheel"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (clone / "made").glob("*.whl")
    return wheel


def digest(wheel: Path) -> str:
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_two_clones_give_one_wheel(tmp_path: Path) -> None:
    clone = cloned(tmp_path / "one")
    first = built(clone)
    seen = digest(first)
    assert seen == digest(built(cloned(tmp_path / "another-place-with-a-longer-name")))
    names = contents(first)
    assert not any(".cpp" in name or ".hpp" in name or name.startswith("tests/") for name in names)
    shared = {name.partition(".data/data/share/")[2] for name in names if ".data/data/share/" in name}
    completions = {"bash-completion/completions/lowlat", "zsh/site-functions/_lowlat"}
    completions |= {"fish/vendor_completions.d/lowlat.fish"}
    assert shared == completions | {f"man/man1/{page.name}" for page in (ROOT / "docs/man").iterdir()}
    first.unlink()
    with (clone / "lowlat/units.py").open("a") as module:
        module.write("# other\n")
    assert digest(built(clone)) != seen, "another source is another wheel"


def contents(wheel: Path) -> list[str]:
    """The files of a wheel, whose metadata is checked."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
        licenses = {name for name in names if name.startswith(f"{info}/licenses/")}
        assert licenses == {f"{info}/licenses/LICENSE", f"{info}/licenses/THIRD-PARTY-NOTICES.txt"}
        compiled = json.loads(archive.read(f"{info}/sboms/compiled-in.cdx.json"))["components"]
        assert [each["name"] for each in compiled] == ["nanobind", "robin-map"]
        assert all(re.search(rf"@v?{each['version']}$", each["purl"]) for each in compiled)
        systems = [
            line for line in archive.read(f"{info}/METADATA").decode().splitlines() if "Operating System" in line
        ]
        assert systems == ["Classifier: Operating System :: POSIX :: Linux"]
    return names
