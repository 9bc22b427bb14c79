"""When certificates end, and identities whose certificate was renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from instance.certificates import UNREADABLE, ending, ends
from instance.identities import Identities
from instance.settings import LedgerSettings, OrganisationConfig, Settings, SettingsError
from ledger import ca

FARM = OrganisationConfig(msp_id="FarmMSP", name="Farm")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with an authority and nothing else."""
    made = Settings(home=tmp_path, ledger=LedgerSettings(organisations=(FARM,)))
    ca.create_organisation(made.organisation_dir("FarmMSP"), "FarmMSP")
    return made


def test_the_soonest_end_comes_first_and_what_is_no_certificate_before_it(settings: Settings) -> None:
    farm = settings.organisation_dir("FarmMSP")
    ca.issue(farm, "admin", "admin")
    ca.issue(farm, "scanner", "scanner", valid_for=timedelta(days=20))
    ca.issue(farm, "broken", "scanner")
    (farm / "identities" / "broken" / "cert.pem").write_text("no certificate")
    found = ends(settings)
    assert [end.identity for end in found] == ["broken", "scanner", "admin"]
    assert found[0].not_after == UNREADABLE
    now = datetime.now(UTC)
    assert timedelta(days=19) < found[1].not_after - now < timedelta(days=20)
    assert [end.identity for end in ending(settings, now)] == ["broken", "scanner"]
    assert [end.identity for end in ending(settings, now, timedelta(days=1))] == ["broken"]


def test_a_home_without_identities_has_no_ends(tmp_path: Path) -> None:
    assert ends(Settings(home=tmp_path, ledger=LedgerSettings(organisations=(FARM,)))) == []


def test_an_identity_is_read_again_once_it_was_renewed(settings: Settings) -> None:
    farm = settings.organisation_dir("FarmMSP")
    ca.issue(farm, "scanner", "scanner")
    identities = Identities(settings)
    first = identities.get("FarmMSP", "scanner")
    assert identities.get("FarmMSP", "scanner") is first
    renewed = ca.issue(farm, "scanner", "scanner")
    again = identities.get("FarmMSP", "scanner")
    assert again.certificate == renewed.certificate != first.certificate
    assert identities.get("FarmMSP", "scanner") is again


def test_an_identity_that_is_not_there_yet_is_looked_for_again(settings: Settings) -> None:
    identities = Identities(settings)
    with pytest.raises(SettingsError, match="no identity 'scanner'"):
        identities.get("FarmMSP", "scanner")
    ca.issue(settings.organisation_dir("FarmMSP"), "scanner", "scanner")
    assert identities.get("FarmMSP", "scanner").name == "scanner"
