"""The support bundle names nobody, reads back as the host that it was taken from, and is whole or not there."""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published, values
from lowlat.errors import InputError, OutputPathError, UsageError
from lowlat.probes.doctor.examination import examine_tree
from lowlat.probes.host.host_tree import LOST, FolderTree, HostTree
from lowlat.probes.host.snapshot import capture as write_snapshot
from lowlat.probes.host.snapshot import open_root
from lowlat.probes.topology import read_topology
from lowlat.probes.topology.document import TopologyDocument
from lowlat.reports.model.capture import Capture
from lowlat_cli import capture as bundle
from lowlat_cli.capture import capture_bundle

CONTAINER = "6e2766a4b928036c5f8fdbc459955d506e2766a4b928036c5f8fdbc459955d50"
SECRETS = (
    "trinity",
    "zion.example.org",
    "tanderson",
    "PF3XK9Q7",
    "4c4c4544-0042-3510-8051-b7c04f4e3232",
    "10.27.3.14",
    "2001:db8:51::7",
    "52:54:00:ab:cd:ef",
    "525400abcdef",
    "/dev/mapper/vault",
    "builder",
    "hunter2",
    "8c1f9d1e-77aa-4a3b-b1c2-0123456789ab",
    CONTAINER,
)
"""Each stands in the tree, and may stand nowhere in the bundle."""
SYSTEM = "sys/devices/system"
CARD = "sys/class/net/enx525400abcdef"
GROUP = f"docker/{CONTAINER}/tanderson.service"
COMMAND_LINE = (
    "BOOT_IMAGE=/boot/vmlinuz root=/dev/mapper/vault isolcpus=1 nohz_full=1 ip=10.27.3.14::10.27.3.1:x:trinity "
    "cred=tanderson@zion mac=52:54:00:ab:cd:ef -- --token hunter2\n"
)
FILES = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\ntanderson:x:1000:1000::/home/tanderson:/bin/sh\n",
    "proc/sys/kernel/hostname": "trinity.zion.example.org\n",
    "proc/sys/kernel/osrelease": "5.15.153.1-trinity\n",
    "proc/version": "Linux version 5.15.153.1-trinity (builder@10.27.3.14) (gcc 13) #1 SMP Tue Mar 5 12:30:45 UTC\n",
    "proc/cmdline": COMMAND_LINE,
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Some CPU\nSerial\t\t: 10000000PF3XK9Q7\n",
    "proc/self/cgroup": f"0::/{GROUP}\n",
    "proc/self/status": "Name:\ttanderson\nCapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-1\n",
    "proc/swaps": "Filename\tType\n/home/tanderson/trinity.zion.example.org-swap file 8 0 -2\n",
    "proc/interrupts": "      CPU0 CPU1\n 40:  5  0  PCI-MSI enx525400abcdef-rx\n",
    "proc/meminfo": "MemTotal: 1000 kB\n",
    "proc/stat": "cpu 1 2 3 4 5 6 7 8\n",
    "proc/irq/40/smp_affinity_list": "0\n",
    "sys/class/dmi/id/product_serial": "PF3XK9Q7\n",
    "sys/class/dmi/id/product_uuid": "4c4c4544-0042-3510-8051-b7c04f4e3232\n",
    "sys/class/dmi/id/product_name": "trinity 8c1f9d1e-77aa-4a3b-b1c2-0123456789ab 2001:db8:51::7\n",
    "sys/class/dmi/id/sys_vendor": "Zion PF3XK9Q7 4c4c4544-0042-3510-8051-b7c04f4e3232\n",
    f"{CARD}/device/uevent": "DRIVER=e1000 52:54:00:ab:cd:ef\n",
    f"{CARD}/device/numa_node": "0\n",
    f"{CARD}/msi_irqs/40": "msix\n",
    f"sys/fs/cgroup/{GROUP}/cpu.max": "50000 100000\n",
    "sys/fs/cgroup/cgroup.controllers": "cpu cpuset\n",
    f"{SYSTEM}/cpu/online": "0-1\n",
    f"{SYSTEM}/cpu/isolated": "1\n",
    f"{SYSTEM}/cpu/cpu0/topology/core_cpus": "1\n",
    f"{SYSTEM}/cpu/cpu1/topology/core_cpus": "2\n",
    f"{SYSTEM}/node/node0/cpumap": "3\n",
}


