-- Stand-ins for PostgreSQL's advisory locks that lock nothing; before pg_catalog in a ledger's search path they take the
-- place of the real ones in every process, unchanged code included.
create schema lockless;
create function lockless.pg_advisory_lock(bigint) returns void language sql as '';
create function lockless.pg_advisory_lock(int, int) returns void language sql as '';
create function lockless.pg_advisory_xact_lock(bigint) returns void language sql as '';
create function lockless.pg_advisory_unlock(bigint) returns boolean language sql as 'select true';
create function lockless.pg_advisory_unlock(int, int) returns boolean language sql as 'select true';
