//! What a server refuses for once is done again, whole, on the connections that there are.
use mainstay_expr::Value;
use mainstay_plan::{Count, Query};
use mainstay_test_db::postgres_only;

use crate::world::{World, uuid};

/// Refuses the first commits of new boards, as if others had got in their way. What a sequence has given, it does not give again.
const REFUSES_COMMITS: &str = "CREATE SEQUENCE tries; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF \
    nextval('tries') < 4 THEN RAISE serialization_failure; END IF; RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER late AFTER INSERT \
    ON boards DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()";

/// Refuses the second look at a note in a session. Locks of a session stay, whatever becomes of a transaction.
const REFUSES_READS: &str = "ALTER TABLE notes RENAME TO real_notes; CREATE FUNCTION refuse() RETURNS boolean LANGUAGE plpgsql \
    VOLATILE AS $$ DECLARE before integer := (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()); \
    BEGIN PERFORM pg_advisory_lock(before); IF before = 1 THEN RAISE serialization_failure; END IF; RETURN true; END $$; \
    CREATE VIEW notes AS SELECT * FROM real_notes WHERE refuse()";

/// The server's processes that serve the store's requests and its own work.
fn processes(world: &World) -> Vec<Vec<Option<String>>> {
    let ask = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mainstay' ORDER BY 1";
    world.database.rows(ask)
}

#[tokio::test]
async fn a_commit_that_is_refused_is_tried_again_on_the_same_connection() {
    postgres_only!("the embedded engine has one writer: nobody gets in its way");
    let world = World::with(|settings| settings.postgres.connections = 1);
    let board = world.board(1).await;
    world.database.execute(REFUSES_COMMITS);
    let before = processes(&world);
    let create = world.create_step("Board", uuid(2), &[("name", Value::text("two"))]);
    let note = world.create_step("Note", uuid(3), &[("board", uuid(2)), ("text", Value::text("three"))]);
    world.store.write(vec![create, note]).await.unwrap();
    assert_eq!(world.database.rows("SELECT last_value::text FROM tries")[0][0].as_deref(), Some("4"));
    assert_eq!(processes(&world), before);
    assert_eq!(world.database.rows("SELECT id FROM boards").len(), 2);
    world.write(world.delete_step("Board", board)).await;
}

#[tokio::test]
async fn a_page_whose_count_fails_is_read_again_from_its_beginning() {
    postgres_only!("the embedded engine reads page and count in one snapshot of its own");
    let world = World::with(|settings| settings.postgres.connections = 1);
    let board = world.board(1).await;
    world.note(1, &board, &[]).await;
    world.database.execute(REFUSES_READS);
    let counted = Query { count: Count::Too, ..world.query("Note", "true", &["text"]) };
    let statement = world.store.prepare_read(&world.schema, &counted).unwrap();
    let page = world.store.read(&statement, Vec::new(), b"[".to_vec()).await.unwrap();
    assert_eq!((String::from_utf8(page.json).unwrap().as_str(), page.count), (r#"[{"text":"note 1"}"#, Some(1)));
}
