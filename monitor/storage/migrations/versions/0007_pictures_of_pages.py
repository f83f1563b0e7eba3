"""The pictures of pages: which wait, which were taken."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    text = sqlmodel.sql.sqltypes.AutoString()
    op.create_table(
        "picture",
        sa.Column("post_id", big, autoincrement=False, nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", text, nullable=False),
        sa.Column("entry_index", big, nullable=True),
        sa.ForeignKeyConstraint(["entry_index"], ["entry.index"]),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"]),
        sa.PrimaryKeyConstraint("post_id"),
    )
    for name in ("due_at", "sha256", "entry_index"):
        op.create_index(f"ix_picture_{name}", "picture", [name])
