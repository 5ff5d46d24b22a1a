//! The part of the language that nearly every expression keeps to, read in one pass: parsing and checking ten clauses takes 14 µs so, and
//! 102 with the CEL crate's own parser. Whatever is written otherwise, is wrong or too large is left to that parser, which says what it
//! is: this one gives a tree only where it would be the same, and a test holds it to that.
use super::ast::{Ast, Kind};
use crate::{
    limits::Limits,
    tree::{Arith, CompareOp},
    types::Span,
    wire,
};

/// Parentheses, arguments and branches inside of each other.
const NESTING_MAX: usize = 32;

/// Words that are no names, and those that CEL keeps for later.
const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// The tree, where the text is as plain as that.
pub(super) fn parse(text: &str, limits: &Limits) -> Option<Ast> {
    let mut quick = Quick { text, bytes: text.as_bytes(), at: 0, nodes: 0, nesting: 0, limits };
    let part = quick.expr()?;
    quick.blank();
    (quick.at == text.len()).then_some(part.ast)
}

/// A tree and how many levels it has.
struct Part {
    ast: Ast,
    levels: usize,
}

struct Quick<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: usize,
    nesting: usize,
    limits: &'t Limits,
}

impl<'t> Quick<'t> {
    /// One node more, over parts that have so many levels.
    fn part(&mut self, kind: Kind, start: u32, end: u32, below: usize) -> Option<Part> {
        self.nodes += 1;
        let levels = below + 1;
        let fits = self.nodes <= self.limits.nodes_max && levels <= self.limits.depth_max;
        fits.then_some(Part { ast: Ast { kind, span: Span { start, end } }, levels })
    }

    fn offset(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX)
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes a sign, behind white space.
    fn takes(&mut self, sign: &str) -> bool {
        self.blank();
        let found = self.bytes[self.at..].starts_with(sign.as_bytes());
        self.at += if found { sign.len() } else { 0 };
        found
    }

    /// Takes a word; nothing where there is none.
    fn word(&mut self) -> Option<&'t str> {
        let start = self.at;
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        if !self.peek().is_some_and(is_letter) {
            return None;
        }
        while self.peek().is_some_and(|byte| is_letter(byte) || byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.text.get(start..self.at)
    }

    /// Takes the word `in`.
    fn takes_in(&mut self) -> bool {
        let start = self.at;
        let found = self.word() == Some("in");
        if !found {
            self.at = start;
        }
        found
    }

    fn expr(&mut self) -> Option<Part> {
        self.nesting += 1;
        let part = if self.nesting > NESTING_MAX { None } else { self.choice() };
        self.nesting -= 1;
        part
    }

    fn choice(&mut self) -> Option<Part> {
        let condition = self.any()?;
        if !self.takes("?") {
            return Some(condition);
        }
        let yes = self.any()?;
        let no = if self.takes(":") { self.expr()? } else { return None };
        let (start, end) = (condition.ast.span.start, no.ast.span.end);
        let below = condition.levels.max(yes.levels).max(no.levels);
        self.part(Kind::Cond(Box::new([condition.ast, yes.ast, no.ast])), start, end, below)
    }

    fn any(&mut self) -> Option<Part> {
        let first = self.all()?;
        self.chain(first, "||", Quick::all, Kind::Or, |ast| match ast.kind {
            Kind::Or(terms) => Ok(terms),
            kind => Err(Ast { kind, ..ast }),
        })
    }

    fn all(&mut self) -> Option<Part> {
        let first = self.relation()?;
        self.chain(first, "&&", Quick::relation, Kind::And, |ast| match ast.kind {
            Kind::And(terms) => Ok(terms),
            kind => Err(Ast { kind, ..ast }),
        })
    }

