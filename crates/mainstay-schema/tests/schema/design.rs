//! The example of the design.
use crate::load;

pub(crate) const EXAMPLE: &str = r#"
extend schema @define(name: "isEditor", expr: "'editor' in auth.roles")

"A skill that a backend developer can learn."
type Skill
  @rules(read: "published || isEditor", write: "isEditor")
  @check(expr: "monthsMin == null || monthsMax == null || monthsMax >= monthsMin", message: "the longest time is below the shortest")
{
  "Part of the address of its page."
  slug: String! @unique @immutable @check(expr: "slug.matches('^[a-z0-9-]{1,60}$')", message: "small letters, digits and dashes")
  name: String! @check(expr: "size(name) <= 80")
  published: Boolean! @default(value: true)
  category: Category! @onDelete(do: RESTRICT)
  monthsMin: Int
  monthsMax: Int
  technologies: [String!]!
  requires: [Skill!]! @many                        # many to many: a real join table
  progress: [Progress!]! @inverse(field: "skill")  # the other side of Progress.skill; nothing stored
}

type Category { slug: String! @unique }

type Progress @rules(read: "owner == auth.id", write: "owner == auth.id") @unique(fields: ["owner", "skill"]) {
  owner: ID! @set(create: "auth.id")
  skill: Skill!
  percent: Int! @check(expr: "percent >= 0 && percent <= 100")
}
"#;

