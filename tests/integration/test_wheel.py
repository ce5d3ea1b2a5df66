"""A wheel is the same, byte for byte, wherever and whenever it is built; it contains what it should and no more."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.wheels import ROOT, wheel_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone"),
]


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def cloned(folder: Path) -> Path:
    """A clone with the edits that are not committed."""
    git("clone", "-q", "--no-hardlinks", str(ROOT), str(folder))
    for name in filter(None, git("ls-files", "-zcmdo", "--exclude-standard", "--deduplicate").split("\0")):
        here, there = ROOT / name, folder / name
        if here.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(here, there)
        else:
            there.unlink()
    return folder


def built(sources: Path, folder: Path, **variables: str) -> Path:
    return wheel_of(sources, folder, {"SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct").strip()} | variables)


def digest(wheel: Path) -> str:
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_a_clone_gives_the_same_wheel(tmp_path: Path) -> None:
    first = built(ROOT, tmp_path / "here")
    seen = digest(first)
    clone = cloned(tmp_path / "another-place-with-a-longer-name")
    # The clone's is compiled anew, whatever the caller's cache of compiled files has.
    elsewhere = {"CCACHE_DISABLE": "1", "TZ": "UTC7"}
    assert seen == digest(built(clone, tmp_path / "there", **elsewhere))
    names = contents(first)
    ours = [name for name in names if not name.startswith("lowlat/engine/foreign/template/")]  # which is its user's
    assert not any(".cpp" in name or ".hpp" in name or name.startswith("tests/") for name in ours)
    shared = {name.partition(".data/data/share/")[2] for name in names if ".data/data/share/" in name}
    completions = {"bash-completion/completions/lowlat", "zsh/site-functions/_lowlat"}
    completions |= {"fish/vendor_completions.d/lowlat.fish"}
    assert shared == completions | {f"man/man1/{page.name}" for page in (ROOT / "docs/man").iterdir()}
    with (clone / "lowlat/units.py").open("a") as module:
        module.write("# other\n")
    assert digest(built(clone, tmp_path / "edited", **elsewhere)) != seen, "another source is another wheel"


def contents(wheel: Path) -> list[str]:
    """The files of a wheel, whose metadata is checked."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
        licenses = {name for name in names if name.startswith(f"{info}/licenses/")}
        assert licenses == {f"{info}/licenses/LICENSE", f"{info}/licenses/THIRD-PARTY-NOTICES.txt"}
        compiled = json.loads(archive.read(f"{info}/sboms/compiled-in.cdx.json"))["components"]
        assert [each["name"] for each in compiled] == ["nanobind", "robin-map", "numpy"]
        assert all(re.search(rf"@v?{each['version']}$", each["purl"]) for each in compiled)
        systems = [
            line for line in archive.read(f"{info}/METADATA").decode().splitlines() if "Operating System" in line
        ]
        assert systems == ["Classifier: Operating System :: POSIX :: Linux"]
    return names
