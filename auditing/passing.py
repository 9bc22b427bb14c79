"""One pass over everything that can be compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing

from sqlalchemy.exc import SQLAlchemyError

import readmodel
from auditing.blocks import Walk
from auditing.report import MOST, Finding, Report
from auditing.state import audit_file
from auditing.tables import audit_tables
from instance.ledgers import open_readers
from instance.settings import Settings
from ledger.embedded.adapter import FILE
from ledger.errors import LedgerError
from ledger.port import Ledger
from readmodel.following import ChainMismatchError

Progress = Callable[[str, int], None]
"""What is looked at, and how much of it was."""


class _Pass:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.count, self.findings = 0, list[Finding]()
        self.unread: list[str] = []
        self.blocks = self.rows = 0

    def note(self, finding: Finding) -> None:
        self.count += 1
        if len(self.findings) < MOST:
            self.findings.append(finding)

    async def chain(self, whose: str, ledger: Ledger) -> bool:
        """Another process's blocks, up to where they are now; whether all of them are as they should be."""
        before = self.count
        try:
            with closing(Walk(whose)) as walk:
                height = await ledger.height()
                async for block in ledger.blocks():
                    for finding in walk.add(block):
                        self.note(finding)
                    self.blocks += 1
                    self._progress(whose, walk.count)
                    if walk.count >= height:
                        break
        except LedgerError as error:
            self.unread.append(f"{whose}: {error}")
            return False
        return self.count == before

    def file(self, settings: Settings) -> None:
        """The embedded ledger's file."""
        path = settings.ledger_dir / FILE
        for found in audit_file(path, "the ledger's file", settings.ledger.chaincode):
            if isinstance(found, Finding):
                self.note(found)
            else:
                self.blocks += 1
                self._progress("the ledger's file", found)

    async def tables(self, settings: Settings, ledger: Ledger) -> None:
        engine = readmodel.open_engine(settings.readmodel_url)
        try:
            for found in await audit_tables(engine, ledger, settings.ledger.chaincode):
                if isinstance(found, Finding):
                    self.note(found)
                else:
                    self.rows += found
                    self._progress("read model", self.rows)
        except ChainMismatchError as error:
            self.note(Finding("tables", "read model", "its blocks", str(error)))
        except (LedgerError, SQLAlchemyError) as error:
            self.unread.append(f"read model: {error}")
        finally:
            engine.dispose()


async def audit(
    settings: Settings,
    progress: Progress = lambda what, done: None,
    copies: Mapping[str, Ledger] | None = None,
) -> Report:
    """Look at everything once. It reads beside those who write, and waits for nobody.

    The blocks of every organisation's peers that the instance knows (or of ``copies``, by whose they are), or the embedded
    ledger's file with its world state; then the read model, beside the first copy of the blocks that is as it should be. Not
    compared: the world state of a network's peers, which only their own commits can see.
    """
    began, found = time.time(), _Pass(progress)
    ledgers = await open_readers(settings) if copies is None else copies
    sound: list[Ledger] = []
    try:
        if copies is None and settings.ledger.kind == "embedded":
            found.file(settings)
        else:
            sound = [ledger for whose, ledger in ledgers.items() if await found.chain(f"peers of {whose}", ledger)]
        await found.tables(settings, (*sound, *ledgers.values())[0])
    finally:
        for ledger in ledgers.values() if copies is None else ():
            await ledger.close()
    return Report(began, time.time(), found.blocks, found.rows, found.count, found.findings, found.unread)
