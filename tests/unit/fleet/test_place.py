"""How a cluster is named, and what is refused before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowlat.errors import UsageError
from lowlat.fleet.place import ClusterPlace, parse_place, read_hosts


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("tcp://node:8786", ClusterPlace(scheduler="tcp://node:8786")),
        ("tls://10.0.0.1:1", ClusterPlace(scheduler="tls://10.0.0.1:1")),
        ("tcp://[fe80::1%eth0]:65535", ClusterPlace(scheduler="tcp://[fe80::1%eth0]:65535")),
        ("local:4", ClusterPlace(local=4)),
    ],
)
def test_a_cluster_in_one_word(text: str, place: ClusterPlace) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text",
    [
        *("", "node:8786", "tcp://node", "tcp://node:0", "tcp://node:65536", "tcp://a b:1", "tcp://node:1/x"),
        *("local:", "local:0", "local:513", "local:1e3", "local:\N{ARABIC-INDIC DIGIT FOUR}"),
        *("hosts:", "http://node:1", "tcp://-\x1b:1"),
    ],
)
def test_what_names_no_cluster(text: str) -> None:
    with pytest.raises(UsageError):
        parse_place(text)


def test_exactly_one_is_named() -> None:
    for given in ({}, {"local": 1, "scheduler": "tcp://a:1"}):
        with pytest.raises(UsageError, match="name one cluster"):
            ClusterPlace(**given)  # type: ignore[arg-type]


def test_hosts_are_read_when_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"my hosts\.txt: no such file"):
        parse_place("hosts:my hosts.txt")
    Path("my hosts.txt").write_text("node-1\nnode-2\n")
    place = parse_place("hosts:my hosts.txt")
    assert place == ClusterPlace(hosts=Path("my hosts.txt")) and place.names == ("node-1", "node-2")


def test_hosts_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("# rack 1\nnode-1\n\n  user@node-2  # by the window\n10.0.0.1\n::1\nfe80::1%eth0\n")
    assert read_hosts(file) == ("node-1", "user@node-2", "10.0.0.1", "::1", "fe80::1%eth0")


def test_a_hundred_thousand_hosts_are_read_in_one_pass(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("".join(f"n{number}\n" for number in range(100_000)))
    assert len(read_hosts(file)) == 100_000


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "names no host"),
        ("# none\n", "names no host"),
        ("a\na\n", "line 2: a is there twice"),
        ("-oProxyCommand=sh\n", "line 1: '-oProxyCommand=sh' is no host name"),
        ("a b\n", "line 1: 'a b' is no host name"),
        ("root@\n", "line 1: 'root@' is no host name"),
        ("root@-oProxyCommand=sh\n", "no host name"),
        ("a;reboot\n", "line 1: 'a;reboot' is no host name"),
        ("a@b@c\n", "line 1: 'a@b@c' is no host name"),
        ("\x1b[2J\n", "no host name"),
        ("x" * 254, "no host name"),
    ],
)
def test_files_that_name_no_hosts(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "hosts"
    file.write_text(content)
    with pytest.raises(UsageError, match=problem.replace("[", r"\[")):
        read_hosts(file)


def test_a_list_of_hosts_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        read_hosts(file)
    with pytest.raises(UsageError, match="no such file"):
        read_hosts(tmp_path / "none")