    /// A chain of one connective is one node; one in parentheses inside of it belongs to it.
    fn chain(
        &mut self,
        first: Part,
        sign: &str,
        next: fn(&mut Quick<'t>) -> Option<Part>,
        kind: fn(Vec<Ast>) -> Kind,
        inner: fn(Ast) -> Result<Vec<Ast>, Ast>,
    ) -> Option<Part> {
        if !self.takes(sign) {
            return Some(first);
        }
        let (start, mut end) = (first.ast.span.start, first.ast.span.end);
        let (mut terms, mut below) = (Vec::new(), 0);
        let mut part = first;
        loop {
            end = end.max(part.ast.span.end);
            match inner(part.ast) {
                Ok(inside) => {
                    self.nodes -= 1;
                    below = below.max(part.levels - 1);
                    terms.extend(inside);
                }
                Err(term) => {
                    below = below.max(part.levels);
                    terms.push(term);
                }
            }
            if terms.len() > 1 && !self.takes(sign) {
                return self.part(kind(terms), start, end, below);
            }
            part = next(self)?;
        }
    }

    fn relation(&mut self) -> Option<Part> {
        let mut left = self.sum()?;
        loop {
            let op = if self.takes("==") {
                CompareOp::Eq
            } else if self.takes("!=") {
                CompareOp::Ne
            } else if self.takes("<=") {
                CompareOp::Le
            } else if self.takes(">=") {
                CompareOp::Ge
            } else if self.takes("<") {
                CompareOp::Lt
            } else if self.takes(">") {
                CompareOp::Gt
            } else if self.takes_in() {
                let right = self.sum()?;
                left = self.pair(left, right, Kind::In)?;
                continue;
            } else {
                return Some(left);
            };
            let right = self.sum()?;
            left = self.pair(left, right, |pair| Kind::Compare(op, pair))?;
        }
    }

    fn sum(&mut self) -> Option<Part> {
        let mut left = self.product()?;
        loop {
            let op = if self.takes("+") {
                Arith::Add
            } else if self.takes("-") {
                Arith::Sub
            } else {
                return Some(left);
            };
            let right = self.product()?;
            left = self.pair(left, right, |pair| Kind::Arith(op, pair))?;
        }
    }

    fn product(&mut self) -> Option<Part> {
        let mut left = self.unary()?;
        loop {
            let op = if self.takes("*") {
                Arith::Mul
            } else if self.takes("/") {
                Arith::Div
            } else if self.takes("%") {
                Arith::Rem
            } else {
                return Some(left);
            };
            let right = self.unary()?;
            left = self.pair(left, right, |pair| Kind::Arith(op, pair))?;
        }
    }

    fn pair(&mut self, left: Part, right: Part, kind: impl FnOnce(Box<[Ast; 2]>) -> Kind) -> Option<Part> {
        let (start, end) = (left.ast.span.start, right.ast.span.end);
        self.part(kind(Box::new([left.ast, right.ast])), start, end, left.levels.max(right.levels))
    }

    fn unary(&mut self) -> Option<Part> {
        self.blank();
        let start = self.offset();
        let kind: fn(Box<Ast>) -> Kind = match self.peek()? {
            b'!' => Kind::Not,
            b'-' => Kind::Neg,
            _ => return self.member(),
        };
        let is_minus = self.peek() == Some(b'-');
        self.at += 1;
        self.blank();
        match self.peek()? {
            // Two signs are none.
            b'!' | b'-' => None,
            b'0'..=b'9' => self.negative(start).filter(|_| is_minus),
            _ => {
                let of = self.member()?;
                let end = of.ast.span.end;
                self.part(kind(Box::new(of.ast)), start, end, of.levels)
            }
        }
    }

    /// A number with a sign is one number.
    fn negative(&mut self, start: u32) -> Option<Part> {
        let mut part = self.member()?;
        part.ast.kind = match part.ast.kind {
            Kind::Int(number) if number > 0 => Kind::Int(-number),
            Kind::Float(number, written) if number > 0.0 => Kind::Float(-number, written),
            _ => return None,
        };
        part.ast.span.start = start;
        Some(part)
    }

    fn member(&mut self) -> Option<Part> {
        let mut part = self.primary()?;
        let is_number = matches!(part.ast.kind, Kind::Int(_) | Kind::Float(..));
        loop {
            self.blank();
            match self.peek() {
                Some(b'.') if !is_number => {}
                Some(b'.' | b'[' | b'{') => return None,
                _ => return Some(part),
            }
            self.at += 1;
            self.blank();
            let name = self.name()?;
            let (start, end) = (part.ast.span.start, self.offset());
            part = if self.takes("(") {
                let (args, below) = self.items(b')')?;
                let (end, below) = (self.offset(), below.max(part.levels));
                let kind = Kind::Call { target: Some(Box::new(part.ast)), name: name.to_owned(), args };
                self.part(kind, start, end, below)?
            } else {
                let below = part.levels;
                self.part(Kind::Select(Box::new(part.ast), name.to_owned()), start, end, below)?
            };
        }
    }

    fn name(&mut self) -> Option<&'t str> {
        self.word().filter(|word| RESERVED.binary_search(word).is_err())
    }

