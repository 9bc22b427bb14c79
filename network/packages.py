"""Chaincode-as-a-service packages, and the external builder with which peers take them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

_BUILDER = {
    # whether a package is ours: its type says so
    "detect": """#!{python}
import json, pathlib, sys
sys.exit(json.loads((pathlib.Path(sys.argv[2]) / "metadata.json").read_text())["type"].lower() != "ccaas")
""",
    # connection.json of the package, with this peer's own port and TLS files put in: organisations share one package
    "build": """#!{python}
import json, os, pathlib, re, shutil, sys
source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
connection = json.loads((source / "connection.json").read_text())
first = int(os.environ.get("LOTLINE_CCAAS_PORT", "0"))
connection["address"] = re.sub(
    r"{{port(?:\\+(\\d+))?}}", lambda found: str(first + int(found[1] or 0)), connection["address"]
)
if connection.get("tls_required") and "root_cert" not in connection:
    tls = pathlib.Path(os.environ["LOTLINE_CCAAS_TLS"])
    files = {"root_cert": "ca.crt", "client_cert": "server.crt", "client_key": "server.key"}
    connection.update({field: (tls / name).read_text() for field, name in files.items()})
(target / "connection.json").write_text(json.dumps(connection))
(target / "connection.json").chmod(0o600)
if (source / "META-INF").is_dir():
    shutil.copytree(source / "META-INF", target / "META-INF")
""",
    "release": """#!{python}
import pathlib, shutil, sys
built, release = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
server = release / "chaincode" / "server"
server.mkdir(parents=True, exist_ok=True)
shutil.copy(built / "connection.json", server)
indexes = built / "META-INF" / "statedb"
if indexes.is_dir():
    shutil.copytree(indexes, release / "statedb", dirs_exist_ok=True)
""",
}


def package(label: str, connection: dict[str, Any]) -> bytes:
    """A chaincode-as-a-service package; the same input gives the same bytes, hence the same package id."""
    code = _archive({"connection.json": json.dumps(connection, sort_keys=True).encode()})
    metadata = json.dumps({"type": "ccaas", "label": label}, sort_keys=True).encode()
    return _archive({"metadata.json": metadata, "code.tar.gz": code})


def package_id(label: str, content: bytes) -> str:
    """What peers call the package: ``label:sha256``."""
    return f"{label}:{hashlib.sha256(content).hexdigest()}"


def local_connection(slot: int = 0) -> dict[str, Any]:
    """connection.json for servers beside their peers, mutual TLS; ``slot`` counts ports up from each peer's own."""
    return {
        "address": f"127.0.0.1:{{{{port+{slot}}}}}",
        "dial_timeout": "10s",
        "tls_required": True,
        "client_auth_required": True,
    }


def write_builder(folder: Path) -> None:
    """Write the external builder's three scripts."""
    for name, text in _BUILDER.items():
        file = folder / "bin" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{python}", sys.executable))
        file.chmod(0o700)


def _archive(files: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)
