"""How long a scan takes from its POST to the ledger of a real Fabric network, and into the tables that answer questions.

    python -m benchmarks.fabric_latency --rate 200 --seconds 15

The default network of `lotline network up` (four organisations with a peer each, three Raft orderers, majority
endorsement) and both processes of an instance, all on this machine. One event a request, at random moments (Poisson).
Each job's time is from its acceptance (202) until its event is in a block that the read model has; the inbox keeps
both. Needs Fabric's binaries (`make fabric`).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from benchmarks.capture_latency import drain, free_port, health, load, process, until
from benchmarks.report import report
from instance.creation import OrganisationConfig, create_instance, create_token, load_settings
from lotline.joining import join_network
from network import binaries
from network.network import Network
from network.topology import build
from relay.jobs import open_inbox
from tests.conftest import free_base_port

TARGET_SECONDS = 1.5
WARM_UP_SECONDS = 3.0
SPEAKER = OrganisationConfig(msp_id="SupplierMSP", name="Supplier")


@contextlib.contextmanager
def network(folder: Path) -> Iterator[Network]:
    """The default topology with Lotline's contract, and gone afterwards."""
    made = Network(folder, build(base_port=free_base_port(150)))
    try:
        made.up()
        made.deploy()
        yield made
    finally:
        made.down()


@contextlib.contextmanager
def instance(home: Path, on: Network) -> Iterator[tuple[str, str]]:
    """Both processes of one organisation's instance; its URL and a scanner's token."""
    home.mkdir()
    port = free_port()
    create_instance(home, organisations=(), ledger=join_network(home, on, [SPEAKER]), port=port)
    token = create_token(load_settings(home), "scanner", "scanner")
    with process("relay.worker", "--home", str(home)), process("api.server", "--home", str(home)):
        url = f"http://127.0.0.1:{port}"
        until(lambda: health(url).get("status") == "ok")
        yield url, token


def delays(home: Path, after: int) -> list[float]:
    """Seconds from acceptance to the read model of every job but the first ones, sorted."""
    connection = open_inbox(load_settings(home).inbox_file)
    rows = connection.execute("SELECT created_at, finished_at, state FROM job ORDER BY seq").fetchall()[after:]
    connection.close()
    if any(row["state"] != "done" for row in rows):
        raise SystemExit("some jobs did not reach the ledger")
    moment = datetime.fromisoformat
    return sorted((moment(row["finished_at"]) - moment(row["created_at"])).total_seconds() for row in rows)


def measure(rate: float, seconds: float) -> None:
    """Run it and print what came out."""
    with tempfile.TemporaryDirectory() as folder, network(Path(folder) / "network") as on:
        home = Path(folder) / "home"
        with instance(home, on) as (url, token):
            load(url, token, rate, WARM_UP_SECONDS)
            drain(url, token)
            answers = load(url, token, rate, seconds)
            drain(url, token)
        found = delays(home, after=int(rate * WARM_UP_SECONDS))
    percentiles = statistics.quantiles(found, n=100)
    print(
        f"{rate:.0f} requests/s: answered 202 after p50 {answers.percentile(0.5):.1f} ms, p99 {answers.percentile(0.99):.1f} ms; "
        f"on the ledger and in the tables after p50 {percentiles[49]:.2f} s, p99 {percentiles[98]:.2f} s ({len(found)} scans)"
    )
    claim = f"scan to Fabric's ledger at {rate:.0f} events/s, p50"
    report(claim, measured=percentiles[49], target=TARGET_SECONDS, unit="s", lower_is_better=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=200, help="requests a second, one event each")
    parser.add_argument("--seconds", type=float, default=15, help="of load")
    options = parser.parse_args()
    if binaries.find() is None:
        print("Fabric's binaries are not built: `make fabric`")
        return 0
    print(f"{os.cpu_count()} cores; 4 organisations, 4 peers, 3 Raft orderers; majority endorsement")
    measure(options.rate, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
