"""The other eventIDs of an event"""

from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_event_alias_hash', 'event_alias', ['hash'])


def downgrade() -> None:
    op.drop_index('ix_event_alias_hash', 'event_alias')
