//! What a move asks the server's catalogue. The names of the tables that are asked about are the first value.

/// All tables and views of the namespace.
pub(super) const TABLES: &str = "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND \
     relnamespace = quote_ident(current_schema())::regnamespace";

/// What makes each index that is no key's, and behind it what drops it.
pub(super) const INDEXES: &str = "SELECT unnest(ARRAY[pg_get_indexdef(x.indexrelid), format('DROP INDEX %s', x.indexrelid::regclass)]) \
     FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid WHERE NOT x.indisprimary AND NOT EXISTS (SELECT 1 FROM \
     pg_constraint AS c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')) AND t.relnamespace = \
     quote_ident(current_schema())::regnamespace AND t.relname IN (SELECT jsonb_array_elements_text($1::jsonb))";

/// What makes each reference, so that it can be looked at in the end of a transaction, and behind it what drops it.
pub(super) const FOREIGN_KEYS: &str = "SELECT unnest(ARRAY[format('ALTER TABLE %s ADD CONSTRAINT %I %s DEFERRABLE', c.conrelid::regclass, c.conname, \
     pg_get_constraintdef(c.oid)), format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)]) FROM \
     pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid WHERE c.contype = 'f' AND t.relnamespace = \
     quote_ident(current_schema())::regnamespace AND t.relname IN (SELECT jsonb_array_elements_text($1::jsonb))";

/// What has references be looked at where they are written again.
pub(super) const DEFERRABLE: &str = "SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I NOT DEFERRABLE', c.conrelid::regclass, c.conname) FROM \
     pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid WHERE c.contype = 'f' AND c.condeferrable AND t.relnamespace = \
     quote_ident(current_schema())::regnamespace AND t.relname IN (SELECT jsonb_array_elements_text($1::jsonb))";

/// What takes the triggers away that refuse writes.
pub(super) const SEALS: &str = "SELECT format('DROP TRIGGER mainstay_moved ON %s', g.tgrelid::regclass) FROM pg_trigger AS g JOIN \
     pg_class AS t ON t.oid = g.tgrelid WHERE g.tgname = 'mainstay_moved' AND t.relnamespace = \
     quote_ident(current_schema())::regnamespace";

/// Something where changes are gone that were written since a transaction, which is the first value.
pub(super) const GONE: &str = "SELECT seq FROM mainstay_changes_gone WHERE xid >= $1::text::bigint";

/// The transactions of the changes that were written since one, in their order.
pub(super) const BORDER: &str =
    "SELECT xid::text::bigint FROM mainstay_changes WHERE xid >= $1::text::xid8 ORDER BY xid, seq";

/// The records that were written since that transaction, and before another one.
pub(super) const WRITTEN: &str = "SELECT DISTINCT collection, record FROM mainstay_changes WHERE xid >= $1::text::xid8 AND \
     ($2::text IS NULL OR xid < $2::text::xid8)";
