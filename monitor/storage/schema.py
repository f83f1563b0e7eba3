"""The schema: where a database stands, and the one way to move it (`staff-mentions migrate`)."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Engine

from monitor.errors import SchemaError
from monitor.storage.engine import Database


def head() -> str:
    """The newest revision that this program knows."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow import, rarely needed

    return ScriptDirectory(str(_migrations())).get_current_head() or ""


def _revisions() -> frozenset[str]:
    """Every revision that this program knows."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow import, rarely needed

    script = ScriptDirectory(str(_migrations()))
    return frozenset(found.revision for found in script.walk_revisions())


def current(engine: Engine) -> str | None:
    """The revision of a database; None where it is empty."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - slow import, rarely needed

    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def demand_head(engine: Engine) -> None:
    """Raise SchemaError unless the database is at this program's schema."""
    found, wanted = current(engine), head()
    if found == wanted:
        return
    if found is None:
        raise SchemaError("the database is empty: run `staff-mentions migrate` first")
    if found not in _revisions():
        raise SchemaError(
            f"the database has schema {found}, which this program (at {wanted}) does not know:"
            " it was used by a newer one; install that, or restore a backup made before it"
        )
    raise SchemaError(
        f"the database has schema {found}, this program needs {wanted}:"
        " stop the service, make a backup, then run `staff-mentions migrate`"
    )


def is_empty(url: str) -> bool:
    """Whether no schema was ever laid there."""
    database = Database(url)
    try:
        return current(database.engine) is None
    finally:
        database.close()


def migrate(url: str, revision: str = "head") -> tuple[str | None, str]:
    """Bring a database to the newest schema, one transaction a revision; (before, after).

    Raises:
        SchemaError: `revision` is another than the newest, and this program does not know it.
    """
    from alembic import command  # noqa: PLC0415 - slow import, rarely needed
    from alembic.config import Config  # noqa: PLC0415 - likewise

    if revision != "head" and revision not in _revisions():
        raise SchemaError(
            f"schema {revision} was made by a newer program than this one: install it"
        )
    database = Database(url)
    try:
        before = current(database.engine)
        config = Config()
        config.set_main_option("script_location", str(_migrations()))
        config.attributes["engine"] = database.engine
        command.upgrade(config, revision)
        after = current(database.engine)
    finally:
        database.close()
    return before, after or ""


def _migrations() -> object:
    return files("monitor.storage").joinpath("migrations")
