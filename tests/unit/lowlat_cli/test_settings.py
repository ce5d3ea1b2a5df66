"""The source of a value is predictable: flag, environment, file, default. A misspelled key is an error.

Command lines are parsed as `lowlat` parses them, but no verb is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from lowlat.errors import UsageError
from lowlat_cli.app import command_line
from lowlat_cli.command import full_command, settable
from lowlat_cli.help_page import key_of
from lowlat_cli.listings import with_names
from lowlat_cli.parser_errors import is_of_parser, of_parser
from lowlat_cli.session import Session, color_of
from lowlat_cli.settings import names_output, read_settings
from lowlat_cli.verbs.bench import bench


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parsed(*arguments: str, verb: str = "bench", root: tuple[str, ...] = (), session: Session | None = None) -> Any:
    group = command_line()
    assert isinstance(group, TyperGroup)
    above = group.make_context("lowlat", [*root, verb], obj=session or Session())
    return group.commands[verb].make_context(verb, list(arguments), parent=above)


def refusal(*arguments: str, verb: str = "bench") -> str:
    session = Session()
    with pytest.raises((UsageError, typer.TyperException)) as refused:
        parsed(*arguments, verb=verb, session=session)
    if is_of_parser(refused.value):
        return of_parser(refused.value, session.settings_file)
    return str(refused.value)


def test_flag_before_environment_before_file_before_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed().params["seed"] == 1
    (folder / "pyproject.toml").write_text("[tool.lowlat]\nseed = 2\n[tool.other]\nseed = 9\n")
    assert parsed().params["seed"] == 2
    (folder / "lowlat.toml").write_text("seed = 3\n")
    assert parsed().params["seed"] == 3
    (folder / "lowlat.toml").write_text("seed = 3\n[bench]\nseed = 4\n")
    assert parsed().params["seed"] == 4
    monkeypatch.setenv("LOWLAT_SEED", "5")
    assert parsed().params["seed"] == 5
    assert parsed("--seed", "6").params["seed"] == 6
    monkeypatch.setenv("LOWLAT_SEED", "")  # as unset
    assert parsed().params["seed"] == 4


def test_json_in_the_environment_or_the_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is short for a value of another option, which has its own setting."""
    monkeypatch.setenv("LOWLAT_JSON", "1")
    told = "LOWLAT_JSON is not a setting: --json is short for --format json; set LOWLAT_FORMAT=json"
    assert refusal() == told
    monkeypatch.delenv("LOWLAT_JSON")
    (folder / "lowlat.toml").write_text("json = true\n")
    assert refusal() == "lowlat.toml: unknown key 'json'; did you mean \"format = 'json'\"?"
    (folder / "lowlat.toml").unlink()
    monkeypatch.setenv("LOWLAT_FORMAT", "json")
    assert parsed().params["output_format"] == "json"


def flags() -> list[tuple[list[str], Any]]:
    """Every option without a value that a verb takes from the environment, with the verb's words."""
    root = command_line()
    assert isinstance(root, TyperGroup)
    verbs = [([name], verb) for name, verb in root.commands.items()]
    verbs += [([*words, name], each) for words, verb in verbs for name, each in getattr(verb, "commands", {}).items()]
    return [(words, option) for words, verb in verbs for option in verb.params if option.envvar and option.is_flag]


ARGUMENTS = {
    "league": ["native"],
    "replay": ["x"],
    "convert": ["x", "y"],
    "compare": ["a", "b"],
    "ab": ["--a=", "--b="],
    "journal verify": ["x"],
    "verify": [f"--engine={__file__}", "x"],
    "dump": ["x"],
}
ARGUMENTS |= {"compact": ["x"], "set": ["1", "0"], "run": ["--cpus=0", "x"], "show": ["1"], "fit": ["x"]}
ARGUMENTS |= {"fleet report": ["x"], "check": ["steady", "x"], "capture": ["x"], "init-engine": ["x"]}


