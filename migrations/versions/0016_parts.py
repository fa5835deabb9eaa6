"""Messages, sections and the audit lie in parts by month on PostgreSQL; manifests tell of parts that were taken off.

The table that was there becomes the first part, as it lies: no row is copied. Rows whose keys are of a later time than
the parts' end – a clock had jumped – go to the part for the rest.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

from db.base import Uuid
from db.insert_only import kept_as_written
from db.parts import FIRST, ONE_PART_ONLY, PARTED, REST, after_split, functions, number_guards
from db.row_security import POLICY, SEEN, statements
from migrations.columns import row

revision = "0016"
down_revision = "0015"

_LIKE = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION"
# What has to be made anew on the table of the parts; its definition names the old table, whose name the new one takes.
_DEFINED = """
SELECT 'key' AS kind, conname AS name, pg_get_constraintdef(oid) AS definition
  FROM pg_constraint WHERE conrelid = cast(:old AS regclass) AND contype IN ('p', 'f')
UNION ALL SELECT 'index', c.relname, pg_get_indexdef(c.oid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = cast(:old AS regclass) AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conindid = c.oid)
UNION ALL SELECT CASE WHEN tgtype & 1 = 1 THEN 'each' ELSE 'whole' END, tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE tgrelid = cast(:old AS regclass) AND NOT tgisinternal
"""
_INDEXES = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = cast(:old AS regclass)
"""
_RIGHTS = """
SELECT a.privilege_type AS verb,
  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS who
FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = cast(:old AS regclass) AND a.grantee <> c.relowner
"""


def upgrade() -> None:
    """Make the table of manifests; on PostgreSQL the functions, and of each table its parts."""
    op.create_table(
        "part_manifests",
        *row(),
        sa.Column("parted", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("before", Uuid(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("first", Uuid(), nullable=False),
        sa.Column("last", Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("spans", sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("last_seq", sa.Integer()),
        sa.Column("last_seal", sa.String()),
        sa.Column("mac", sa.String(), nullable=False),
        sa.UniqueConstraint("workspace_id", "part", "mac"),
    )
    op.create_index("ix_part_manifests_last_seq", "part_manifests", ["workspace_id", "last_seq"])
    connection = op.get_bind()
    for statement in kept_as_written(connection.dialect.name, "part_manifests"):
        connection.exec_driver_sql(statement)
    if connection.dialect.name != "postgresql":
        return
    _run(*statements(("part_manifests",)), *functions())
    end = str(connection.exec_driver_sql("SELECT part_key(parts_end())").scalar_one())
    for table, key in PARTED.items():
        _split(connection, table, key, end)
    _run(*number_guards(), *after_split())


def _split(connection: Connection, table: str, key: str, end: str) -> None:
    """Make the table one of parts, of which what was there is the first."""
    first, rest = f"{table}_{FIRST}", f"{table}_{REST}"
    old = {"old": table}
    found = connection.execute(sa.text(_DEFINED), old).all()
    rights = connection.execute(sa.text(_RIGHTS), old).all()
    indexes = connection.execute(sa.text(_INDEXES), old).scalars().all()
    _run(f"ALTER TABLE {table} RENAME TO {first}")
    _run(*(f"ALTER INDEX {name} RENAME TO {name}_{FIRST}" for name in indexes))
    _run(*(f"DROP TRIGGER {each.name} ON {first}" for each in found if each.kind == "each"))  # the parts' table has it
    _run(f"CREATE TABLE {table} (LIKE {first} {_LIKE}) PARTITION BY RANGE ({key})")
    _run(f"CREATE TABLE {rest} (LIKE {first} {_LIKE})")
    _run(
        *(
            f"ALTER TABLE {table} ADD CONSTRAINT {each.name} {each.definition}"
            if each.kind == "key"
            else each.definition
            for each in found
        )
    )
    if table == "audit":
        _run(f"ALTER TABLE {rest} ADD CONSTRAINT {ONE_PART_ONLY}_{REST} UNIQUE (workspace_id, sealed_seq)")
    _run(
        f"WITH late AS (DELETE FROM {first} WHERE {key} >= '{end}' RETURNING *) INSERT INTO {rest} SELECT * FROM late",  # noqa: S608 - names and ids of ours
        f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{end}')",
        f"ALTER TABLE {table} ATTACH PARTITION {rest} DEFAULT",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {POLICY} ON {table} USING ({SEEN}) WITH CHECK ({SEEN})",
        *(f"GRANT {each.verb} ON {table} TO {each.who}" for each in rights),
        f"SELECT close_part('{table}', '{first}'), close_part('{table}', '{rest}')",
    )


def _run(*statements: str) -> None:
    for statement in statements:
        op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
