"""Things by their number"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = "lower(replace(uri, rtrim(uri, replace(uri, '/', '')), ''))"
    op.create_index('ix_thing_number', 'thing', [sa.text(number)])


def downgrade() -> None:
    op.drop_index('ix_thing_number', 'thing')
