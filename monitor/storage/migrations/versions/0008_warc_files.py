"""The WARC file of each post, by its digest; none for posts captured before."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0008"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "post",
        sa.Column(
            "warc_sha256",
            sqlmodel.sql.sqltypes.AutoString(),
            nullable=False,
            server_default="",
        ),
    )
    op.create_index("ix_post_raw_sha256", "post", ["raw_sha256"])
    op.create_index("ix_post_warc_sha256", "post", ["warc_sha256"])
