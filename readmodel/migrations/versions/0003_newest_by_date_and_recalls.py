"""Newest by date, what is packed of a lot, recalls. Recalls of old blocks are found by a rebuild."""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'recall_mark',
        sa.Column('thing_id', _ID, nullable=False),
        sa.Column('event_time', sa.BigInteger(), nullable=False),
        sa.Column('event_id', _ID, nullable=False),
        sa.Column('recalled', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('thing_id', 'event_time', 'event_id'),
        sqlite_with_rowid=False,
    )
    op.create_index('ix_packed_quantity_thing', 'packed_quantity', ['thing_id'])
    op.create_index('ix_exception_opened', 'exception', ['opened_at'])
    unreleased = sa.text('released_at IS NULL')
    op.create_index(
        'ix_handoff_unreleased',
        'handoff',
        ['accepted_at'],
        sqlite_where=unreleased,
        postgresql_where=unreleased,
    )


def downgrade() -> None:
    op.drop_index('ix_handoff_unreleased', 'handoff')
    op.drop_index('ix_exception_opened', 'exception')
    op.drop_index('ix_packed_quantity_thing', 'packed_quantity')
    op.drop_table('recall_mark')
