//! The schemas: `~` stands where a field may be required or not.
use mainstay_schema::Schema;

use super::bytes::Bytes;
use crate::world::load;

/// Links of every kind, keys of every kind, an embedded value in another.
const POSTS: &str = r#"
enum Status { OPEN CLOSED MERGED }

type Place @embedded { city: String~ zip: Int~ open: Boolean~ }

type Address @embedded {
  street: String~
  place: Place~
  since: DateTime~
  price: Decimal~ @decimal(precision: 12, scale: 2)
  lines: [String!]~
  status: Status~
}

type Org { name: String~ rank: Long~ open: Boolean~ members: [Member!]! @inverse(field: "org") }

type Member {
  id: Int!
  org: Org~
  chief: Member
  name: String~
  score: Int~
  address: Address~
  owner: ID~
  posts: [Post!]! @inverse(field: "author")
  juniors: [Member!]! @inverse(field: "chief")
}

type Tag { id: String! label: String~ weight: Float~ }

type Post {
  author: Member~
  org: Org~
  title: String~
  status: Status~
  words: [String!]~
  states: [Status!]~
  published: Boolean~
  likes: Int~
  owner: ID~
  tags: [Tag!]! @many
}
"#;

/// Numbers of every kind.
const NUMBERS: &str = r#"
type Scale { id: String! unit: String~ factor: Decimal~ @decimal(precision: 18, scale: 6) measures: [Measure!]! @inverse(field: "scale") }

type Measure {
  scale: Scale~
  parent: Measure
  small: Int~
  other: Int~
  big: Long~
  ratio: Float~
  share: Float~
  price: Decimal~ @decimal(precision: 12, scale: 2)
  whole: Decimal~ @decimal(precision: 18, scale: 0)
  fine: Decimal~ @decimal(precision: 18, scale: 17)
  good: Boolean~
  ints: [Int!]~
  bigs: [Long!]~
  floats: [Float!]~
  prices: [Decimal!]~ @decimal(precision: 12, scale: 2)
  flags: [Boolean!]~
  parts: [Measure!]! @inverse(field: "parent")
}
"#;

/// Times, ids, bytes.
const TIMES: &str = r#"
type Room { name: String~ ref: UUID~ opens: Time~ built: Date~ key: Bytes~ events: [Event!]! @inverse(field: "room") }

type Span @embedded { from: DateTime~ till: DateTime~ day: Date~ at: Time~ ref: UUID~ raw: Bytes~ days: [Date!]~ }

type Event {
  id: Int!
  room: Room~
  before: Event
  starts: DateTime~
  ends: DateTime~
  day: Date~
  at: Time~
  ref: UUID~
  raw: Bytes~
  meta: JSON~
  span: Span~
  moments: [DateTime!]~
  days: [Date!]~
  hours: [Time!]~
  refs: [UUID!]~
  raws: [Bytes!]~
  spans: [Span!]~
  rooms: [Room!]! @many
  seen: [Event!]! @many
}
"#;

/// A long way of links, and back.
const LINKS: &str = r#"
type A { flag: Boolean~ number: Int~ text: String~ bs: [B!]! @inverse(field: "a") }
type B { id: String! a: A~ flag: Boolean~ number: Int~ text: String~ twin: B cs: [C!]! @inverse(field: "b") others: [A!]! @many }
type C { id: Int! b: B~ a: A~ flag: Boolean~ number: Int~ text: String~ ds: [D!]! @inverse(field: "c") }
type D { c: C~ flag: Boolean~ number: Int~ texts: [String!]~ up: D friends: [D!]! @many all: [C!]! @many }
"#;

const SCHEMAS: [&str; 4] = [LINKS, POSTS, NUMBERS, TIMES];

/// One of them, its fields required or not at random.
pub(crate) fn schema(bytes: &mut Bytes<'_>) -> Schema {
    let text = bytes.one_of(&SCHEMAS);
    let mut sdl = String::from("extend schema @claim(name: \"org\", type: UUID) @claim(name: \"level\", type: Int)\n");
    for char in text.chars() {
        match char {
            // Twice of three times it may be null.
            '~' if bytes.rarely(3) => sdl.push('!'),
            '~' => {}
            char => sdl.push(char),
        }
    }
    load(&sdl)
}
