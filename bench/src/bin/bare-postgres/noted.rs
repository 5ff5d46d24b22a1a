//! The two writes with the change that each leaves in the feed, in one statement: the same that Mainstay sends of a collection which the
//! feed tells of.
use std::time::{SystemTime, UNIX_EPOCH};

use mainstay_bench::Outcome;
use uuid::Uuid;

use super::messages::{Create, Messages, Patch, new_record, one};

// What Mainstay sends, word by word, with each number as a type of its own.
const CREATE: &str = r#"WITH mainstay_note AS (INSERT INTO "mainstay_changes" ("collection", "record", "op", "version", "before", "after", "caller",
    "time", "request") VALUES (($8::text COLLATE "C"), ($9::text COLLATE "C"), $10::bigint, $11::bigint, ($12::text COLLATE
    "C"), ($13::text COLLATE "C"), ($14::text COLLATE "C"), $15::bigint, ($16::text COLLATE "C"))) INSERT INTO "messages" ("id",
    "room", "author", "body", "created_at", "updated_at", "version") VALUES ($1::uuid, ($2::text COLLATE "C"), ($3::text COLLATE
    "C"), ($4::text COLLATE "C"), $5::timestamptz, $6::timestamptz, $7::bigint)"#;
const PATCH: &str = r#"WITH mainstay_old AS (SELECT t0."id" AS k, (format('{"body":%s,"updatedAt":%s,"version":%s}', coalesce(to_json(t0."body"),
    'null'), to_char(t0."updated_at" AT TIME ZONE 'UTC', CASE WHEN t0."updated_at" >= timestamptz '0001-01-01 00:00:00+00' THEN
    '\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\"' ELSE '\""0000"-MM-DD"T"HH24:MI:SS.US"Z"\"' END), t0."version")) AS j FROM "messages" AS
    t0 WHERE t0."id" = $3::uuid), mainstay_new (c0, c1, c2, c3, c4, c5, c6, k, v, j) AS (UPDATE "messages" SET "body" =
    ($1::text COLLATE "C"), "updated_at" = $2::timestamptz, "version" = "version" + 1 WHERE "messages"."id" = $3::uuid RETURNING
    "messages"."id", "messages"."room", "messages"."author", "messages"."body", "messages"."created_at",
    "messages"."updated_at", "messages"."version", "messages"."id", "messages"."version",
    (format('{"id":"%s","room":%s,"author":%s,"body":%s,"createdAt":%s,"updatedAt":%s,"version":%s}', "messages"."id",
    coalesce(to_json("messages"."room"), 'null'), coalesce(to_json("messages"."author"), 'null'),
    coalesce(to_json("messages"."body"), 'null'), to_char("messages"."created_at" AT TIME ZONE 'UTC', CASE WHEN
    "messages"."created_at" >= timestamptz '0001-01-01 00:00:00+00' THEN '\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\"' ELSE
    '\""0000"-MM-DD"T"HH24:MI:SS.US"Z"\"' END), to_char("messages"."updated_at" AT TIME ZONE 'UTC', CASE WHEN
    "messages"."updated_at" >= timestamptz '0001-01-01 00:00:00+00' THEN '\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\"' ELSE
    '\""0000"-MM-DD"T"HH24:MI:SS.US"Z"\"' END), "messages"."version"))), mainstay_note AS (INSERT INTO "mainstay_changes"
    ("collection", "record", "op", "version", "before", "after", "caller", "time", "request") SELECT ($4::text COLLATE "C"),
    (n.k::text COLLATE "C"), 2, n.v, o.j, n.j, ($5::text COLLATE "C"), $6::bigint, ($7::text COLLATE "C") FROM mainstay_new AS n
    JOIN mainstay_old AS o ON o.k = n.k) SELECT c0, c1, c2, c3, c4, c5, c6 FROM mainstay_new"#;

/// The collection, as the feed calls it.
const COLLECTION: &str = "messages";
/// What the feed calls a new record.
const CREATED: i64 = 1;
/// Who wrote: nobody in particular.
const CALLER: Option<&str> = None;

impl Messages {
    pub(crate) async fn create_told(&self, id: Uuid, now: SystemTime, message: &Create) -> Outcome<Vec<u8>> {
        let Create { room, author, body } = message;
        let after = new_record(id, now, message)?;
        let (record, text, before) = (id.to_string(), std::str::from_utf8(&after)?, None::<&str>);
        let (time, request) = of_change()?;
        let record_values = [&id as _, room as _, author as _, body as _, &now as _, &now as _, &1_i64 as _];
        let change = [&COLLECTION as _, &record as _, &CREATED as _, &1_i64 as _, &before as _, &text as _];
        let values = [&record_values[..], &change, &[&CALLER as _, &time as _, &request as _]].concat();
        self.written(CREATE, &values).await?;
        Ok(after)
    }

    pub(crate) async fn patch_told(&self, id: Uuid, now: SystemTime, patch: &Patch) -> Outcome<Option<Vec<u8>>> {
        let (time, request) = of_change()?;
        one(self.written(PATCH, &[&patch.body, &now, &id, &COLLECTION, &CALLER, &time, &request]).await?)
    }
}

/// The time of a change, and the id of its request.
fn of_change() -> Outcome<(i64, String)> {
    let time = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
    Ok((time, Uuid::now_v7().simple().to_string()))
}