@pytest.mark.parametrize(
    ("words", "option"), flags(), ids=lambda each: each[-1] if isinstance(each, list) else each.name
)
def test_each_flag_can_be_set_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, words: list[str], option: Any
) -> None:
    command: Any = command_line()
    above = command.make_context("lowlat", words, obj=Session())
    for word in words[:-1]:
        command = command.commands[word]
        above = command.make_context(word, words[1:], parent=above)
    command = command.commands[words[-1]]
    arguments = ARGUMENTS.get(" ".join(words), ARGUMENTS.get(words[-1], []))

    def value() -> Any:
        return command.make_context(words[-1], list(arguments), parent=above).params[option.name]

    for text, expected in [("1", True), ("true", True), ("yes", True), ("0", False), ("false", False), ("", False)]:
        above.obj.debug = above.obj.quiet = False  # which remember a flag at any level
        monkeypatch.setenv(option.envvar, text)
        assert value() is expected, text
    monkeypatch.setenv(option.envvar, "maybe")
    with pytest.raises(typer.TyperException) as refused:
        value()
    assert is_of_parser(refused.value)
    assert of_parser(refused.value, None).startswith(f"{option.envvar}: ")


def test_there_are_such_flags() -> None:
    names = {option.name for _, option in flags()}
    assert {"pipeline", "plot", "verbose", "strict", "measure", "watch", "membind", "until_decided", "no_lock"} < names


def test_values_in_a_file_are_read_as_those_of_flags(folder: Path) -> None:
    (folder / "lowlat.toml").write_text(
        'commands = "5M"\nruns = 3\ncpu = 1\non-exhaustion = "grow"\nformat = "json"\nverbose = true\norders = 60_000\n'
    )
    params = parsed().params
    assert (params["commands"], params["runs"], params["cpu"], params["orders"]) == (5_000_000, 3, "1", 60_000)
    assert (params["on_exhaustion"], params["output_format"], params["verbose"]) == ("grow", "json", True)


def test_a_shared_key_holds_for_verbs_that_have_it_and_a_table_for_one(folder: Path) -> None:
    (folder / "lowlat.toml").write_text("runs = 3\nseed = 7\n[replay]\nruns = 9\n")
    assert parsed().params["runs"] == 3
    assert parsed("FILE", verb="replay").params["runs"] == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sede = 1", "lowlat.toml: unknown key 'sede'; did you mean 'seed'?"),
        ("[bench]\nsede = 1", "lowlat.toml: unknown key 'bench.sede'; did you mean 'seed'?"),
        ("[bnech]\nseed = 1", "lowlat.toml: unknown key 'bnech'; did you mean 'bench'?"),
        ("[replay]\nseed = 1", "lowlat.toml: unknown key 'replay.seed'; available: arrivals, by, cluster, color,"),
        ("on_exhaustion = 'grow'", "lowlat.toml: unknown key 'on_exhaustion'; did you mean 'on-exhaustion'?"),
        (
            "zzz = 1",
            "lowlat.toml: unknown key 'zzz'; available: a, ab, ablate, affinity, again, arrivals, b, batch, bench,",
        ),
        ("bench = 5", "lowlat.toml: 'bench' is a command; write its settings as a table [bench]"),
        ("seed = ", "lowlat.toml: not valid TOML: "),
        (
            "seed = 'x'",
            "lowlat.toml: seed: 'x' is not an integer; write 250000, 250k or 2M; see 'lowlat bench --help'",
        ),
        ("seed = true", "lowlat.toml: seed: 'True' is not an integer"),
        ("seed = -1", "lowlat.toml: seed: '-1' is not an integer of 0 or more"),
        ("seed = 1.5", "lowlat.toml: seed: '1.5' is not an integer"),
        ("runs = 0", "lowlat.toml: runs: 0 is outside 1..1000"),
        ("[bench]\nengine = 'cobol'", "lowlat.toml: engine: 'cobol' is not one of 'native', 'reference'; see"),
        ("format = 'yaml'", "lowlat.toml: format: 'yaml' is not one of 'table', 'json'; see"),
    ],
)
def test_a_bad_file_is_named_with_the_key(folder: Path, text: str, message: str) -> None:
    (folder / "lowlat.toml").write_text(text)
    assert refusal().startswith(message)


