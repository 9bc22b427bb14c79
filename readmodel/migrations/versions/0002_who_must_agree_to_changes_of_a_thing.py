"""Who must agree to changes of a thing"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('thing', sa.Column('endorsers', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('thing', 'endorsers')