#[test]
fn the_example_loads() {
    let schema = load(EXAMPLE);
    let mut out = String::new();
    for of in &schema.collections {
        out += &format!("{} /api/{} {} {:?}\n", of.name, of.path, of.table, of.key);
        for field in &of.fields {
            let mark = if field.required { "!" } else { "" };
            out += &format!("  {} {}: {:?}{mark} {:?}\n", field.name, field.column, field.kind, field.length_max);
        }
        for unique in &of.uniques {
            out += &format!("  unique {:?}\n", unique.fields);
        }
        for index in &of.indexes {
            out += &format!("  index {:?} {}\n", index.fields, index.declared);
        }
        for check in &of.checks {
            out += &format!("  check {:?} {:?} {}\n", check.field, check.reads, check.message);
        }
    }
    insta::assert_snapshot!(out, @r#"
    Skill /api/skills skills Uuid
      id id: Scalar(Uuid)! None
      slug slug: Scalar(String)! Some(255)
      name name: Scalar(String)! Some(80)
      published published: Scalar(Boolean)! None
      category category: ToOne { target: CollectionId(1), on_delete: Restrict }! None
      monthsMin months_min: Scalar(Int) None
      monthsMax months_max: Scalar(Int) None
      technologies technologies: ScalarList(String)! None
      requires : Many { target: CollectionId(0), table: "skills_requires" }! None
      progress : Inverse { target: CollectionId(2), field: FieldId(2) }! None
      createdAt created_at: Scalar(DateTime)! None
      updatedAt updated_at: Scalar(DateTime)! None
      version version: Scalar(Int)! None
      unique [FieldId(1)]
      index [FieldId(4)] false
      check None [FieldId(5), FieldId(6)] the longest time is below the shortest
      check Some(FieldId(1)) [FieldId(1)] small letters, digits and dashes
      check Some(FieldId(2)) [FieldId(2)] does not satisfy size(name) <= 80
    Category /api/categories categories Uuid
      id id: Scalar(Uuid)! None
      slug slug: Scalar(String)! Some(255)
      createdAt created_at: Scalar(DateTime)! None
      updatedAt updated_at: Scalar(DateTime)! None
      version version: Scalar(Int)! None
      unique [FieldId(1)]
    Progress /api/progresses progresses Uuid
      id id: Scalar(Uuid)! None
      owner owner: Scalar(Id)! Some(255)
      skill skill: ToOne { target: CollectionId(0), on_delete: Restrict }! None
      percent percent: Scalar(Int)! None
      createdAt created_at: Scalar(DateTime)! None
      updatedAt updated_at: Scalar(DateTime)! None
      version version: Scalar(Int)! None
      unique [FieldId(1), FieldId(2)]
      index [FieldId(2)] false
      check Some(FieldId(3)) [FieldId(3)] does not satisfy percent >= 0 && percent <= 100
    "#);
    assert_eq!(schema.fingerprint, load(EXAMPLE).fingerprint);
}

/// A part of everything that the language has.
const WIDE: &str = r#"
extend schema
  @claim(name: "org", type: UUID)
  @define(name: "isEditor", expr: "'editor' in auth.roles")
  @define(name: "mine", expr: "isEditor || auth.claims.org != null")

"An organisation."
type Org @path(name: "organisations") @rules(read: "isMember", list: "auth != null", write: "isEditor", delete: "false")
  @define(name: "isMember", expr: "members.exists(m, m.user == auth.id)") {
  id: String! @check(expr: "id != 'new'", message: "not new", code: "prefix")
  members: [Member!]! @inverse(field: "org")
  parent: Org
  children: [Org!]! @inverse(field: "parent")
}

type Member @rules(read: "org.isMember", write: "user == auth.id") @index(fields: ["role", "since"]) {
  id: Long!
  org: Org! @onDelete(do: CASCADE)
  user: ID! @set(create: "auth.id")
  role: Role! @default(value: reader)
  since: DateTime! @default(expr: "request.time")
  seen: DateTime @set(write: "request.time")
  tag: String @index @check(expr: """size(tag) < 9 && tag.matches('^\\w+$')""", message: "a short word")
  mail: Email @unique
  home: Address
  size2: Decimal! @decimal(precision: 4, scale: 1) @default(value: 1.5)
  inviter: Member @onDelete(do: SET_NULL)
}

type Address @embedded { street: String! lines: [String!] }

enum Role { reader writer }
extend enum Role { owner }
extend type Org { "The name." title: String @check(expr: "title != ''") @check(expr: "size(title) <= 60") }
"#;

#[test]
fn everything_together_loads() {
    let schema = load(WIDE);
    let org = schema.collection(schema.by_path["organisations"]);
    let member = schema.collection(schema.by_name["Member"]);
    assert_eq!((org.key, member.key), (mainstay_schema::KeyKind::String, mainstay_schema::KeyKind::Int));
    assert_eq!(org.field_named("title").unwrap().doc.as_deref(), Some("The name."));
    assert_eq!(org.doc.as_deref(), Some("An organisation."));
    assert_eq!(schema.enums[0].values, ["reader", "writer", "owner"]);
    assert!(org.rules.create.is_some() && org.rules.list.is_some() && org.rules.delete != org.rules.update);
    let lengths: Vec<_> = (member.fields.iter().chain(&org.fields))
        .filter_map(|field| Some((field.name.as_str(), field.length_max?)))
        .collect();
    let expected = [("user", 255), ("tag", 8), ("mail", 320), ("id", 255), ("title", 60)];
    assert_eq!(lengths, expected);
    let names = |fields: &[mainstay_schema::FieldId]| {
        fields.iter().map(|id| member.field(*id).name.as_str()).collect::<Vec<_>>().join(",")
    };
    let indexes: Vec<_> = member.indexes.iter().map(|index| (names(&index.fields), index.declared)).collect();
    let expected = [("role,since", true), ("tag", true), ("org", false), ("user", false), ("inviter", false)];
    assert_eq!(indexes, expected.map(|(fields, declared)| (fields.to_owned(), declared)));
    let check = &org.checks[0];
    assert_eq!((check.code.as_deref(), check.reads.as_slice()), (Some("prefix"), &[mainstay_schema::FieldId(0)][..]));
    assert!(member.field_named("seen").unwrap().read_only());
}

#[test]
fn an_empty_schema_is_one() {
    assert!(load("").collections.is_empty());
    assert!(load("# nothing yet\n").collections.is_empty());
}

#[test]
fn the_skill_map_loads() {
    let schema = load(include_str!("../../../../examples/skillmap/schema.graphql"));
    assert!(schema.by_path.contains_key("skills"));
}
