"""Devices as registered, and the chains of what they signed"""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('device', sa.Column('detail', sa.Text(), nullable=True))
    op.create_table(
        'device_chain',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('counter', _ID, nullable=False),
        sa.Column('known', _ID, nullable=False),
        sa.Column('explained', _ID, nullable=False),
        sa.Column('received', sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint('id'),
    )


def downgrade() -> None:
    op.drop_table('device_chain')
    op.drop_column('device', 'detail')
