"""SQL tables made from blocks, the projector that makes them, and the queries over them."""

from readmodel.engine import open_engine
from readmodel.migrate import migrate

__all__ = ["migrate", "open_engine"]
