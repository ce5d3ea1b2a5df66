"""What may come next on a command line, as the shells' scripts ask for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowlat_cli.app import command_line
from lowlat_cli.completion.candidates import Candidates, candidates


def after(line: str) -> Candidates:
    return candidates(command_line(), line.split(" "))


def values(line: str) -> list[str]:
    return [value for value, _ in after(line).values]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("be", ["bench"]),
        ("c", ["convert", "calibrate", "cores", "capture", "compare", "completion"]),
        ("journal ", ["verify", "dump", "compact"]),
        ("help journal v", ["verify"]),
        ("bench --pro", ["--profile", "--producers"]),
        ("bench --js", ["--json"]),
        ("bench -n 5 --see", ["--seed"]),
        ("bench --profile equ", ["equity"]),
        ("bench -p equ", ["equity"]),
        ("bench --profile=equ", ["equity"]),
        ("bench --profile = equ", ["equity"]),  # as bash splits it
        ("bench --profile =", values("bench --profile ")),
        ("bench --engine r", ["reference"]),
        ("league r", ["reference"]),
        ("league native r", ["reference"]),
        ("bench --arrivals l", ["long-memory"]),
        ("replay x --format lob", ["lobster"]),
        ("convert x --to par", ["parquet"]),
        ("convert x --format db", ["dbn"]),
        ("convert x --columns bit", ["bitstamp"]),
        ("report --to open", ["openmetrics"]),
        ("report --format open", ["openmetrics"]),
        ("compare --to ju", ["junit"]),
        ("profile show equ", ["equity"]),
        ("profiles equ", ["equity"]),
        ("completion z", ["zsh"]),
        ("init-engine x --language r", ["rust"]),
        ("ab --a", ["--a"]),
        ("ablate --only hu", ["huge-pages"]),
        ("--ver", ["--version"]),
        # Nothing may follow: an unknown verb, one argument too many, a value that is not listed, an option after --.
        ("bogus ", []),
        ("bogus --", []),
        ("_c", []),
        ("calibrate ", []),
        ("bench --seed ", []),
        ("bench --bogus=", []),
        ("profile show deep ", []),
        ("compare -- --q", []),
        ("affinity run ls --q", []),
    ],
)
def test_values(line: str, expected: list[str]) -> None:
    assert values(line) == expected


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("journal verify ", "files"),
        ("replay ", "files"),
        ("replay x --expect ", "files"),
        ("convert ", "files"),
        ("compare ", "files"),
        ("compare a -- b ", "files"),
        ("bench -o ", "files"),
        ("bench --output=", "files"),
        ("bench -p ", "files"),
        ("profile show ", "files"),
        ("topology --root ", "files"),
        ("topology --capture ", "files"),
        ("league ", "files"),
        ("bench --dir ", "folders"),
        ("init-engine ", "folders"),
        ("report --history ", "folders"),
        ("affinity run --cpus 0 -- ", "commands"),
        ("affinity run ls ", "files"),
        ("ab -- ", "commands"),
        ("bench ", "nothing"),
        ("bench --cpu ", "nothing"),
        ("", "nothing"),
    ],
)
def test_what_the_shell_adds(line: str, source: str) -> None:
    assert after(line).source == source


def test_every_value_but_a_file_has_what_it_means() -> None:
    for line in ("", "journal ", "bench --"):
        assert all(what and "\n" not in what and "\t" not in what for _, what in after(line).values)


def test_every_option_that_takes_a_path_completes_files_or_folders() -> None:
    """A new option whose metavar says neither FILE nor DIR would complete nothing."""
    root = command_line()
    seen = 0
    for verb, command in root.commands.items():  # type: ignore[attr-defined]
        for name, inner in getattr(command, "commands", {"": command}).items():
            for option in inner.params:
                if option.param_type_name == "option" and "Path" in str(option.type_descriptor.annotation):
                    seen += 1
                    line = " ".join(filter(None, [verb, name, max(option.opts, key=len)]))
                    assert after(f"{line} ").source in {"files", "folders"}, line
    assert seen > 10


def test_a_broken_settings_file_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lowlat.toml").write_text("broken")
    monkeypatch.chdir(tmp_path)
    assert values("ben") == ["bench"]


def test_as_the_scripts_read_it() -> None:
    assert str(after("profile show equ")) == "files\nequity\t\n"
