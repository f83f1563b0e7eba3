"""Runs a migration on the engine that `monitor.storage.schema` hands over."""

from alembic import context
from sqlmodel import SQLModel

from monitor.storage import tables

assert tables.__name__, "the tables register themselves when imported"

engine = context.config.attributes["engine"]
with engine.connect().execution_options(writes=True) as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
