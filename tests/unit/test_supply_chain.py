"""What a release is made of: pinned actions, the notices of what is compiled in, and its bill of materials."""

from __future__ import annotations

import copy
import importlib.metadata
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import nanobind
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
NOTICES = ROOT / "THIRD-PARTY-NOTICES.txt"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.y*ml"))

sys.path.insert(0, str(ROOT / "tools/release"))
from bill_of_materials import bill_of  # noqa: E402 (a program, not a package)

sys.path.pop(0)


def not_pinned(workflow: str) -> list[str]:
    """The actions that are not given by a whole commit and the version that it was then."""
    used = re.findall(r"uses:\s*(.*)", workflow)
    return [action for action in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert "uses:" in text and not_pinned(text) == []
    assert re.search(r"^permissions:\n  contents: read$", text, re.MULTILINE), "the token may only read by default"


@pytest.mark.parametrize(
    "action",
    [
        "actions/checkout@v4",
        "actions/checkout@main",
        "actions/checkout@11bd719 # v4.2.2",
        "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683",
    ],
)
def test_an_action_that_can_change_is_rejected(action: str) -> None:
    assert not_pinned(f"steps:\n  - uses: {action}\n") == [action]


def test_there_is_a_workflow() -> None:
    assert WORKFLOWS


def words(text: str) -> str:
    return " ".join(re.sub(r"^ \*", " ", text, flags=re.MULTILINE).split())


def license_of(package: str, name: str) -> str:
    files = importlib.metadata.files(package) or ()
    return words(min((file for file in files if file.name == name), key=lambda file: len(file.parts)).read_text())


def test_the_notices_are_those_of_what_is_compiled_in() -> None:
    """Verbatim, from the versions that are installed here."""
    notices = words(NOTICES.read_text(encoding="utf-8"))
    assert license_of("nanobind", "LICENSE") in notices
    own, _bundled = license_of("numpy", "LICENSE.txt").split("----", 1)
    assert own[own.index("Redistribution") :].rstrip() in notices, "all but the year"
    ext = Path(nanobind.__file__).parent / "ext"
    assert [folder.name for folder in ext.iterdir()] == ["robin_map"], "all that nanobind contains has a notice"
    header = (ext / "robin_map/include/tsl/robin_map.h").read_text(encoding="utf-8")
    assert words(header[3 : header.index("*/")]) in notices


COMPILED_IN = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "components": [
        {"type": "library", "bom-ref": "pkg:pypi/nanobind@3.1.0", "name": "nanobind", "version": "3.1.0"},
    ],
}
METADATA = """\
Metadata-Version: 2.4
Name: lowlat
Version: 0.1.0
Summary: Benchmarks
License-Expression: Apache-2.0
Requires-Dist: numpy>=1.26
Requires-Dist: typer>=0.29
Requires-Dist: pytest>=8.2; extra == "test"

# lowlat
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "lowlat-0.1.0-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lowlat-0.1.0.dist-info/METADATA", METADATA)
        archive.writestr("lowlat-0.1.0.dist-info/sboms/compiled-in.cdx.json", json.dumps(COMPILED_IN))
        archive.writestr("lowlat.libs/libextra-1a2b.so", b"library")
    return path


def installed_list() -> dict[str, Any]:
    """What is compiled into the modules that are installed here, as their build wrote it."""
    (file,) = (each for each in importlib.metadata.files("lowlat") or () if each.name == "compiled-in.cdx.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_the_list_in_a_wheel_is_valid_and_names_the_versions_that_were_compiled() -> None:
    found = installed_list()
    assert fault(found) is None
    for component in found["components"]:
        purl = PackageURL.from_string(component["purl"])
        assert purl.to_string() == component["purl"] == component["bom-ref"], "as the specification writes it"
        assert (purl.name, purl.version.removeprefix("v")) == (component["name"], component["version"])
        assert f"\n{component['name'].lower()} (http" in NOTICES.read_text(encoding="utf-8").lower()
    (binding,) = (each for each in found["components"] if each["name"] == "nanobind")
    assert binding["version"] == importlib.metadata.version("nanobind")


def fault(bill: dict[str, Any]) -> object:
    """What the specification's own schema has against it, if anything."""
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))


def test_a_bill_of_materials_is_valid_and_names_everything(wheel: Path) -> None:
    bill = bill_of(wheel)
    assert fault(bill) is None
    names = ["nanobind", "lowlat.libs/libextra-1a2b.so", "numpy", "typer"]
    assert [component["name"] for component in bill["components"]] == names
    assert len(bill["dependencies"][0]["dependsOn"]) == len(names)
    assert bill == bill_of(wheel), "no time, no chance"


def test_a_bill_of_another_wheel_differs(wheel: Path) -> None:
    before = bill_of(wheel)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("lowlat/more.py", "")
    after = bill_of(wheel)
    assert after["serialNumber"] != before["serialNumber"]
    assert after["metadata"]["component"]["hashes"] != before["metadata"]["component"]["hashes"]


def test_an_invalid_bill_is_rejected(wheel: Path) -> None:
    bill = copy.deepcopy(bill_of(wheel))
    bill["components"][0]["type"] = "thing"
    assert fault(bill) is not None


def test_a_wheel_without_its_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lowlat-0.1.0.dist-info/METADATA", METADATA)
    with pytest.raises(SystemExit, match=r"0 files are named .*compiled-in"):
        bill_of(path)
