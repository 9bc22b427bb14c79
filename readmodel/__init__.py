"""SQL tables made from blocks, the projector that makes them, and the queries over them."""

from readmodel.engine import open_engine

__all__ = ["open_engine"]