@pytest.mark.parametrize("verb", ["bench", "topology"])
@pytest.mark.parametrize(
    ("text", "named", "instead"),
    [
        ("output = '/etc/passwd'", "'output'", "give --output or set LOWLAT_OUTPUT"),
        ("[bench]\noutput = 'x'", "'bench.output'", "give --output or set LOWLAT_OUTPUT"),
        ("[bench]\njournal = 'x'", "'bench.journal'", "give --journal or set LOWLAT_JOURNAL"),
        ("[replay]\nlog = 'x'", "'replay.log'", "give --log or set LOWLAT_LOG"),
        ("[topology]\ncapture = 'x'", "'topology.capture'", "give --capture or set LOWLAT_CAPTURE"),
        ("dir = 'x'", "'dir'", "give --dir or set LOWLAT_DIR"),
        ("[affinity]\noutput = 'x'", "'affinity.output'", "give --output or set LOWLAT_OUTPUT"),
    ],
)
def test_a_projects_file_cannot_name_what_is_written(
    folder: Path, text: str, named: str, instead: str, verb: str
) -> None:
    refused = f"{named} names what to write, which a project's file cannot; remove it, and {instead}"
    (folder / "lowlat.toml").write_text(text)
    assert refusal(verb=verb) == f"lowlat.toml: {refused}"
    (folder / "lowlat.toml").unlink()
    table, _, keys = text.rpartition("]\n")
    name = table.replace("[", "[tool.lowlat.") if table else "[tool.lowlat"
    (folder / "pyproject.toml").write_text(f"{name}]\n{keys}")
    assert refusal(verb=verb) == f"pyproject.toml [tool.lowlat]: {refused}"


def test_the_users_own_environment_may_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWLAT_OUTPUT", "mine.json")
    assert parsed().params["output"] == Path("mine.json")


@pytest.mark.parametrize(
    "text", ["engine = './x.so'", "[bench]\nengine = '/x/y'", "[bench]\nengine = 'x.so'", "engine = 'ndjson:x'"]
)
def test_a_projects_file_cannot_have_code_run(folder: Path, text: str) -> None:
    (folder / "lowlat.toml").write_text(text)
    told = (
        "'engine' names a library or a process, whose code a project's file cannot have run; remove it, and give "
        "--engine or set"
    )
    assert refusal(verb="bench") == f"lowlat.toml: {told} LOWLAT_ENGINE"
    (folder / "x.so").touch()
    (folder / "lowlat.toml").write_text("[ab]\na = '--engine ./x.so'\nb = ''")
    with pytest.raises(
        UsageError, match=r"lowlat.toml: --engine in --a names a library or a process, whose code a project's file"
    ):
        command_line().main(["ab"], standalone_mode=False, obj=Session())
    (folder / "lowlat.toml").write_text("engine = 'reference'")
    assert parsed().params["engine"] == "reference"


def test_a_folder_that_is_only_read_may_be_in_the_file(folder: Path) -> None:
    (folder / "lowlat.toml").write_text("[book]\ndir = 'books'\n[report]\nhistory = 'results'")
    assert parsed(verb="book").params["folder"] == Path("books")
    assert parsed(verb="report").params["history"] == Path("results")


def test_the_sides_of_ab_from_a_projects_file_cannot_name_it_either(folder: Path) -> None:
    (folder / "lowlat.toml").write_text("[ab]\na = '--journal x'\nb = ''")
    group = command_line()
    with pytest.raises(UsageError, match=r"lowlat.toml: --journal in --a names what to write, which a project's file"):
        group.main(["ab"], standalone_mode=False, obj=Session())


READ = {"engine", "expect", "history", "hosts", "profile", "root"}
"""Options that name files or folders to read."""


def test_every_option_that_names_a_file_is_known_to_read_or_to_write_it() -> None:
    group = command_line()
    assert isinstance(group, TyperGroup)
    for verb, command in group.commands.items():
        for option in settable(command):
            if {"FILE", "DIR", "FILE.tar.xz"} & set((option.metavar or "").split("|")):
                key = key_of(option)
                assert names_output(verb, key) or key in READ or (verb, key) == ("book", "dir"), (verb, key)


def test_a_bad_key_in_pyproject_is_named_with_its_table(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.lowlat]\nprofil = 'deep'")
    assert refusal() == "pyproject.toml [tool.lowlat]: unknown key 'profil'; did you mean 'profile'?"
    (folder / "pyproject.toml").write_text("[tool]\nlowlat = 5")
    assert refusal().startswith("pyproject.toml [tool.lowlat]: 5 is not a table")


@pytest.mark.parametrize("text", ["lowlat = '{}'", "lowlat.{} = 5", "lowlat.bench.{} = 5"])
def test_long_keys_and_values_are_cut(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool]\n{text.format('x' * 100_000)}")
    assert "characters ...]" in refusal() and len(refusal()) < 2_000


