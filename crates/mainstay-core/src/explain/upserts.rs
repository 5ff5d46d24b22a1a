//! Upserts explained: as a change of the record that is there, else as a new one.
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, FieldId};

use super::{
    clauses::Subject,
    known::KnownRecord,
    writes::EXPLAINED_MAX,
    written::{Asked, Touched},
};
use crate::{
    Core, Error, Explanation, Request, Target,
    expressions::RuleKind,
    record::{new::NewRecord, patch::Patch},
};

/// The fields by which an upsert looks, and the change that it is where it finds a record.
pub(super) type Upserted<'a> = (&'a [FieldId], Option<Patch>);

/// What an upsert comes to.
enum Comes {
    /// A change of a stored record, with its key.
    Change(Target, Value),
    /// A new record.
    New,
    /// Either: that is for the write to say.
    Either,
}

impl Core {
    /// The rules of a record that is sent, behind what the same write did before; whether it is known to be a new one.
    pub(super) async fn explain_sent(
        &self,
        request: &Request,
        record: &mut NewRecord,
        upserted: Option<Upserted<'_>>,
        touched: &mut Touched,
    ) -> Result<(Explanation, bool), Error> {
        let known = self.known_records(request, record, EXPLAINED_MAX).await?;
        let mut explained = Explanation::default();
        if let (Some((unique, patch)), Some(first)) = (upserted, known.first()) {
            let comes = self.comes_to(request, unique, first, touched).await?;
            first.named_by(unique).into_iter().for_each(|target| touched.name(first.of, target));
            match comes {
                Comes::Change(target, key) => {
                    self.explain_found(request, first.of, (&target, key, patch), touched, &mut explained).await?;
                    return Ok((explained, false));
                }
                Comes::Either => {
                    self.explain_either(request, first.of, &mut explained)?;
                    touched.change(first.of, None);
                    return Ok((explained, false));
                }
                Comes::New => {}
            }
        }
        touched.made.extend(known.iter().map(|record| record.of));
        self.explain_new(request, known, &mut explained).await?;
        if !touched.is_one() {
            self.leave_to_write(request, touched, Asked::NEW, &mut explained)?;
        }
        Ok((explained, true))
    }

    /// The rules of a change of the record that an upsert finds.
    async fn explain_found(
        &self,
        request: &Request,
        of: CollectionId,
        (target, key, patch): (&Target, Value, Option<Patch>),
        touched: &mut Touched,
        explained: &mut Explanation,
    ) -> Result<(), Error> {
        self.explain_change(request, of, target, patch.as_ref(), explained).await?;
        let fields = patch.map(|patch| patch.fields());
        let asked = Asked { has_changed: false, written: fields.as_deref() };
        self.leave_to_write(request, touched, asked, explained)?;
        touched.change(of, Some(key));
        Ok(())
    }

    /// What the caller alone decides of both rules.
    pub(super) fn explain_either(
        &self,
        request: &Request,
        of: CollectionId,
        explained: &mut Explanation,
    ) -> Result<(), Error> {
        for kind in [RuleKind::Create, RuleKind::Update] {
            explained.rules.push(self.rule_parts(request, (of, kind), Subject::Any, None)?.explained);
        }
        Ok(())
    }

    /// Whether a record with the values of a unique is there, as far as what came before leaves it alone.
    async fn comes_to(
        &self,
        request: &Request,
        unique: &[FieldId],
        record: &KnownRecord,
        touched: &Touched,
    ) -> Result<Comes, Error> {
        let of = record.of;
        if unique.iter().any(|field| record.unknown.contains(field)) {
            return Ok(Comes::Either);
        }
        let Some(target) = record.named_by(unique) else { return Ok(Comes::New) };
        Ok(match self.key_stored(request, of, &target).await? {
            Some(key) if !touched.has_changed(of, Some(&key)) => Comes::Change(target, key),
            None if !touched.may_have_named(of, &target) => Comes::New,
            _ => Comes::Either,
        })
    }
}
