//! Questions about a tree: what it reads, whether SQL can say it.
use crate::{
    tree::{Caller, CompareOp, Compiled, Expr, Function, NEW, Node, OLD, Reduction, Slot, THIS},
    types::{Symbol, Type},
};

/// The own fields of [`THIS`] that are read directly, each once, in order of symbol; own link keys too, also of links that
/// are followed.
pub fn fields_read(expr: &Expr) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    expr.any(&mut |part| {
        if let Node::Field { of, symbol } | Node::Link { of, symbol, .. } = &part.node
            && of.node == Node::Var(THIS)
        {
            symbols.push(*symbol);
        }
        false
    });
    symbols.sort_unstable();
    symbols.dedup();
    symbols
}

/// Whether nothing but fields of the record itself is read: no link is followed.
pub fn own_fields_only(expr: &Expr) -> bool {
    !expr.any(&mut |part| matches!(part.node, Node::Link { .. } | Node::Links { .. }))
}

/// Whether the record itself is read, or what its links lead to.
pub fn reads_record(expr: &Expr) -> bool {
    expr.any(&mut |part| part.node == Node::Var(THIS))
}

/// Whether `old` or `new` is read.
pub fn reads_change(expr: &Expr) -> bool {
    expr.any(&mut |part| matches!(part.node, Node::Var(OLD | NEW)))
}

/// The own fields that are compared for equality with a part of the caller that reads `auth`: worth an index. Each once, in
/// order of symbol.
pub fn equality_fields(compiled: &Compiled) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    let mut note = |field: &Expr, other: &Expr| {
        if let (Node::Field { of, symbol }, Node::Slot(number)) = (&field.node, &other.node)
            && of.node == Node::Var(THIS)
            && compiled.slots.get(usize::from(*number)).is_some_and(reads_auth)
        {
            symbols.push(*symbol);
        }
    };
    compiled.expr.any(&mut |part| {
        match &part.node {
            Node::Compare(CompareOp::Eq, a, b) => {
                note(a, b);
                note(b, a);
            }
            Node::In(item, list) => note(item, list),
            _ => {}
        }
        false
    });
    symbols.sort_unstable();
    symbols.dedup();
    symbols
}

fn reads_auth(slot: &Slot) -> bool {
    slot.expr.any(&mut |part| matches!(part.node, Node::Caller(Caller::Id | Caller::Roles | Caller::Claim(_))))
}

/// The first part, guards included, that SQL cannot say with one meaning on every engine; `None` when all can be rendered.
pub fn in_memory_only(expr: &Expr) -> Option<&Expr> {
    let here = match &expr.node {
        Node::Call(function, args) => {
            let of_text = args.first().is_some_and(|arg| arg.ty == Type::String);
            match function {
                Function::Size | Function::Contains | Function::StartsWith | Function::EndsWith | Function::Part(_) => {
                    false
                }
                Function::ToInt | Function::ToFloat => of_text,
                Function::Matches
                | Function::LowerAscii
                | Function::UpperAscii
                | Function::Trim
                | Function::Timestamp
                | Function::Duration
                | Function::ToString => true,
            }
        }
        // Floats add up differently in another order, and lists that are written out are no rows.
        Node::Reduce { kind: Reduction::Sum | Reduction::Avg, body, .. } if body.ty == Type::Float => true,
        Node::Reduce { over, .. } => over.any_element(|element| !matches!(element.node, Node::Literal(_))),
        _ => false,
    };
    if here {
        return Some(expr);
    }
    let guard = match &expr.node {
        Node::Link { guard, .. } | Node::Links { guard, .. } => guard.as_deref(),
        _ => None,
    };
    guard.and_then(in_memory_only).or_else(|| expr.parts().into_iter().find_map(in_memory_only))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{World, compiled};

    /// What `ask` says of the expression.
    fn check(text: &str, ask: fn(&Compiled) -> Vec<Symbol>, expected: &[&str]) {
        let compiled = compiled(text, &Type::Bool).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        let found: Vec<&str> = ask(&compiled).into_iter().map(|symbol| World::new().name(symbol)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn own_fields_that_are_read() {
        let ask = |compiled: &Compiled| fields_read(&compiled.expr);
        check("title == owner || views > views", ask, &["title", "views", "owner"]);
        check("author.name == 'a' && comments.exists(c, c.text == title)", ask, &["title", "author"]);
        check("author == auth.id", ask, &["author"]);
        check("address.city == 'a'", ask, &["address"]);
        let own = |text: &str| own_fields_only(&compiled(text, &Type::Bool).expect("compiles").expr);
        assert!(own("title == 'a' && author == auth.id && address.city == 'b'"));
        assert!(!own("author.name == 'a'"));
        assert!(!own("size(comments) > 1"));
    }

    #[test]
    fn fields_that_callers_are_looked_up_by() {
        check("author == auth.id || auth.id == owner", equality_fields, &["owner", "author"]);
        check("title in auth.roles || owner == auth.claims.plan", equality_fields, &["title", "owner"]);
        check("title == request.host || owner != auth.id || title == 'a'", equality_fields, &[]);
    }

    #[test]
    fn what_sql_cannot_say() {
        let check = |text: &str, expected: Option<&str>| {
            let compiled = compiled(text, &Type::Bool).expect("compiles");
            let found = in_memory_only(&compiled.expr).map(|part| World::new().show(part));
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("title.contains('a') && size(tags) > 1 && int(price) > 2 && address.city == 'a'", None);
        check("published || title.trim().matches('a')", Some("title.trim().matches('a')"));
        check("author.name.lowerAscii() == 'a'", Some("author.name.lowerAscii()"));
        check("int(title) == 1", Some("int(title)"));
        check("auth.id.matches('a')", None);
    }
}
