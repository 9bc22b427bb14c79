"""Configuration and start of peers and orderers: only what differs from Fabric's defaults, as JSON (which is YAML)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from network.layout import Layout
from network.processes import Processes
from network.topology import Consensus, Orderer, Peer, Topology


def peer_config(topology: Topology, peer: Peer, layout: Layout) -> dict[str, Any]:
    """core.yaml of a peer."""
    organisation = topology.organisation(peer.msp_id)
    identity = layout.identity(organisation, peer.name)
    data = layout.peer(peer)
    tls = identity / "tls"
    others = [node.address for node in organisation.peers if node is not peer] or [peer.address]
    return {
        "peer": {
            "id": peer.host,
            "networkId": topology.channel,
            "listenAddress": f"127.0.0.1:{peer.port}",
            "address": peer.address,
            "chaincodeListenAddress": f"127.0.0.1:{peer.internal_port}",
            "chaincodeAddress": f"127.0.0.1:{peer.internal_port}",
            "addressAutoDetect": False,
            "localMspId": peer.msp_id,
            "localMspType": "bccsp",
            "mspConfigPath": str(identity / "msp"),
            "fileSystemPath": str(data / "production"),
            "gateway": {"enabled": True, "endorsementTimeout": "30s", "broadcastTimeout": "3s", "dialTimeout": "30s"},
            "keepalive": {
                "interval": "7200s",
                "timeout": "20s",
                "minInterval": "60s",
                # an orderer that is frozen, not gone, is left after a quarter of a minute, not after the default's 80 s
                "deliveryClient": {"interval": "10s", "timeout": "5s"},
            },
            "gossip": _gossip(peer, others[0]),
            "tls": {
                "enabled": True,
                "clientAuthRequired": False,
                "cert": {"file": str(tls / "server.crt")},
                "key": {"file": str(tls / "server.key")},
                "rootcert": {"file": str(tls / "ca.crt")},
            },
            "authentication": {"timewindow": "15m"},
            "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
            # the defaults let a peer that lost its orderers sleep for minutes before it looks for them again
            "deliveryclient": {
                "reconnectTotalTimeThreshold": "87600h",
                "connTimeout": "3s",
                "reConnectBackoffThreshold": "5s",
                "blockCensorshipTimeoutKey": "30s",
                "minimalReconnectInterval": "100ms",
                "policy": "cluster" if topology.consensus is Consensus.BFT else "simple",
            },
            "handlers": {
                "authFilters": [{"name": name} for name in ("DefaultAuth", "ExpirationCheck", "TimeWindowCheck")],
                "decorators": [{"name": "DefaultDecorator"}],
                "endorsers": {"escc": {"name": "DefaultEndorsement"}},
                "validators": {"vscc": {"name": "DefaultValidation"}},
            },
            "discovery": {"enabled": True, "authCacheEnabled": True, "authCacheMaxSize": 1000},
            "limits": {
                "concurrency": {"endorserService": 2500, "deliverService": 2500, "gatewayService": 5000}
            },
            "maxRecvMsgSize": 104857600,
            "maxSendMsgSize": 104857600,
        },
        "vm": {"endpoint": ""},
        "chaincode": {
            "externalBuilders": [{"name": "ccaas", "path": str(layout.builder), "propagateEnvironment": ["LOTLINE_CCAAS_PORT", "LOTLINE_CCAAS_TLS"]}],
            "installTimeout": "60s",
            "startuptimeout": "60s",
            "executetimeout": "30s",
            "mode": "net",
            "keepalive": 0,
            "system": dict.fromkeys(("_lifecycle", "cscc", "lscc", "qscc"), "enable"),
            "runtimeParams": {
                "useWriteBatch": True,
                "maxSizeWriteBatch": 1000,
                "useGetMultipleKeys": True,
                "maxSizeGetMultipleKeys": 1000,
            },
        },
        "ledger": {
            "state": {"stateDatabase": "goleveldb", "totalQueryLimit": 100000},
            "history": {"enableHistoryDatabase": True},
            "pvtdataStore": {"collElgProcMaxDbBatchSize": 5000, "collElgProcDbBatchesInterval": 1000, "deprioritizedDataReconcilerInterval": "60m", "purgeInterval": 100, "purgedKeyAuditLogging": True},
            "snapshots": {"rootDir": str(data / "snapshots")},
        },
        "operations": {
            "listenAddress": f"127.0.0.1:{peer.operations_port}",
            "tls": {
                "enabled": True,
                "cert": {"file": str(tls / "server.crt")},
                "key": {"file": str(tls / "server.key")},
                "clientAuthRequired": True,
                "clientRootCAs": {"files": [str(tls / "ca.crt")]},
            },
        },
        "metrics": {"provider": "prometheus"},
    }  # fmt: skip


def _gossip(peer: Peer, bootstrap: str) -> dict[str, Any]:
    return {
        "bootstrap": bootstrap,
        "endpoint": peer.address,
        "externalEndpoint": peer.address,
        "useLeaderElection": False,
        "orgLeader": True,
        "state": {"enabled": False},
        "reconnectInterval": "5s",
        # how soon peers hear what others have installed
        "publishStateInfoInterval": "1s",
        "requestStateInfoInterval": "1s",
        "pvtData": {
            "pullRetryThreshold": "2s",  # a block waits so long for private data; what is missing is looked for later
            "transientstoreMaxBlockRetention": 20000,
            "pushAckTimeout": "3s",
            "btlPullMargin": 10,
            "reconcileBatchSize": 10,
            "reconcileSleepInterval": "2s",
            "reconciliationEnabled": True,
            "implicitCollectionDisseminationPolicy": {"requiredPeerCount": 0, "maxPeerCount": 1},
        },
    }


def orderer_config(topology: Topology, orderer: Orderer, layout: Layout) -> dict[str, Any]:
    """orderer.yaml of an orderer."""
    organisation = topology.orderer_organisation
    identity = layout.identity(organisation, orderer.name)
    data = layout.orderer(orderer)
    tls = identity / "tls"
    files = {"PrivateKey": str(tls / "server.key"), "Certificate": str(tls / "server.crt")}
    root = str(tls / "ca.crt")
    administrators_only = {"Enabled": True, "ClientAuthRequired": True, "ClientRootCAs": [root], **files}
    return {
        "General": {
            "ListenAddress": "127.0.0.1",
            "ListenPort": orderer.port,
            "TLS": {"Enabled": True, "RootCAs": [root], "ClientAuthRequired": False, **files},
            "Keepalive": {"ServerMinInterval": "5s", "ServerInterval": "7200s", "ServerTimeout": "20s"},
            "MaxRecvMsgSize": 104857600,
            "MaxSendMsgSize": 104857600,
            "Cluster": {
                "SendBufferSize": 100,
                "ClientCertificate": files["Certificate"],
                "ClientPrivateKey": files["PrivateKey"],
                "DialTimeout": "5s",
                "RPCTimeout": "7s",
                "RootCAs": [root],
            },
            "BootstrapMethod": "none",
            "LocalMSPDir": str(identity / "msp"),
            "LocalMSPID": organisation.msp_id,
            "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
            "Authentication": {"TimeWindow": "15m"},
        },
        "FileLedger": {"Location": str(data / "ledger")},
        "Operations": {"ListenAddress": f"127.0.0.1:{orderer.operations_port}", "TLS": administrators_only},
        "Metrics": {"Provider": "prometheus"},
        "Admin": {
            "ListenAddress": f"127.0.0.1:{orderer.admin_port}",
            "TLS": administrators_only,
        },
        "ChannelParticipation": {"Enabled": True, "MaxRequestBodySize": "4 MB"},
        "Consensus": {"WALDir": str(data / "wal"), "SnapDir": str(data / "snapshots")},
    }


@dataclass
class Nodes:
    """Starts peers and orderers."""

    topology: Topology
    layout: Layout
    processes: Processes
    binaries: Path

    def start_orderer(self, orderer: Orderer) -> None:
        """Start an orderer; ready when the channel has a leader (see ``channel``)."""
        folder = self._write(
            self.layout.orderer(orderer), "orderer.yaml", orderer_config(self.topology, orderer, self.layout)
        )
        self.processes.start(
            orderer.host,
            [str(self.binaries / "orderer")],
            {"FABRIC_CFG_PATH": str(folder), "FABRIC_LOGGING_SPEC": "info"},
            folder,
        )

    def start_peer(self, peer: Peer) -> None:
        """Start a peer."""
        folder = self._write(self.layout.peer(peer), "core.yaml", peer_config(self.topology, peer, self.layout))
        environment = {
            "FABRIC_CFG_PATH": str(folder),
            "FABRIC_LOGGING_SPEC": "info",
            "LOTLINE_CCAAS_PORT": str(peer.chaincode_port),
            "LOTLINE_CCAAS_TLS": str(self.layout.identity(self.topology.organisation(peer.msp_id), peer.name) / "tls"),
        }
        self.processes.start(peer.host, [str(self.binaries / "peer"), "node", "start"], environment, folder)

    @staticmethod
    def _write(folder: Path, name: str, config: dict[str, Any]) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(config, indent=1))
        return folder
