"""SQL tables made from blocks, the projector that makes them, and the queries over them.

engine = open_engine("sqlite:////var/lib/lotline/readmodel.db")
migrate(engine)
await Projector(engine).run(ledger)
"""

from readmodel.digest import digest
from readmodel.engine import open_engine
from readmodel.migrate import migrate
from readmodel.projector import Applied, ChainMismatchError, Checkpoint, Projector, rebuild
from readmodel.scan import MalformedWriteError

__all__ = [
    "Applied",
    "ChainMismatchError",
    "Checkpoint",
    "MalformedWriteError",
    "Projector",
    "digest",
    "migrate",
    "open_engine",
    "rebuild",
]
