"""Indexes, so that every list and every search stops after one page however much is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0008"
branch_labels = None
depends_on = None

_ALLEGATION = sa.text("flags_json like '%\"allegation\"%'")


def upgrade() -> None:
    for table, name in (
        ("post", "ix_post_author"),
        ("post", "ix_post_source"),
        ("mention", "ix_mention_target_id"),
    ):
        op.drop_index(name, table)
    for table, name, columns in (
        ("post", "ix_post_author", ["author_handle", "platform"]),
        ("post", "ix_post_author_name", ["author_name"]),
        ("post", "ix_post_source", ["source", "id"]),
        ("post", "ix_post_captured", ["captured_at", "id"]),
        ("mention", "ix_mention_target", ["target_id", "id"]),
        ("grade", "ix_grade_severity", ["severity", "mention_id"]),
    ):
        op.create_index(name, table, columns)
    op.create_index(
        "ix_grade_allegation",
        "grade",
        ["mention_id"],
        sqlite_where=_ALLEGATION,
        postgresql_where=_ALLEGATION,
    )
