"""PostgreSQL keeps which words stand side by side in a post, for phrases of very common words.

Its index of words does not know places, so that all posts with the words of a phrase were read. A
pair of neighbours is marked by a number of sixteen bits (of SHA-256, which every build has), which
makes a small index; that few posts share a mark without the pair is seen when they are read. SQLite's
index knows places; nothing changes there.

The index of grades by severity also gets the id of each, by which the grade that stands is known, so
that the mentions of a grade are found without reading the grades themselves.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_PAIRS = """
create or replace function post_word_pairs(words tsvector) returns integer[]
language sql immutable strict parallel safe as $$
  with said as materialized (
    select lexeme, place
    from unnest(words) as word(lexeme, places, weights), unnest(places) as place
  )
  select coalesce(array_agg(distinct get_byte(mark, 0) * 256 + get_byte(mark, 1)), '{}')
  from said one join said next on next.place = one.place + 1,
    sha256(convert_to(one.lexeme || ' ' || next.lexeme, 'UTF8')) as mark
$$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute(_PAIRS)
    op.execute("create index ix_post_word_pairs on post using gin (post_word_pairs(post_words))")
    op.execute("drop index ix_grade_severity")
    op.execute("create index ix_grade_severity on grade (severity, mention_id) include (id)")
    op.execute("analyze post")
