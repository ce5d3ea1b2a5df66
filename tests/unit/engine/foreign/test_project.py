"""What `lowlat init-engine` writes is whole, and its Rust form of the interface is that of the header."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lowlat.engine.foreign.project import HEADER, Language, header, write_project
from lowlat.errors import OutputPathError
from tests.built import ROOT

FOREIGN = ROOT / "engine/foreign"
RUST = FOREIGN / "template/rust/lowlat_engine.rs"
COMMON = {".github/workflows/engine.yml", ".gitignore", "CMakeLists.txt", "README.md", HEADER}
OWN: dict[Language, set[str]] = {
    "c++": {"engine.cpp"},
    "c": {"engine.c"},
    "rust": {"Cargo.toml", "engine.rs", "lowlat_engine.rs", "rustfmt.toml"},
}


@pytest.mark.parametrize("language", OWN)
def test_a_project_has_these_files(tmp_path: Path, language: Language) -> None:
    project = tmp_path / "mine"
    written = write_project(project, language)
    assert set(written) == COMMON | OWN[language]
    found = {file.relative_to(project).as_posix() for file in project.rglob("*") if file.is_file()}
    assert found == set(written)
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


def test_the_header_is_the_one_that_lowlat_is_built_with(tmp_path: Path) -> None:
    write_project(tmp_path / "mine", "c")
    assert (tmp_path / "mine" / HEADER).read_text() == header() == (ROOT / "engine/native/foreign" / HEADER).read_text()


def test_the_readme_names_what_is_the_users() -> None:
    assert "MIT-0" in (FOREIGN / "template/common/README.md").read_text()
    for name in ("c++/engine.cpp", "c/engine.c", "rust/engine.rs"):
        assert "SPDX-License-Identifier: MIT-0" in (FOREIGN / "template" / name).read_text().partition("\n\n")[0], name


def test_a_folder_that_is_not_empty_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "engine.cpp").write_text("mine")
    with pytest.raises(OutputPathError, match="it is not empty; name a new directory"):
        write_project(tmp_path, "c++")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("engine.cpp", "mine")]


def test_the_current_directory_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputPathError, match=r"cannot write \.: it is the current directory; name a new one"):
        write_project(Path(), "c++")
    assert list(tmp_path.iterdir()) == []


def fields_in_c(text: str, struct: str) -> list[str]:
    """Names of a struct's fields, of functions and others."""
    body = re.sub(
        r"/\*.*?\*/", "", text[: text.index(f"}} {struct};")].rpartition(f"typedef struct {struct} {{")[2], flags=re.S
    )
    return [re.findall(r"\(\*(\w+)\)|(\w+)$", line)[0] for line in body.replace("\n", " ").split(";") if line.strip()]


def fields_in_rust(text: str, struct: str) -> list[str]:
    body = text.partition(f"pub struct {struct} {{")[2].partition("\n}")[0]
    return re.findall(r"pub (\w+):", body)


@pytest.mark.parametrize(
    ("in_c", "in_rust"),
    [("lowlat_engine_settings", "EngineSettings"), ("lowlat_engine_interface", "EngineInterface")],
)
def test_the_interface_in_rust_has_the_fields_of_the_header(in_c: str, in_rust: str) -> None:
    expected = ["".join(names) for names in fields_in_c(header(), in_c)]
    assert len(expected) > 4 and fields_in_rust(RUST.read_text(), in_rust) == expected
    missing = RUST.read_text().replace("    pub size:", "    pub bytes:")
    assert fields_in_rust(missing, in_rust) != expected


def test_the_interface_in_rust_has_the_version_of_the_header() -> None:
    (version,) = re.findall(r"#define LOWLAT_ENGINE_INTERFACE_VERSION (\d+)", header())
    assert re.findall(r"pub const INTERFACE_VERSION: u32 = (\d+);", RUST.read_text()) == [version]
