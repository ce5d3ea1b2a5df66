"""A shell script of the fixes that an examination found, each with its undo. lowlat never runs it."""

from __future__ import annotations

from collections.abc import Iterator

from lowlat.probes.doctor.examination import Examination
from lowlat.probes.doctor.finding import Finding
from lowlat.text import printable

_HEAD = """\
#!/bin/sh
# Changes proposed by 'lowlat doctor' for the host that it examined. Review each one; a reboot reverts most of them.
# As root: 'sh FILE' makes the changes, 'sh FILE undo' restores what was found.
case "${1-}" in
    '') undo=false ;;
    undo) undo=true ;;
    *) echo "usage: sh $0 [undo]" >&2; exit 2 ;;
esac
status=0
"""
_TAIL = """
exit $status
"""


def fixable(found: Examination) -> tuple[Finding, ...]:
    """The findings that commands can change."""
    return tuple(each for each in _wrong(found) if each.fix is not None and each.fix.commands)


def script_of(found: Examination) -> str:
    """The script. What only a person, the boot loader or the firmware can change is a comment in it."""
    parts = [_HEAD]
    for finding in _wrong(found):
        parts += _part(finding)
    return "\n".join([*parts, _TAIL])


def _wrong(found: Examination) -> tuple[Finding, ...]:
    return tuple(finding for finding in found.findings if finding.status in ("warn", "fail") and finding.fix)


def _part(finding: Finding) -> Iterator[str]:
    yield ""
    yield _comment(f"{finding.id}: {finding.observed}; good: {finding.threshold}")
    fix = finding.fix
    if fix is None:
        return
    yield _comment(fix.summary if fix.commands else f"By hand: {fix.summary}")
    if not fix.commands:
        return
    yield "if $undo; then"
    yield from (f"    {command} || status=1" for command in fix.undo)
    yield "else"
    yield from (f"    {command} || status=1" for command in fix.commands)
    yield "fi"


def _comment(text: str) -> str:
    """A comment of one line, whatever a file of the host says."""
    return f"# {printable(text)}"