def test_a_file_that_cannot_be_read_is_an_error(folder: Path) -> None:
    (folder / "lowlat.toml").mkdir()
    with pytest.raises(UsageError, match=r"lowlat\.toml: it is a directory"):
        read_settings(folder)
    (folder / "lowlat.toml").rmdir()
    (folder / "lowlat.toml").write_bytes(b"profile = '\xff'")
    with pytest.raises(UsageError, match=r"lowlat\.toml: not valid TOML"):
        read_settings(folder)


def test_help_works_beside_a_broken_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "lowlat.toml").write_text("sede = 1")
    with pytest.raises(typer.Exit) as ended:
        parsed("--help")
    assert ended.value.exit_code == 0 and "Usage: lowlat bench" in capsys.readouterr().out


def test_a_variable_that_is_nearly_a_setting_is_refused_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWLAT_NATIVE", "ON")  # the build's
    monkeypatch.setenv("LOWLAT_HOME", "/opt")  # somebody else's
    assert parsed().params["seed"] == 1
    monkeypatch.setenv("LOWLAT_COMANDS", "5")
    assert refusal().startswith("unknown variable LOWLAT_COMANDS; did you mean LOWLAT_COMMANDS?")


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWLAT_RUNS", "many")
    assert refusal().startswith("LOWLAT_RUNS: 'many' is not an integer")


def test_json_stands_for_its_format_and_the_last_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed("--json").params["output_format"] == "json"
    assert parsed("--json", "--format", "table").params["output_format"] == "table"
    assert parsed("--format", "table", "--json").params["output_format"] == "json"
    monkeypatch.setenv("LOWLAT_FORMAT", "table")
    assert parsed("--json").params["output_format"] == "json"


def test_replay_takes_input_and_output_format(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def formats(*arguments: str) -> list[str]:
        return list(parsed("FILE", *arguments, verb="replay").params["formats"])

    assert formats() == []
    assert formats("--format", "lobster", "--json") == ["lobster", "json"]
    (folder / "lowlat.toml").write_text("format = 'table'")
    assert formats("--format", "lobster") == ["table", "lobster"]
    monkeypatch.setenv("LOWLAT_FORMAT", "json")
    assert formats("--format", "lobster")[0] == "json"
    monkeypatch.setenv("LOWLAT_FORMAT", "yaml")
    assert "'yaml' is not one of" in refusal("FILE", "--format", "lobster", verb="replay")


def test_the_nearest_flag_chooses_the_color(monkeypatch: pytest.MonkeyPatch) -> None:
    assert color_of(parsed()) == "auto"
    assert color_of(parsed(root=("--color", "never"))) == "never"
    assert color_of(parsed("--color", "always", root=("--color", "never"))) == "always"
    monkeypatch.setenv("LOWLAT_COLOR", "always")
    assert color_of(parsed()) == "always"
    assert color_of(parsed(root=("--color", "never"))) == "never"


def test_the_recorded_command_repeats_the_run_without_environment_and_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOWLAT_NO_LOCK", "1")  # when it runs is not what it does
    (folder / "lowlat.toml").write_text("commands = '5k'\nverbose = true")
    monkeypatch.setenv("LOWLAT_PROFILE", "deep")
    assert full_command(parsed("--seed", "2"), ["bench", "--seed", "2"]) == (
        *("lowlat", "bench", "--seed", "2"),
        *("--profile", "deep", "--commands", "5000", "--verbose"),
    )


def test_help_names_every_built_in_profile() -> None:
    from lowlat.engine.flow.profile import profile_names

    option = next(option for option in parsed().command.params if option.name == "profile")
    assert with_names(option.help) == f"Order flow: {', '.join(profile_names())}, or a TOML file."
    assert bench.__doc__ is not None and "Examples:" in bench.__doc__


@pytest.mark.parametrize("key", ["scheduler", "hosts"])
def test_a_project_cannot_name_a_cluster(folder: Path, key: str) -> None:
    """Its workers would run code here: what they answer is unpickled."""
    (folder / "lowlat.toml").write_text(f"[fleet]\n{key} = 'tcp://node:8786'\n")
    root: Any = command_line()
    above = root.make_context("lowlat", ["fleet", "doctor"], obj=Session())
    group = root.commands["fleet"]
    beneath = group.make_context("fleet", ["doctor"], parent=above)
    with pytest.raises(UsageError, match=f"'{key}' names a cluster"):
        group.commands["doctor"].make_context("doctor", [], parent=beneath)
