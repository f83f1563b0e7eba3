"""Time-stamps on checkpoints."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString()
    moment = sqlmodel.sql.sqltypes.UTCDateTime()
    op.create_table(
        "stamp",
        sa.Column("entry_index", big, autoincrement=False, nullable=False),
        sa.Column("checkpoint_size", big, nullable=False),
        sa.Column("authority", text, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("chain", text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["checkpoint_size"], ["checkpoint.size"]),
        sa.ForeignKeyConstraint(["entry_index"], ["entry.index"]),
        sa.PrimaryKeyConstraint("entry_index"),
    )
    op.create_index("ix_stamp_checkpoint_size", "stamp", ["checkpoint_size"])
