//! Folding for a caller, guards, renumbering.
use super::*;
use crate::{
    CallerValues,
    fixture::{Row, World, anonymous, caller, compiled, user_key},
    resolve,
};

/// The folded expression as CEL.
fn check(text: &str, caller: &CallerValues, expected: &str) {
    assert_eq!(World::new().show(&folded(text, caller)), expected, "{text}");
}

fn folded(text: &str, caller: &CallerValues) -> Expr {
    let compiled = compiled(text, &Type::Bool).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let outcomes: Vec<Outcome> = resolve(&compiled, caller, &[]).iter().map(|slot| slot.outcome).collect();
    specialise(&compiled.expr, &outcomes, &mut |slot| slot)
}

#[test]
fn what_reads_only_the_caller_folds_away() {
    let editor = caller(&user_key(1));
    check("published || isEditor", &editor, "true");
    check("published && isEditor", &editor, "published");
    check("'admin' in auth.roles || published", &editor, "published");
    check("auth != null && author == auth.id", &editor, "author == ?2");
    check("auth != null && author == auth.id", &anonymous(), "false");
    check("author == auth.id", &anonymous(), "error");
    check("published || author == auth.id", &anonymous(), "published || error");
    check("author == auth.id && published", &anonymous(), "published && error");
    check("auth.claims.plan == 'pro' ? published : views > 5", &editor, "published");
    check("auth.claims.org == 3 ? published : views > 5", &editor, "error");
    check("created > request.time - duration('24h')", &anonymous(), "created > ?1");
}

#[test]
fn constants_fold() {
    let nobody = anonymous();
    check("1 + 1 == 2", &nobody, "true");
    check("1 / 0 == 1", &nobody, "error");
    check("1 / 0 == 1 || published", &nobody, "published || error");
    check("!(views == null)", &nobody, "true");
    check("score == null", &nobody, "score == null");
    check("author.id == null", &nobody, "author.id == null");
    check("views > 1 + 2 * 3", &nobody, "views > 7");
    check("[1, 2].exists(x, false)", &nobody, "false");
    check("comments.all(c, true)", &nobody, "true");
    check("title in []", &nobody, "false");
    check("title in ['a']", &nobody, "title == 'a'");
    check("size('ab') == 2 && 'b'.startsWith('b')", &nobody, "true");
    check("published && (views > 1 && (flag || true))", &nobody, "published && views > 1");
    check("flag && true", &nobody, "flag");
    assert_ne!(folded("flag && true", &nobody).node, folded("flag", &nobody).node, "null is an error in the one only");
}

#[test]
fn a_foreign_id_folds() {
    let foreign = caller("x");
    check("author == auth.id || published", &foreign, "published");
    check("author != auth.id", &foreign, "true");
    check("author.id == auth.id", &foreign, "author.id == null ? false : false");
    check("author in [auth.id]", &foreign, "author in ?1");
    check(
        "author in [auth.id, category.slug == 'a' ? author : author]",
        &foreign,
        "author == (category.slug == 'a' ? author : author)",
    );
    check("auth.id in [author, comments.exists(c, true) ? author : null]", &foreign, "false");
}

#[test]
fn as_a_condition_an_error_is_false() {
    let check = |text: &str, expected| {
        let condition = as_condition(folded(text, &anonymous()));
        assert_eq!(World::new().show(&condition), expected, "{text}");
    };
    check("author == auth.id", "false");
    check("published || author == auth.id", "published");
    check("published && author == auth.id", "false");
    check("views > 1 && (published || author == auth.id)", "views > 1 && published");
    check("!(published && author == auth.id)", "!(published && error)");
    check("flag", "flag");
}

#[test]
fn equal_parts_are_one_slot_and_one_bound_value() {
    let compiled =
        compiled("author == auth.id || comments.exists(c, c.author == auth.id) || owner == auth.id", &Type::Bool)
            .expect("compiles");
    assert_eq!(compiled.slots.len(), 2, "as a user's key, and as a text");
    assert_eq!(compiled.slots[0].key, Some(Type::Uuid));
    assert_eq!(compiled.slots[1].key, None);
    let outcomes = [Outcome::Value, Outcome::Value];
    let expr = specialise(&compiled.expr, &outcomes, &mut |slot| slot + 10);
    let shown = World::new().show(&expr);
    assert_eq!(shown, "author == ?11 || comments.exists(x1, x1.author == ?11) || owner == ?12");
    let shown = World::new().show(&map_bound(&expr, &mut |bound| bound - 10));
    assert_eq!(shown, "author == ?1 || comments.exists(x1, x1.author == ?1) || owner == ?2");
}

#[test]
fn a_guarded_link_leads_nowhere_where_its_guard_does_not_hold() {
    let compiled = compiled("category.slug == 'core' || comments.exists(c, true) || category == 'core'", &Type::Bool)
        .expect("compiles");
    assert!(!compiled.expr.may_error);
    let no = std::sync::Arc::new(Expr::bool(false, crate::Span::default()));
    let guarded = with_guards(&compiled.expr, &mut |_, _, _| Some(no.clone()));
    assert!(guarded.may_error);
    let eval = |expr: &Expr, row: &Row| crate::eval(expr, &World::new(), row, &[]);
    let row = Row::post().list("comments", vec![Row::default()]);
    assert_eq!(eval(&guarded, &row), Ok(Value::Bool(true)), "its own stored key is not guarded");
    let Node::Or(terms) = &guarded.node else { panic!("no alternatives") };
    assert_eq!(eval(&terms[0], &row), Err(crate::EvalError::Link));
    assert_eq!(eval(&terms[1], &row), Ok(Value::Bool(false)));
    let bound = std::sync::Arc::new(Expr { node: Node::Bound(0), ..Expr::bool(true, crate::Span::default()) });
    let guarded = with_guards(&compiled.expr, &mut |_, _, _| Some(bound.clone()));
    let mut met = Vec::new();
    map_bound(&guarded, &mut |number| {
        met.push(number);
        number
    });
    assert_eq!(met, [0, 0], "guards are renumbered too");
}