    fn primary(&mut self) -> Option<Part> {
        self.blank();
        let start = self.offset();
        match self.peek()? {
            b'(' => {
                self.at += 1;
                let inside = self.expr()?;
                self.takes(")").then_some(inside)
            }
            b'[' => {
                self.at += 1;
                let (items, below) = self.items(b']')?;
                let end = self.offset();
                self.part(Kind::List(items), start, end, below)
            }
            quote @ (b'\'' | b'"') => self.text(quote),
            b'0'..=b'9' => self.number(),
            _ => self.named(start),
        }
    }

    fn named(&mut self, start: u32) -> Option<Part> {
        let word = self.word()?;
        // Of a text with a prefix: r'…'.
        if matches!(self.peek(), Some(b'\'' | b'"')) {
            return None;
        }
        let kind = match word {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "null" => Kind::Null,
            _ if RESERVED.binary_search(&word).is_ok() => return None,
            _ => {
                let end = self.offset();
                if !self.takes("(") {
                    return self.part(Kind::Name(word.to_owned()), start, end, 0);
                }
                let (args, below) = self.items(b')')?;
                let end = self.offset();
                return self.part(Kind::Call { target: None, name: word.to_owned(), args }, start, end, below);
            }
        };
        let end = self.offset();
        self.part(kind, start, end, 0)
    }

    /// Expressions up to a bracket, and how many levels they have.
    fn items(&mut self, close: u8) -> Option<(Vec<Ast>, usize)> {
        let (mut items, mut below) = (Vec::new(), 0);
        self.blank();
        if self.peek() == Some(close) {
            self.at += 1;
            return Some((items, below));
        }
        loop {
            let part = self.expr()?;
            below = below.max(part.levels);
            items.push(part.ast);
            self.blank();
            let sign = self.peek()?;
            self.at += 1;
            match sign {
                b',' => {}
                _ if sign == close => return Some((items, below)),
                _ => return None,
            }
        }
    }

    /// A text without escapes, in one line.
    fn text(&mut self, quote: u8) -> Option<Part> {
        let start = self.at;
        let inside = &self.bytes[start + 1..];
        let length = inside.iter().position(|byte| *byte == quote || matches!(byte, b'\\' | b'\n' | b'\r' | 0))?;
        self.at = start + 1 + length + 1;
        // Two quotes and a third begin another kind of text.
        if inside[length] != quote || length == 0 && self.peek() == Some(quote) {
            return None;
        }
        let text = self.text.get(start + 1..start + 1 + length)?.to_owned();
        self.part(Kind::Text(text), u32::try_from(start).ok()?, self.offset(), 0)
    }

    /// Digits, perhaps with a fraction.
    fn number(&mut self) -> Option<Part> {
        let start = self.at;
        let digits = |quick: &mut Quick<'_>| {
            let from = quick.at;
            while quick.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                quick.at += 1;
            }
            quick.at > from
        };
        digits(self);
        let whole = self.peek() != Some(b'.');
        if !whole {
            self.at += 1;
            digits(self).then_some(())?;
        }
        if self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return None;
        }
        let text = self.text.get(start..self.at)?;
        let kind = if whole { Kind::Int(text.parse().ok()?) } else { Kind::float(wire::parse_float(text).ok()?, text) };
        self.part(kind, u32::try_from(start).ok()?, self.offset(), 0)
    }
}
