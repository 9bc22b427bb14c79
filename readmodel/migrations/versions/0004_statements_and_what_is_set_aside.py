"""Statements in the contract's order, declarations, refusals, what is set aside, master data, quantities of any size.

Old blocks must be read again, so everything made from blocks is emptied: the next start makes it again by itself.
"""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_QUANTITY = sa.BLOB().with_variant(sa.Numeric(), 'postgresql')
_EMPTIED = ('block', 'config', 'device', 'event_link', 'exception', 'handoff', 'packed_quantity', 'party', 'place', 'published', 'recall_mark', 'thing', 'transaction', 'transformation')
_MADE_ANEW = ('balance', 'containment', 'daily_flow', 'event', 'event_epc', 'exception_party', 'handoff_line', 'packing', 'transformation_edge')


def upgrade() -> None:
    for table in _EMPTIED:
        op.execute(f'DELETE FROM "{table}"')
    for table in _MADE_ANEW:
        op.drop_table(table)
    op.drop_index('ix_handoff_item', 'handoff')
    op.create_index('ix_handoff_item', 'handoff', ['item_id', 'released_at', 'accepted_at'])
    _make()


def _index(name: str, table: str, columns: list[str], only: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(only), postgresql_where=sa.text(only))


def _make() -> None:
    op.create_table(
        'balance',
        sa.Column('thing_id', _ID, nullable=False),
        sa.Column('holder_id', _ID, nullable=False),
        sa.Column('place_id', _ID, nullable=False),
        sa.Column('quantity', sa.String(), nullable=False),
        sa.Column('amount', _QUANTITY, nullable=False),
        sa.Column('uom', sa.String(), nullable=True),
        sa.Column('updated_at', sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint('thing_id', 'holder_id', 'place_id'),
        sqlite_with_rowid=False,
    )
    op.create_index('ix_balance_holder', 'balance', ['holder_id', 'thing_id'])
    op.create_index('ix_balance_place', 'balance', ['place_id', 'thing_id'])
    op.create_table(
        'containment',
        sa.Column('child_id', _ID, nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('scope', _ID, nullable=False),
        sa.Column('start', _ID, nullable=False),
        sa.Column('parent_id', _ID, nullable=False),
        sa.Column('mark', sa.String(), nullable=False),
        sa.Column('from_time', sa.BigInteger(), nullable=True),
        sa.Column('to_time', sa.BigInteger(), nullable=True),
        sa.Column('to_mark', sa.String(), nullable=True),
        sa.Column('from_event_id', _ID, nullable=True),
        sa.Column('to_event_id', _ID, nullable=True),
        sa.Column('quantity', _QUANTITY, nullable=True),
        sa.Column('uom', sa.String(), nullable=True),
        sa.PrimaryKeyConstraint('child_id', 'kind', 'scope', 'start', 'parent_id', 'mark'),
        sqlite_with_rowid=False,
    )
    op.create_index('ix_containment_parent', 'containment', ['parent_id', 'to_time'])
    op.create_table(
        'daily_flow',
        sa.Column('product_id', _ID, nullable=False),
        sa.Column('flow', sa.String(), nullable=False),
        sa.Column('day', sa.Integer(), nullable=False),
        sa.Column('party_id', _ID, nullable=False),
        sa.Column('place_id', _ID, nullable=False),
        sa.Column('uom', sa.String(), nullable=False),
        sa.Column('quantity', _QUANTITY, nullable=False),
        sa.Column('movements', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('product_id', 'flow', 'day', 'party_id', 'place_id', 'uom'),
        sqlite_with_rowid=False,
    )
    op.create_index('ix_daily_flow_day', 'daily_flow', ['day'])
    op.create_index('ix_daily_flow_place', 'daily_flow', ['place_id', 'product_id', 'day'])
    op.create_table(
        'event',
        sa.Column('id', _ID, autoincrement=False, nullable=False),
        sa.Column('hash', sa.String(), nullable=False),
        sa.Column('event_hash', sa.String(), nullable=True),
        sa.Column('event_id', sa.String(), nullable=True),
        sa.Column('type', sa.String(), nullable=False),
        sa.Column('action', sa.String(), nullable=True),
        sa.Column('biz_step', sa.String(), nullable=True),
        sa.Column('disposition', sa.String(), nullable=True),
        sa.Column('event_time', sa.BigInteger(), nullable=False),
        sa.Column('time_zone', sa.String(), nullable=True),
        sa.Column('record_time', sa.BigInteger(), nullable=True),
        sa.Column('read_point_id', _ID, nullable=True),
        sa.Column('biz_location_id', _ID, nullable=True),
        sa.Column('party_id', _ID, nullable=True),
        sa.Column('msp', sa.String(), nullable=True),
        sa.Column('submitter', sa.String(), nullable=True),
        sa.Column('device', sa.String(), nullable=True),
        sa.Column('flags', sa.Text(), nullable=True),
        sa.Column('declares', sa.String(), nullable=True),
        sa.Column('declared_by', sa.Text(), nullable=True),
        sa.Column('reporters', sa.Text(), nullable=True),
        sa.Column('transaction_id', _ID, nullable=False),
        sa.Column('stored', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('ix_event_action', 'event', ['action', 'event_time'])
    _index('ix_event_biz_location', 'event', ['biz_location_id', 'event_time'], 'biz_location_id IS NOT NULL')
    _index('ix_event_biz_step', 'event', ['biz_step', 'event_time'], 'biz_step IS NOT NULL')
    _index('ix_event_declares', 'event', ['declares'], 'declares IS NOT NULL')
    _index('ix_event_disposition', 'event', ['disposition', 'event_time'], 'disposition IS NOT NULL')
    _index('ix_event_event_id', 'event', ['event_id'], 'event_id IS NOT NULL')
    op.create_index('ix_event_event_time', 'event', ['event_time'])
    op.create_index('ix_event_hash', 'event', ['hash'], unique=True)
    op.create_index('ix_event_msp', 'event', ['msp', 'event_time'])
    _index('ix_event_read_point', 'event', ['read_point_id', 'event_time'], 'read_point_id IS NOT NULL')
    op.create_index('ix_event_record_time', 'event', ['record_time'])
    op.create_index('ix_event_type', 'event', ['type', 'event_time'])
    op.create_table(
        'event_alias',
        sa.Column('identifier', sa.String(), nullable=False),
        sa.Column('hash', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('identifier', 'hash'),
        sqlite_with_rowid=False,
    )
    op.create_table(
        'event_epc',
        sa.Column('thing_id', _ID, nullable=False),
        sa.Column('event_time', sa.BigInteger(), nullable=False),
        sa.Column('event_id', _ID, nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.Column('role', sa.String(), nullable=False),
        sa.Column('quantity', _QUANTITY, nullable=True),
        sa.Column('uom', sa.String(), nullable=True),
        sa.PrimaryKeyConstraint('thing_id', 'event_time', 'event_id', 'n'),
        sqlite_with_rowid=False,
    )
    op.create_table(
        'event_note',
        sa.Column('hash', sa.String(), nullable=False),
        sa.Column('declarations', sa.Text(), nullable=False),
        sa.Column('reporters', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('hash'),
        sqlite_with_rowid=False,
    )
    op.create_table(
        'exception_party',
        sa.Column('exception_id', _ID, nullable=False),
        sa.Column('party_id', _ID, nullable=False),
        sa.PrimaryKeyConstraint('exception_id', 'party_id'),
        sqlite_with_rowid=False,
    )
    op.create_index('ix_exception_party_party', 'exception_party', ['party_id', 'exception_id'])
    op.create_table(
        'handoff_line',
        sa.Column('handoff_id', _ID, nullable=False),
        sa.Column('product_id', _ID, nullable=False),
        sa.Column('uom', sa.String(), nullable=False),
        sa.Column('released', _QUANTITY, nullable=True),
        sa.Column('accepted', _QUANTITY, nullable=True),
        sa.PrimaryKeyConstraint('handoff_id', 'product_id', 'uom'),
        sqlite_with_rowid=False,
    )
    op.create_index('ix_handoff_line_product', 'handoff_line', ['product_id', 'handoff_id'])
    op.create_table(
        'master_data',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('msp', sa.String(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('name', sa.String(), nullable=True),
        sa.Column('attributes', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id', 'msp'),
        sqlite_with_rowid=False,
    )
    op.create_table(
        'packing',
        sa.Column('child_id', _ID, nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('scope', _ID, nullable=False),
        sa.Column('event_time', sa.BigInteger(), nullable=False),
        sa.Column('event_id', _ID, nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.Column('parent_id', _ID, nullable=False),
        sa.Column('mark', sa.String(), nullable=False),
        sa.Column('action', sa.String(), nullable=False),
        sa.Column('quantity', _QUANTITY, nullable=True),
        sa.Column('uom', sa.String(), nullable=True),
        sa.PrimaryKeyConstraint('child_id', 'kind', 'scope', 'event_time', 'event_id', 'n'),
        sqlite_with_rowid=False,
    )
    op.create_table(
        'quarantine',
        sa.Column('transaction_id', _ID, nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.Column('block', _ID, nullable=False),
        sa.Column('tx_id', sa.String(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('raw', sa.String(), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.Column('digest', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('transaction_id', 'n'),
        sqlite_with_rowid=False,
    )
    op.create_table(
        'refusal',
        sa.Column('id', _ID, autoincrement=False, nullable=False),
        sa.Column('transaction_id', _ID, nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.Column('event', sa.String(), nullable=True),
        sa.Column('code', sa.String(), nullable=False),
        sa.Column('detail', sa.String(), nullable=True),
        sa.Column('field', sa.String(), nullable=True),
        sa.Column('item', sa.String(), nullable=True),
        sa.Column('msp', sa.String(), nullable=True),
        sa.Column('submitter', sa.String(), nullable=True),
        sa.Column('refused_at', sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('ix_refusal_code', 'refusal', ['code'])
    op.create_index('ix_refusal_item', 'refusal', ['item'])
    op.create_index('ix_refusal_refused', 'refusal', ['refused_at'])
    op.create_table(
        'refusal_concern',
        sa.Column('refusal_id', _ID, nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('whom', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('refusal_id', 'kind', 'whom'),
        sqlite_with_rowid=False,
    )
    op.create_index('ix_refusal_concern_whom', 'refusal_concern', ['whom', 'refusal_id'])
    op.create_table(
        'transformation_edge',
        sa.Column('thing_id', _ID, nullable=False),
        sa.Column('side', sa.String(), nullable=False),
        sa.Column('transformation_id', _ID, nullable=False),
        sa.Column('event_id', _ID, nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.Column('event_time', sa.BigInteger(), nullable=False),
        sa.Column('quantity', _QUANTITY, nullable=True),
        sa.Column('uom', sa.String(), nullable=True),
        sa.PrimaryKeyConstraint('thing_id', 'side', 'transformation_id', 'event_id', 'n'),
        sqlite_with_rowid=False,
    )
    op.create_index('ix_transformation_edge_transformation', 'transformation_edge', ['transformation_id', 'side'])


def downgrade() -> None:
    raise NotImplementedError('delete the read model and let the older version make it from the ledger')