def quiet(_text: str, _share: float) -> None:
    pass


def captured(path: Path, root: Path, *, with_identity: bool = False) -> Capture:
    return capture_bundle(path, 0.01, quiet, with_identity=with_identity, tree=FolderTree(root))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    host = tmp_path / "host"
    for name, text in FILES.items():
        (host / name).parent.mkdir(parents=True, exist_ok=True)
        (host / name).write_text(text)
    (host / "proc/config.gz").write_bytes(gzip.compress(b'CONFIG_DEFAULT_HOSTNAME="trinity"\nCONFIG_NO_HZ_FULL=y\n'))
    return host


def everything(folder: Path) -> str:
    """All names and contents in a folder, unpacked."""
    found = []
    for path in folder.rglob("*"):
        found.append(str(path.relative_to(folder)))
        if path.is_file():
            content = path.read_bytes()
            found.append((gzip.decompress(content) if path.suffix == ".gz" else content).decode())
    return "\n".join(found)


def test_a_bundle_names_nobody(tmp_path: Path, root: Path) -> None:
    captured(tmp_path / "bundle", root)
    found = everything(tmp_path / "bundle")
    assert [secret for secret in SECRETS if secret in found] == []


def test_with_identity_it_keeps_what_it_reads(tmp_path: Path, root: Path) -> None:
    captured(tmp_path / "bundle", root, with_identity=True)
    found = everything(tmp_path / "bundle")
    assert [secret for secret in SECRETS if secret not in found] == []


def test_the_kernel_s_own_words_stay_on_a_host_called_vm(tmp_path: Path, root: Path) -> None:
    (root / "proc/sys/kernel/hostname").write_text("vm\n")
    (root / "proc/swaps").write_text("Filename\tType\n/home/vm/swap file 8 0 -2\n")
    (root / "proc/sys/vm").mkdir()
    (root / "proc/sys/vm/stat_interval").write_text("1\n")
    captured(tmp_path / "bundle", root)
    doctor = (tmp_path / "bundle/doctor.json").read_text()
    assert "/proc/sys/vm/stat_interval" in doctor and "sysctl -w vm.stat_interval=" in doctor
    assert "/home/host-1/swap" in (tmp_path / "bundle/proc/swaps").read_text()


def test_a_snapshot_names_nobody_either(tmp_path: Path, root: Path) -> None:
    write_snapshot(tmp_path / "host.tar.xz", FolderTree(root))
    shutil.unpack_archive(tmp_path / "host.tar.xz", tmp_path / "unpacked")
    assert [secret for secret in SECRETS if secret in everything(tmp_path / "unpacked")] == []


def test_what_identifies_nobody_is_kept(tmp_path: Path, root: Path) -> None:
    captured(tmp_path / "bundle", root)
    tree = open_root(tmp_path / "bundle")
    numbered = re.sub("[1-9](?=[: ])", "N", tree.text("proc/cmdline") or "")
    assert numbered == (
        "BOOT_IMAGE=redacted root=redacted isolcpus=N nohz_full=N ip=0.0.0.N::0.0.0.N:x:host-N "
        "cred=redacted mac=00:00:00:00:00:0N -- redacted"
    )
    assert "5.15.153.1-host-1 (redacted) (gcc 13) #1 SMP Tue Mar 5 12:30:45 UTC" in (tree.text("proc/version") or "")
    assert "000001ffffffffff" in (tree.text("proc/self/status") or "")
    assert (tree.text("proc/self/cgroup") or "").startswith("0::/docker/0000")
    assert b"CONFIG_NO_HZ_FULL=y" in gzip.decompress(tree.read_bytes("proc/config.gz"))


def answers(tree: HostTree) -> Any:
    topology = values(TopologyDocument.of(read_topology(tree)))
    findings = [(each.id, each.status) for each in examine_tree(tree).findings]
    return {name: topology[name] for name in ("packages", "cpu_sets", "cpu_quota", "nodes")} | {"doctor": findings}


