"""Writes a bill of materials (CycloneDX 1.6) beside each wheel: what is compiled into it, and what it requires.

Arguments: wheels. The same wheel gives the same bytes: there is no time in it.
"""

from __future__ import annotations

import email
import hashlib
import json
import re
import sys
import uuid
import zipfile
from email.message import Message
from pathlib import Path
from typing import Any

from lowlat.files import write_atomically


def bill_of(wheel: Path) -> dict[str, Any]:
    """The document about a wheel, from the wheel alone."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(_only(archive, r"[^/]+\.dist-info/METADATA"))
        compiled = json.loads(_only(archive, r"[^/]+\.dist-info/sboms/compiled-in\.cdx\.json"))["components"]
        added = [_file(archive, name) for name in archive.namelist() if re.search(r"^[^/]+\.libs/.+", name)]
    subject = _subject(metadata, hashlib.sha256(wheel.read_bytes()).hexdigest())
    components = [*compiled, *added, *_required(metadata)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, subject['hashes'][0]['content'])}",
        "version": 1,
        "metadata": {"component": subject},
        "components": components,
        "dependencies": [
            {"ref": subject["bom-ref"], "dependsOn": sorted(each["bom-ref"] for each in components)},
            *[{"ref": each["bom-ref"]} for each in components],
        ],
    }


def _only(archive: zipfile.ZipFile, pattern: str) -> bytes:
    """The one file of that name; ends the program where a wheel does not have it."""
    found = [name for name in archive.namelist() if re.fullmatch(pattern, name)]
    if len(found) != 1:
        sys.exit(f"{archive.filename}: {len(found)} files are named {pattern}; a wheel of lowlat has one")
    return archive.read(found[0])


def _subject(metadata: Message, digest: str) -> dict[str, Any]:
    """The wheel itself."""
    purl = f"pkg:pypi/{metadata['Name']}@{metadata['Version']}"
    return {
        "type": "application",
        "bom-ref": purl,
        "name": metadata["Name"],
        "version": metadata["Version"],
        "description": metadata["Summary"],
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"license": {"id": metadata["License-Expression"]}}],
        "purl": purl,
    }


def _file(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """A library that auditwheel has added."""
    digest = hashlib.sha256(archive.read(name)).hexdigest()
    return {"type": "file", "bom-ref": name, "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}


def _required(metadata: Message) -> list[dict[str, Any]]:
    """The packages that pip installs with it, without those of extras; which version, the installation decides."""
    needed = [text for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text]
    names = {text: re.split(r"[^\w.-]", text)[0].lower().replace("_", "-") for text in needed}
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}",
            "name": name,
            "purl": f"pkg:pypi/{name}",
            "properties": [{"name": "lowlat:requirement", "value": text}],
        }
        for text, name in sorted(names.items())
    ]


def main() -> None:
    """Write `WHEEL.cdx.json` for each wheel."""
    for wheel in map(Path, sys.argv[1:]):
        written = wheel.with_name(f"{wheel.name}.cdx.json")
        write_atomically(written, json.dumps(bill_of(wheel), indent=2) + "\n")
        print(written)


if __name__ == "__main__":
    main()
