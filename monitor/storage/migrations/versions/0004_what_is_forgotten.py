"""Erasures, legal holds, how long a case is kept, and the index of words for the search."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COLUMNS = ("title", "text", "thread", "author_handle", "author_name")


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString()
    for table in ("post", "mention"):
        op.add_column(table, sa.Column("erased_by", _BIG, nullable=True))
    op.create_table(
        "legal_hold",
        sa.Column("id", _BIG, primary_key=True, nullable=False),
        sa.Column("case_id", _BIG, sa.ForeignKey("casefile.id"), nullable=True),
        sa.Column("mention_id", _BIG, sa.ForeignKey("mention.id"), nullable=True),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("by", text, nullable=False),
        sa.Column("why", text, nullable=False),
        sa.Column("released_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("entry_index", _BIG, sa.ForeignKey("entry.index"), nullable=False),
    )
    op.create_table(
        "case_term",
        sa.Column("id", _BIG, primary_key=True, nullable=False),
        sa.Column("case_id", _BIG, sa.ForeignKey("casefile.id"), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("by", text, nullable=False),
        sa.Column("why", text, nullable=False),
        sa.Column("entry_index", _BIG, sa.ForeignKey("entry.index"), nullable=False),
    )
    for table, columns in (
        ("legal_hold", ("case_id", "mention_id", "entry_index")),
        ("case_term", ("case_id", "entry_index")),
    ):
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    op.create_table("leftover", sa.Column("digest", text, primary_key=True, nullable=False))
    if op.get_bind().dialect.name == "sqlite":
        _index_of_sqlite()
    else:
        _index_of_postgres()


def _index_of_sqlite() -> None:
    """FTS5 over the rows of `post`, which keep the words; storage/words.py fills it."""
    names = ", ".join(_COLUMNS)
    op.execute(
        f"create virtual table post_words using fts5({names}, content='post', content_rowid='id',"
        " tokenize='unicode61 remove_diacritics 2')"
    )
    op.execute("insert into post_words(post_words) values ('rebuild')")


def _index_of_postgres() -> None:
    """A GIN index; bounded, since a vector of words over one megabyte cannot be stored."""
    words = " || ' ' || ".join(_COLUMNS)
    op.execute(
        "create index ix_post_words on post using gin"
        f" (to_tsvector('simple', left({words}, 100000)))"
    )