def test_a_bundle_reads_as_its_host(tmp_path: Path, root: Path) -> None:
    captured(tmp_path / "bundle", root)
    found, expected = answers(open_root(tmp_path / "bundle")), answers(FolderTree(root))
    assert found["doctor"] == expected["doctor"]
    assert ("nic-interrupts", "unknown") not in found["doctor"]
    assert found["packages"] == expected["packages"]
    assert found["nodes"] == expected["nodes"]
    assert found["cpu_quota"]["value"] == expected["cpu_quota"]["value"]
    assert expected["cpu_quota"]["value"]["cpus"] == 0.5


def test_the_document_lists_the_files_and_fits_its_schema(tmp_path: Path, root: Path) -> None:
    found = captured(tmp_path / "bundle", root)
    document = json.loads((tmp_path / "bundle/capture.json").read_text())
    assert document == values(found)
    jsonschema.Draft202012Validator(published("lowlat.capture/1")).validate(document)
    listed = {name for part in document["parts"] for name in part["files"]} | {"capture.json"}
    below = {str(path.relative_to(tmp_path / "bundle")) for path in (tmp_path / "bundle").rglob("*") if path.is_file()}
    assert listed == below
    for name in ("topology", "doctor", "calibration", "jitter"):
        part = json.loads((tmp_path / f"bundle/{name}.json").read_text())
        jsonschema.Draft202012Validator(published(part["schema"])).validate(part)


def test_a_file_that_is_gone_is_unknown_and_not_absent(tmp_path: Path, root: Path) -> None:
    captured(tmp_path / "bundle", root)
    (tmp_path / "bundle/proc/cmdline").unlink()
    shutil.rmtree(tmp_path / f"bundle/{SYSTEM}/cpu/cpu1")
    tree = open_root(tmp_path / "bundle")
    assert tree.reading("proc/cmdline").reason == f"/proc/cmdline: {LOST}"
    assert tree.reading("proc/never").status == "not applicable"
    assert tree.absence("x", "there is none", "proc/cmdline").reason == f"/proc/cmdline: {LOST}"
    assert tree.absence("x", "there is none", "proc/never").reason == "there is none"
    assert "cpu1" in tree.names(f"{SYSTEM}/cpu")
    write_snapshot(tmp_path / "again.tar.xz", tree)
    assert open_root(tmp_path / "again.tar.xz").reading("proc/cmdline").reason == f"/proc/cmdline: {LOST}"


def test_a_bundle_without_its_list_is_refused(tmp_path: Path, root: Path) -> None:
    captured(tmp_path / "bundle", root)
    (tmp_path / "bundle/lowlat/facts.json").unlink()
    with pytest.raises(InputError, match=r"lowlat/facts\.json is gone; capture the host again"):
        open_root(tmp_path / "bundle")


def test_a_part_that_fails_stops_no_other(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise UsageError("trinity refuses")

    monkeypatch.setattr(bundle, "calibrate", refused)
    found = {part.name: part for part in captured(tmp_path / "bundle", root).parts}
    assert (found["calibration"].status, found["calibration"].reason) == ("failed", "host-1 refuses")
    assert not (tmp_path / "bundle/calibration.json").exists()
    assert found["jitter"].files == ("jitter.json",)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OutputPathError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_nothing_is_left_of_a_bundle_that_is_not_whole(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException, expected: type[BaseException]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(expected):
        captured(tmp_path / "bundle", root)
    assert [path.name for path in tmp_path.iterdir()] == ["host"]


def test_a_folder_is_never_overwritten(tmp_path: Path, root: Path) -> None:
    (tmp_path / "bundle").mkdir()
    captured(tmp_path / "bundle", root)  # an empty one is taken
    with pytest.raises(OutputPathError, match="it is not empty; name a new directory"):
        captured(tmp_path / "bundle", root)
    (tmp_path / "file").touch()
    with pytest.raises(OutputPathError, match="it is not a directory; name another"):
        captured(tmp_path / "file", root)
    with pytest.raises(OutputPathError, match="there is no directory"):
        captured(tmp_path / "none/bundle", root)
