"""What a host prints for the port of its worker, which may be anything."""

from __future__ import annotations

import pytest

from lowlat.fleet import ssh


def test_a_port_is_a_number_up_to_65535() -> None:
    assert [ssh._port(text) for text in ("1", "65535")] == [1, 65_535]


@pytest.mark.parametrize("text", ["", "0", "65536", "1_0", "-1", "\u0663", "9" * 5000, "1\x1b[2J"])
def test_what_is_no_port_is_said_of_the_host(text: str) -> None:
    with pytest.raises(ssh._NoWorker, match=r"^what it prints is no worker's: .* is not a port$") as found:
        ssh._port(text)
    assert len(str(found.value)) < 200 and str(found.value).isprintable()
