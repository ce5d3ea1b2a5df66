"""The options that every host of a fleet gets: those on the command line, and those that variables set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from lowlat.errors import UsageError
from lowlat_cli.app import command_line
from lowlat_cli.fleet_plan import options_of_verb
from lowlat_cli.session import Session


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[typer.Context]:
    """In a folder without settings."""
    monkeypatch.chdir(tmp_path)
    with command_line().make_context("lowlat", [], resilient_parsing=True, obj=Session()) as context:
        yield context


def test_variables_that_change_the_measurement_are_flags_after_the_words(
    root: typer.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("RUNS", "2"), ("PIPELINE", "true"), ("FORMAT", "json"), ("VERBOSE", "true"), ("SEED", "9")):
        monkeypatch.setenv(f"LOWLAT_{name}", value)
    assert options_of_verb(root, "bench", ["--seed", "7"]) == ("--seed", "7", "--pipeline", "--runs", "2")


@pytest.mark.parametrize("name", ["PEER", "LOG", "SWEEP", "JOURNAL"])
def test_a_variable_is_refused_as_its_option_is(
    root: typer.Context, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    value = "100k:1M:2" if name == "SWEEP" else "a:1"
    with pytest.raises(UsageError, match=f"^--{name.lower()} does not go with a fleet; leave it out$"):
        options_of_verb(root, "bench", [f"--{name.lower()}", value])
    monkeypatch.setenv(f"LOWLAT_{name}", value)
    with pytest.raises(UsageError, match=f"^LOWLAT_{name} does not go with a fleet; leave it out$"):
        options_of_verb(root, "bench", [])
