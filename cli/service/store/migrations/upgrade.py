"""Bring the tables of a database to the current version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from zoo.errors import ZooError


def upgrade(connection: Connection, version: str = "head") -> None:
    """Run the missing steps in the connection's transaction, so that all of them count or none.

    Raises:
        ZooError: the tables are of a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision() or "0"
    newest = ScriptDirectory.from_config(config).get_current_head() or "0"
    if int(current) > int(newest):
        raise ZooError(f"the database has schema {current}, newer than {newest}; upgrade resnet-zoo.")
    command.upgrade(config, version)
