"""Weights, quantiles, units and levels of forecasts; findings about their data; pieces of a run under way"""

import sqlalchemy as sa
from alembic import op


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.Text()
    op.add_column('series', sa.Column('uom', sa.String(), nullable=True))
    op.add_column('series', sa.Column('level', sa.String(), nullable=True))
    op.add_column('series', sa.Column('weights', json, nullable=True))
    op.add_column('forecast', sa.Column('quantiles', json, nullable=True))
    identity = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table(
        'forecast_finding',
        sa.Column('run_id', identity, nullable=False),
        sa.Column('number', identity, nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('subject', sa.String(), nullable=False),
        sa.Column('detail', sa.String(), nullable=False),
        sa.Column('count', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('run_id', 'number'),
    )
    op.create_table(
        'forecast_work',
        sa.Column('plan', sa.String(), nullable=False),
        sa.Column('piece', sa.String(), nullable=False),
        sa.Column('data', sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint('plan', 'piece'),
    )


def downgrade() -> None:
    op.drop_table('forecast_work')
    op.drop_table('forecast_finding')
    op.drop_column('forecast', 'quantiles')
    for column in ('weights', 'level', 'uom'):
        op.drop_column('series', column)
