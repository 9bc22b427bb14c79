"""What Alembic runs: migrates over the connection that readmodel.migrate hands in."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString, SQLModel

import readmodel.forecast_tables
import readmodel.tables  # noqa: F401  (both fill SQLModel.metadata)
from readmodel.columns import Json, Quantity, Timestamp

# A migration says what it made, in SQLAlchemy's own words: it must not change when this code does.
_AS_STORED = {
    AutoString: "sa.String()",
    Json: "sa.Text()",
    Timestamp: "sa.BigInteger()",
    Quantity: "sa.BLOB().with_variant(sa.Numeric(), 'postgresql')",
}


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    return _AS_STORED.get(type(item), False) if kind == "type" else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
