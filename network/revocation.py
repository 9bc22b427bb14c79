"""Revoked certificates made known to the channel: a certificate authority's list counts only once it is in the configuration.

Steps and message names: "Updating a channel configuration" in Fabric's documentation.
"""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from network.channel import Channel
from network.tools import run
from network.topology import Organisation, Peer


@dataclass
class Revocation:
    """Puts an organisation's revocation list into the channel's configuration; the organisation's own administrator may."""

    channel: Channel

    def publish(self, organisation: Organisation, revoked: bytes) -> bool:
        """Make the list (PEM) the organisation's only one. False if the channel knows it already."""
        peer = organisation.peers[0]
        with TemporaryDirectory() as scratch:
            work = Path(scratch)
            before = self._config(peer, work)
            after = with_list(before, organisation.msp_id, revoked)
            if after == before:
                return False
            update = self._update(before, after, work)
            self.channel.order(
                peer,
                "channel",
                "update",
                "-c",
                self.channel.topology.channel,
                "-f",
                str(update),
            )
        return True

    def _config(self, peer: Peer, work: Path) -> dict[str, Any]:
        block = work / "config.block"
        self.channel.order(
            peer,
            "channel",
            "fetch",
            "config",
            str(block),
            "-c",
            self.channel.topology.channel,
        )
        decoded = self._translate("proto_decode", "common.Block", block, work / "config.json")
        document = json.loads(decoded.read_text())
        config: dict[str, Any] = document["data"]["data"][0]["payload"]["data"]["config"]
        return config

    def _update(self, before: dict[str, Any], after: dict[str, Any], work: Path) -> Path:
        """The signed-to-be envelope that leads from one configuration to the other."""
        encoded = []
        for name, config in (("before", before), ("after", after)):
            text = work / f"{name}.json"
            text.write_text(json.dumps(config))
            encoded.append(self._translate("proto_encode", "common.Config", text, work / f"{name}.pb"))
        computed = work / "update.pb"
        channel = self.channel.topology.channel
        self._tool(
            "compute_update", "--channel_id", channel, "--original", str(encoded[0]), "--updated", str(encoded[1]),
            "--output", str(computed),
        )  # fmt: skip
        update = json.loads(
            self._translate("proto_decode", "common.ConfigUpdate", computed, work / "update.json").read_text()
        )
        envelope = {
            "payload": {
                "header": {"channel_header": {"channel_id": channel, "type": 2}},
                "data": {"config_update": update},
            }
        }
        wrapped = work / "envelope.json"
        wrapped.write_text(json.dumps(envelope))
        return self._translate("proto_encode", "common.Envelope", wrapped, work / "envelope.pb")

    def _translate(self, command: str, kind: str, source: Path, target: Path) -> Path:
        self._tool(command, "--type", kind, "--input", str(source), "--output", str(target))
        return target

    def _tool(self, *arguments: str) -> None:
        run(self.channel.binaries, ["configtxlator", *arguments])


def with_list(config: dict[str, Any], msp_id: str, revoked: bytes) -> dict[str, Any]:
    """The configuration with this revocation list (PEM) as the organisation's only one."""
    changed = deepcopy(config)
    groups = changed["channel_group"]["groups"]["Application"]["groups"]
    groups[msp_id]["values"]["MSP"]["value"]["config"]["revocation_list"] = [base64.b64encode(revoked).decode()]
    return changed
