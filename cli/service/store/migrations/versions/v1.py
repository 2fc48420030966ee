"""The first version."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    _create_jobs()
    _create_models()
    _create_users()
    _create_watches()


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("dataset", sa.String, nullable=False),
        sa.Column("dataset_ref", sa.String, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("search_text", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("phase", sa.String, nullable=False),
        sa.Column("error", sa.String),
        sa.Column("verdict", sa.String),
        sa.Column("agreement", sa.Double),
        sa.Column("size", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.String),
        sa.Column("lease_until", sa.DateTime),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("started", sa.DateTime),
        sa.Column("finished", sa.DateTime),
    )
    running = sa.text("state = 'running'")
    op.create_index("jobs_in_queue", "jobs", ["state", "priority", "created", "id"])
    op.create_index("jobs_running_once", "jobs", ["key"], unique=True, sqlite_where=running, postgresql_where=running)
    # In SQLite null comes first anyway, and these words are refused.
    nulls = " NULLS FIRST" if op.get_bind().dialect.name == "postgresql" else ""
    for column in ("created", "finished", "agreement"):
        op.create_index(f"jobs_by_{column}", "jobs", [sa.text(f"{column}{nulls}"), "id"])


def _create_models() -> None:
    op.create_table(
        "job_models",
        sa.Column("job_id", sa.String(16), sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("ref", sa.String, nullable=False),
        sa.Column("commit", sa.String),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("accuracy", sa.Double),
    )
    op.create_index("job_models_by_model", "job_models", ["model", "job_id"])


def _create_users() -> None:
    op.create_table(
        "job_users",
        sa.Column("job_id", sa.String(16), sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("user", sa.String, primary_key=True),
        sa.Column("waiting", sa.Boolean, nullable=False),
    )
    op.create_index("job_users_by_user", "job_users", ["user", "job_id"])


def _create_watches() -> None:
    op.create_table(
        "watches",
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("dataset", sa.String),
        sa.Column("require", sa.JSON, nullable=False),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("commit", sa.String),
        sa.Column("discussion", sa.Integer),
    )
