"""SQL tables made from blocks, the projector that makes them, and the queries over them.

engine = open_engine("sqlite:////var/lib/lotline/readmodel.db")
migrate(engine)
await Projector(engine).run(ledger)
"""

from readmodel.digest import digest
from readmodel.engine import open_engine
from readmodel.following import BlockDataMismatchError, ChainMismatchError, Checkpoint, LedgerBehindError
from readmodel.migrate import is_current, is_whole, migrate, remake
from readmodel.projector import Applied, Projector, rebuild

__all__ = [
    "Applied",
    "BlockDataMismatchError",
    "ChainMismatchError",
    "Checkpoint",
    "LedgerBehindError",
    "Projector",
    "digest",
    "is_current",
    "is_whole",
    "migrate",
    "open_engine",
    "rebuild",
    "remake",
]
