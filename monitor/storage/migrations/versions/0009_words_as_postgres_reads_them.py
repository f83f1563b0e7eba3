"""PostgreSQL keeps the words of each post as it reads them, and where in the post each stands.

Its index does not know that, so that a phrase was looked for in the whole text of every post that
holds its words. SQLite's index knows; nothing changes there.
"""

from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = ("title", "text", "thread", "author_handle", "author_name")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    # Bounded, since a vector of words over one megabyte cannot be stored.
    words = " || ' ' || ".join(_COLUMNS)
    op.execute("drop index ix_post_words")
    op.execute(
        "alter table post add column post_words tsvector not null"
        f" generated always as (to_tsvector('simple', left({words}, 100000))) stored"
    )
    op.execute("create index ix_post_words on post using gin (post_words)")
