//! The example, asked through the API; every answer is compared with what its JSON file says.
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Project, Server, facts};

/// The facts, by themselves.
struct Facts {
    categories: Vec<Value>,
    skills: Vec<Value>,
}

impl Facts {
    fn read() -> Facts {
        let facts = facts();
        let list = |name: &str| facts[name].as_array().unwrap().clone();
        Facts { categories: list("categories"), skills: list("skills") }
    }

    fn skill(&self, slug: &str) -> &Value {
        self.skills.iter().find(|skill| skill["slug"] == slug).unwrap()
    }

    fn category(&self, slug: &Value) -> &Value {
        self.categories.iter().find(|category| category["slug"] == *slug).unwrap()
    }

    /// The skills that it is true of, sorted by a text of theirs.
    fn sorted(&self, by: &str, filter: impl Fn(&&Value) -> bool) -> Vec<&Value> {
        let mut skills: Vec<&Value> = self.skills.iter().filter(filter).collect();
        skills.sort_by_key(|skill| text(&skill[by]));
        skills
    }

    /// `[{"slug": …}, …]` of these, by slug.
    fn slugs(&self, filter: impl Fn(&&Value) -> bool) -> Value {
        self.sorted("slug", filter).iter().map(|skill| json!({"slug": skill["slug"]})).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64()
}

fn needs(skill: &Value) -> Vec<String> {
    let mut needs: Vec<String> = skill["requires"].as_array().unwrap().iter().map(text).collect();
    needs.sort();
    needs
}

/// The items of a page.
async fn ask(server: &Server, path: &str, query: &[(&str, &str)]) -> Value {
    let query = [query, &[("limit", "1000")]].concat();
    let (status, page) = server.get(path, &query, None).await;
    assert_eq!(status, StatusCode::OK, "{path} {query:?}: {page}");
    page["items"].clone()
}

/// The slugs of the skills of a filter.
async fn filtered(server: &Server, filter: &str) -> Value {
    ask(server, "/api/skills", &[("filter", filter), ("fields", "slug"), ("sort", "slug")]).await
}

#[tokio::test]
async fn twenty_questions_are_answered_as_the_file_does() {
    let project = Project::skillmap();
    let server = project.start(&["dev"]);
    let facts = Facts::read();
    counts(&server, &facts).await;
    orders(&server, &facts).await;
    filters(&server, &facts).await;
    quantifiers(&server, &facts).await;
    selections(&server, &facts).await;
    categories(&server, &facts).await;
    pages(&server, &facts).await;
}

/// Questions 1 to 2.
async fn counts(server: &Server, facts: &Facts) {
    for (path, count) in [("/api/skills", facts.skills.len()), ("/api/categories", facts.categories.len())] {
        let (_, page) = server.get(path, &[("count", "true"), ("limit", "1")], None).await;
        assert_eq!(page["count"], count, "{path}");
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
    }
}

/// Questions 3 to 5.
async fn orders(server: &Server, facts: &Facts) {
    let by_name = ask(server, "/api/skills", &[("sort", "name"), ("fields", "name")]).await;
    let expected: Value = facts.sorted("name", |_| true).iter().map(|skill| json!({"name": skill["name"]})).collect();
    assert_eq!(by_name, expected);
    let longest = ask(server, "/api/skills", &[("sort", "-monthsMax,slug"), ("fields", "slug,monthsMax")]).await;
    let mut skills = facts.sorted("slug", |_| true);
    skills.sort_by_key(|skill| std::cmp::Reverse(number(&skill["months_max"])));
    let expected: Value =
        skills.iter().map(|skill| json!({"slug": skill["slug"], "monthsMax": skill["months_max"]})).collect();
    assert_eq!(longest, expected, "null is below everything, so the last here");
    let along = ask(server, "/api/skills", &[("sort", "category.position,slug"), ("fields", "slug")]).await;
    let mut skills = facts.sorted("slug", |_| true);
    skills.sort_by_key(|skill| number(&facts.category(&skill["category"])["position"]));
    let expected: Value = skills.iter().map(|skill| json!({"slug": skill["slug"]})).collect();
    assert_eq!(along, expected);
}

/// Questions 6 to 12.
async fn filters(server: &Server, facts: &Facts) {
    let months = |skill: &Value| (number(&skill["months_min"]), number(&skill["months_max"]));
    assert_eq!(filtered(server, "category.slug == 'core'").await, facts.slugs(|skill| skill["category"] == "core"));
    assert_eq!(filtered(server, "monthsMin == null").await, facts.slugs(|skill| months(skill).0.is_none()));
    assert_eq!(
        filtered(server, "monthsMin >= 3").await,
        facts.slugs(|skill| months(skill).0.is_some_and(|min| min >= 3))
    );
    let not_long = facts.slugs(|skill| months(skill).0.is_some_and(|min| min <= 2));
    assert_eq!(filtered(server, "!(monthsMin > 2)").await, not_long, "of null neither is true");
    let quick = facts.slugs(|skill| months(skill) == (Some(1), Some(2)));
    assert_eq!(filtered(server, "monthsMin == 1 && monthsMax == 2").await, quick);
    let starts = facts.slugs(|skill| text(&skill["slug"]).starts_with("co") || text(&skill["name"]).ends_with("s"));
    assert_eq!(filtered(server, "slug.startsWith('co') || name.endsWith('s')").await, starts);
    let query = [("filter", "practice.contains(p.word)"), ("p.word", "without"), ("fields", "slug"), ("sort", "slug")];
    let holding = facts.slugs(|skill| text(&skill["practice"]).contains("without"));
    assert_eq!(ask(server, "/api/skills", &query).await, holding);
    assert!(!holding.as_array().unwrap().is_empty());
}

/// Questions 13 to 16.
async fn quantifiers(server: &Server, facts: &Facts) {
    let kafka = facts.slugs(|skill| skill["technologies"].as_array().unwrap().contains(&json!("Kafka")));
    assert_eq!(filtered(server, "'Kafka' in technologies").await, kafka);
    let after = facts.slugs(|skill| needs(skill).contains(&"databases".to_owned()));
    assert_eq!(filtered(server, "requires.exists(r, r.slug == 'databases')").await, after);
    assert_eq!(filtered(server, "size(requires) >= 2").await, facts.slugs(|skill| needs(skill).len() >= 2));
    let core = |slug: &String| facts.skill(slug)["category"] == "core";
    let after_core = facts.slugs(|skill| !needs(skill).is_empty() && needs(skill).iter().all(core));
    let filter = "size(requires) > 0 && requires.all(r, r.category.slug == 'core')";
    assert_eq!(filtered(server, filter).await, after_core);
}

/// Questions 17 to 19.
async fn selections(server: &Server, facts: &Facts) {
    let fields = ("fields", "name,technologies,category(name),requires(slug;sort:slug)");
    let (status, skill) = server.get("/api/skills/by/slug/microservices", &[fields], None).await;
    assert_eq!(status, StatusCode::OK);
    let fact = facts.skill("microservices");
    let requires: Value = needs(fact).iter().map(|slug| json!({ "slug": slug })).collect();
    let category = json!({"name": facts.category(&fact["category"])["name"]});
    let expected =
        json!({"name": fact["name"], "technologies": fact["technologies"], "category": category, "requires": requires});
    assert_eq!(skill, expected);

    let sizes = ask(server, "/api/skills", &[("fields", "slug,n:size(requires)"), ("sort", "slug")]).await;
    let expected: Value = facts
        .sorted("slug", |_| true)
        .iter()
        .map(|skill| json!({"slug": skill["slug"], "n": needs(skill).len()}))
        .collect();
    assert_eq!(sizes, expected);

    let fields = ("fields", "requires(slug,before:requires(slug;sort:slug);sort:slug)");
    let (_, skill) = server.get("/api/skills/by/slug/distributed-systems", &[fields], None).await;
    let before =
        |slug: &String| -> Value { needs(facts.skill(slug)).iter().map(|slug| json!({ "slug": slug })).collect() };
    let two_deep: Value = needs(facts.skill("distributed-systems"))
        .iter()
        .map(|slug| json!({"slug": slug, "before": before(slug)}))
        .collect();
    assert_eq!(skill, json!({ "requires": two_deep }));
}

/// Questions 20 to 21.
async fn categories(server: &Server, facts: &Facts) {
    let query = [("sort", "position"), ("fields", "slug,n:size(skills),first:skills(name;sort:name;limit:3)")];
    let categories = ask(server, "/api/categories", &query).await;
    let expected: Value = facts
        .categories
        .iter()
        .map(|category| {
            let skills = facts.sorted("name", |skill| skill["category"] == category["slug"]);
            let first: Vec<Value> = skills.iter().take(3).map(|skill| json!({"name": skill["name"]})).collect();
            json!({"slug": category["slug"], "n": skills.len(), "first": first})
        })
        .collect();
    assert_eq!(categories, expected);
    let (status, _) = server.get("/api/skills/by/slug/alchemy", &[], None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// Question 22: page by page it is the same as at once.
async fn pages(server: &Server, facts: &Facts) {
    let query = [("sort", "-monthsMin,name"), ("fields", "slug")];
    let at_once = ask(server, "/api/skills", &query).await;
    let mut pages = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = [&query[..], &[("limit", "7")]].concat();
        if let Some(after) = &after {
            query.push(("after", after));
        }
        let (_, page) = server.get("/api/skills", &query, None).await;
        pages.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!((Value::from(pages), facts.skills.len()), (at_once, 32));
}
