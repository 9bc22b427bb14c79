"""`lotline chaincode`: the contract for networks that others run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lotline.errors import UsageError
from lotline.output import session
from network.packages import package, package_id

app = typer.Typer(help="The contract for networks that others run.", no_args_is_help=True)


@app.callback()
def chaincodes() -> None:
    """The contract for networks that others run."""


@app.command("package")
def package_(
    context: typer.Context,
    address: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the peer finds the chaincode server.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The package to write.")] = Path("lotline.tar.gz"),
    label: Annotated[str, typer.Option(help="The package's label.")] = "lotline_1.0",
    root_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TLS: the authority of the server's certificate (PEM).")
    ] = None,
    client_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Mutual TLS: the peer's certificate (PEM).")
    ] = None,
    client_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Mutual TLS: the peer's key (PEM).")] = None,
) -> None:
    """Write a chaincode-as-a-service package to install with `peer lifecycle chaincode install`.

    The same options give the same package id. The server is `python -m chaincode` with CHAINCODE_ID set to that id and
    CHAINCODE_SERVER_ADDRESS to where it listens: docs/fabric.md.
    """
    here = session(context)
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"{address!r} is no address", hint="Write HOST:PORT, for example chaincode.example.org:7052.")
    if (client_cert is None) != (client_key is None):
        raise UsageError("mutual TLS needs both --client-cert and --client-key")
    if client_cert is not None and root_cert is None:
        raise UsageError("mutual TLS needs --root-cert too")
    content = package(label, _connection(address, root_cert, client_cert, client_key))
    out.write_bytes(content)
    if client_key is not None:
        out.chmod(0o600)
    identifier = package_id(label, content)
    here.answer({"package": str(out), "packageId": identifier})
    here.text(f"{out}: package id {identifier}")


def _connection(address: str, root: Path | None, certificate: Path | None, key: Path | None) -> dict[str, Any]:
    connection: dict[str, Any] = {"address": address, "dial_timeout": "10s", "tls_required": root is not None}
    if root is not None:
        connection["root_cert"] = _pem(root)
        connection["client_auth_required"] = certificate is not None
    if certificate is not None and key is not None:
        connection |= {"client_cert": _pem(certificate), "client_key": _pem(key)}
    return connection


def _pem(file: Path) -> str:
    text = file.read_text(encoding="ascii", errors="replace")
    if "-----BEGIN" not in text:
        raise UsageError(f"{file} holds no PEM")
    return text
