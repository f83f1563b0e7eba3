"""The index of words over kept posts: SQLite FTS5, or a GIN index that PostgreSQL keeps by itself.

SQLite's is filled here and not by triggers, which `trusted_schema = off` keeps from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlmodel import Session

from monitor.storage.tables import PostRow

_NAMES: Final = ("title", "text", "thread", "author_handle", "author_name")
_COLUMNS: Final = ", ".join(_NAMES)
_PUT: Final = text(
    f"insert into post_words(rowid, {_COLUMNS}) select id, {_COLUMNS} from post where id = :id"  # noqa: S608 - our own names
)
_TAKE: Final = text(
    f"insert into post_words(post_words, rowid, {_COLUMNS})"  # noqa: S608 - our own names
    f" select 'delete', id, {_COLUMNS} from post where id = :id"
)


def index_posts(session: Session, posts: Sequence[PostRow]) -> None:
    """Let new posts, already flushed, be found by their words."""
    _each(session, _PUT, posts)


def unindex_posts(session: Session, posts: Sequence[PostRow]) -> None:
    """Take posts out, while their rows still hold the words that were indexed."""
    _each(session, _TAKE, posts)


def _each(session: Session, statement: object, posts: Sequence[PostRow]) -> None:
    connection = session.connection()
    if posts and connection.dialect.name == "sqlite":
        connection.execute(statement, [{"id": row.id} for row in posts])  # type: ignore[call-overload]
