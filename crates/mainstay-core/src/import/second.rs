//! The second pass: links that had to wait for the records that they lead to.
use std::borrow::Cow;

use mainstay_schema::Json;

use super::{
    Report,
    links::{Link, RowId},
    load::{CHUNK_ROWS_MAX, Loading},
};
use crate::{Error, Target, Update};

impl Loading<'_> {
    /// Writes the links that waited.
    pub(super) async fn link_the_rest(&mut self, report: &mut Report) -> Result<(), Error> {
        let waiting = std::mem::take(&mut self.waiting);
        for chunk in waiting.chunks(CHUNK_ROWS_MAX) {
            let (mut updates, mut rows) = (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len()));
            for (row, link) in chunk {
                updates.extend(self.updates(*row, link));
                rows.resize(updates.len(), *row);
            }
            if updates.is_empty() {
                continue;
            }
            match self.core.update_many(self.request, &updates).await {
                Ok(()) => {}
                Err((_, error)) if error.fields.is_empty() => return Err(error),
                Err((at, error)) => {
                    let row = rows.get(at).copied().unwrap_or_default();
                    for field in &error.fields {
                        report.errors.push(self.problem(
                            row,
                            &field.pointer,
                            field.message.clone(),
                            field.hint.clone(),
                        ));
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A link as changes of its record; a long list as several.
    fn updates(&self, (table, row): RowId, link: &Link) -> Vec<Update<'static>> {
        let collection = self.core.schema().collection(self.tables[table].collection);
        let Some(key) = self.keys[table][row].clone() else { return Vec::new() };
        let name = collection.field(link.field).name.clone();
        let update = |value: Json<'static>| Update {
            collection: collection.id,
            target: Target::Key(key.clone()),
            version: None,
            patch: Json::Object(vec![(Cow::Owned(name.clone()), value)]),
            selection: None,
        };
        let part =
            |ends: &[super::links::End]| self.ends(&Link { ends: ends.to_vec(), ..link.clone() }).map(Json::into_owned);
        if !link.many {
            return part(&link.ends).map(update).into_iter().collect();
        }
        let parts = link.ends.chunks(self.core.limits().links_max.max(1)).filter_map(part);
        parts.map(|keys| update(Json::Object(vec![(Cow::Borrowed("add"), keys)]))).collect()
    }
}
