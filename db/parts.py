"""Tables that grow with messages, kept in parts by month on PostgreSQL: statements only, run by the migration.

A part is a range of the UUIDv7 key, whose first 48 bits are the time: so the primary key needs no date beside the id.
`…_first` is all that was there when parts came, `…_YYYY_MM` a month, and `…_rest` takes what fits no other, so
that no row is ever refused for want of a part.
"""

from collections.abc import Iterator, Mapping

from db.row_security import POLICY, SEEN

# Each table and the column by which it is kept in parts. Sections lie by their run, whose id is the key's first half.
PARTED: Mapping[str, str] = {"messages": "id", "run_sections": "run_id", "audit": "id"}
FIRST, REST = "first", "rest"
MAKE = "SELECT make_parts()"
# Over all parts PostgreSQL has unique keys only of columns that decide the part. The audit's number does not: the
# sealer gives it, after the row. So each part has the key, and a trigger looks into the others.
ONE_PART_ONLY = "uq_audit_workspace_id_sealed_seq"
# So many whole months beyond the present one have their parts: what is missed for so long is still no loss (`…_rest`).
AHEAD = 2

_PART_KEY = """
CREATE FUNCTION part_key(moment timestamp) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$
"""
_PART_MOMENT = """
CREATE FUNCTION part_moment(key uuid) RETURNS timestamp LANGUAGE sql IMMUTABLE AS $$
  SELECT to_timestamp(('x' || left(replace(key::text, '-', ''), 12))::bit(48)::bigint / 1000.0) AT TIME ZONE 'UTC'
$$
"""
_PARTS_END = f"""
CREATE FUNCTION parts_end() RETURNS timestamp LANGUAGE sql VOLATILE AS $$
  SELECT date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + interval '{AHEAD + 1} months'
$$
"""
# A part is reached through its table alone: nobody has a right to it, and the fence holds there, too.
_CLOSE_PART = f"""
CREATE FUNCTION close_part(parent text, part text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE who oid;
BEGIN
  FOR who IN SELECT DISTINCT a.grantee FROM pg_class c, aclexplode(c.relacl) a
             WHERE c.oid = part::regclass AND a.grantee <> c.relowner LOOP
    EXECUTE format('REVOKE ALL ON %I FROM %s', part,
                   CASE who WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(who)) END);
  END LOOP;
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
  IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = part::regclass) THEN
    EXECUTE format('CREATE POLICY {POLICY} ON %I USING ({SEEN.replace("'", "''")}) '
                   'WITH CHECK ({SEEN.replace("'", "''")})', part);
  END IF;
  IF parent <> 'messages' AND NOT EXISTS (
      SELECT FROM pg_trigger WHERE tgrelid = part::regclass AND tgname = 'keep_' || parent || '_truncate') THEN
    EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                   'keep_' || parent || '_truncate', part, 'keep_' || parent || '_truncate');
  END IF;
END $$
"""  # noqa: S608 - names of ours
_LIKE = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION"
# With the owner's rights, for whichever role keeps time. Anybody may call it: it takes nothing from its caller, makes
# what has to be there anyway, and does nothing the second time.
_MAKE_PARTS = f"""
CREATE FUNCTION make_parts() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '3s' SET app.across = 'upkeep' AS $$
DECLARE parent text; key text; low uuid; high uuid; begins timestamp; part text; rest text; strays boolean;
        made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(7205760);
  FOR parent, key IN VALUES {", ".join(f"('{table}', '{key}')" for table, key in PARTED.items())} LOOP
    rest := parent || '_{REST}';
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([0-9a-f-]+)''\\)')::uuid AS bound INTO low
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = parent::regclass
      ORDER BY bound DESC NULLS LAST LIMIT 1;
    LOOP
      begins := part_moment(low);
      EXIT WHEN begins >= parts_end();
      high := part_key(begins + interval '1 month');
      part := parent || to_char(begins, '"_"YYYY"_"MM');
      EXECUTE format('CREATE TABLE %I (LIKE %I {_LIKE})', part, parent);
      IF parent = 'audit' THEN
        EXECUTE format('ALTER TABLE %I ADD UNIQUE (workspace_id, sealed_seq)', part);
      END IF;
      EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I >= $1 AND %I < $2)', rest, key, key)
        INTO strays USING low, high;
      IF strays THEN
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', rest);
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= $1 AND %I < $2 RETURNING *) '
                       'INSERT INTO %I SELECT * FROM moved', rest, key, key, part) USING low, high;
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', rest);
      END IF;
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, low, high);
      PERFORM close_part(parent, part);
      low := high;
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$
"""  # noqa: S608 - names of ours
# The sealer holds this very lock; whoever else gives out a number has to wait for it, so that looking is enough.
# The right to seal is one to the whole column: without the other rules a role that may seal could give a number that no
# other can follow, and one that may only write entries could number them.
ONE_NUMBER = """
CREATE OR REPLACE FUNCTION guard_audit_number() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    RAISE EXCEPTION 'support-agents: an audit entry is written without a number' USING ERRCODE = 'check_violation';
  END IF;
  PERFORM FROM workspaces WHERE id = NEW.workspace_id FOR NO KEY UPDATE;
  IF EXISTS (SELECT FROM audit WHERE workspace_id = NEW.workspace_id AND sealed_seq = NEW.sealed_seq) THEN
    RAISE EXCEPTION 'support-agents: an audit number is given once' USING ERRCODE = 'unique_violation';
  END IF;
  IF NEW.sealed_seq <> 1
     AND NOT EXISTS (SELECT FROM audit WHERE workspace_id = NEW.workspace_id AND sealed_seq = NEW.sealed_seq - 1)
     AND NOT EXISTS (SELECT FROM part_manifests WHERE workspace_id = NEW.workspace_id AND last_seq = NEW.sealed_seq - 1)
  THEN
    RAISE EXCEPTION 'support-agents: an audit number follows the last one' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
_NUMBERED = (
    "CREATE TRIGGER guard_audit_number_{verb} BEFORE {verb} ON audit FOR EACH ROW WHEN ({condition})"
    " EXECUTE FUNCTION guard_audit_number()"
)
# Which parts for the rest hold rows; anybody may ask, for it tells nothing of them.
_STRAYS = f"""
CREATE FUNCTION stray_parts() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET app.across = 'upkeep' AS $$
  {" UNION ALL ".join(f"SELECT '{name}_{REST}' WHERE EXISTS (TABLE {name}_{REST})" for name in PARTED)}
$$
"""
STRAYS = "SELECT stray_parts()"
INTERNAL = ("part_key(timestamp)", "part_moment(uuid)", "parts_end()", "close_part(text, text)", "guard_audit_number()")


def functions() -> Iterator[str]:
    """Yield what makes the functions."""
    yield from (_PART_KEY, _PART_MOMENT, _PARTS_END, _CLOSE_PART, _MAKE_PARTS, ONE_NUMBER)
    for function in INTERNAL:
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"


def after_split() -> Iterator[str]:
    """Yield what needs the parts: the function that looks for strays, and the first coming parts."""
    yield from (_STRAYS, MAKE)


def number_guards() -> Iterator[str]:
    """Yield the triggers by which each number of the audit is given once and after the last, whatever part it is in."""
    given = "NEW.sealed_seq IS DISTINCT FROM OLD.sealed_seq"
    yield _NUMBERED.format(verb="UPDATE", condition=given)
    yield _NUMBERED.format(verb="INSERT", condition="NEW.sealed_seq IS NOT NULL")
