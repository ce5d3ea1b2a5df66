"""`docs/how-to/tune-the-host.md` has one section for each check of `lowlat doctor`, whose anchor is the check's id."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from lowlat.probes.doctor.registry import all_checks
from tests.documented import blocks_of

PAGE = (Path(__file__).parents[2] / "docs/how-to/tune-the-host.md").read_text(encoding="utf-8")
ANCHORS = {check.id for checks in all_checks().values() for check in checks}
SECTION = re.compile(r"^### [^\n]+ \{ #(?P<anchor>[a-z-]+) \}\n(?P<body>.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{2,3} .+?(?: \{ #(?P<anchor>[a-z-]+) \})?$", re.MULTILINE)


def sections() -> dict[str, str]:
    return {section["anchor"]: section["body"] for section in SECTION.finditer(PAGE)}


def test_every_check_has_its_section() -> None:
    assert sections().keys() == ANCHORS


def test_every_heading_has_an_anchor_of_its_own() -> None:
    anchors = [heading["anchor"] for heading in HEADING.finditer(re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))]
    assert Counter(anchors).most_common(1)[0][1] == 1 and None not in anchors


def test_links_within_the_page_lead_somewhere() -> None:
    targets = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    anchors = {heading["anchor"] for heading in HEADING.finditer(PAGE)}
    assert len(targets) > 15
    assert targets <= anchors


def incomplete(body: str) -> list[str]:
    """What a section lacks: how to see it, how to change it for good, its costs, how to undo it, what lowlat shows."""
    found = blocks_of(body)
    changes = [block.body for block in found if block.not_run is not None]
    writes = any(re.search(r"^(?!cat |dmesg |rdmsr |numactl )\S", text, re.MULTILINE) for text in changes)
    wanted = {
        "a command": bool(found),
        "for good": "- **For good**: " in body or "- **Fix**: " in body,
        "costs": "- **Costs**: " in body or not writes or "- **Fix**: " in body or "no undo needed" in body,
        "undo": not writes or any("undo" in text for text in changes),
        "seen in": "- **Seen in**: " in body,
    }
    return [part for part, there in wanted.items() if not there]


def test_every_section_is_complete() -> None:
    assert {anchor: missing for anchor, body in sections().items() if (missing := incomplete(body))} == {}


def test_an_incomplete_section_is_found() -> None:
    assert incomplete("Text.\n") == ["a command", "for good", "seen in"]
    changed = "<!-- not run: needs root -->\n```sh\nsysctl -w vm.swappiness=1\n```\n"
    assert incomplete(changed) == ["for good", "costs", "undo", "seen in"]


def test_what_only_reads_is_run() -> None:
    """A block is left out because it writes, or needs a card or the kernel's log."""
    for anchor, body in sections().items():
        for block in blocks_of(body):
            if block.not_run is None:
                assert not re.search(
                    r"(?:echo|printf) .*> /(?:sys|proc|dev)|sysctl -w|systemctl|modprobe", block.body
                ), anchor
