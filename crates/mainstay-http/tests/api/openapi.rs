//! `/openapi.json`: a description that other tools can read and that is true.
use std::collections::HashSet;

use insta::assert_snapshot;
use mainstay_testing::TestApp;
use serde_json::Value as Json;

use crate::{SKILLS, skills};

async fn document(sdl: &str) -> (String, Json) {
    let app = TestApp::with_schema(sdl).await;
    let reply = app.get("/openapi.json").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    (reply.text.clone(), reply.json())
}

#[tokio::test]
async fn it_is_openapi_3_1() {
    let (text, _) = document(SKILLS).await;
    let spec = oas3::from_json(&text).expect("a valid document");
    assert_eq!(spec.openapi, "3.1.0");
    let ids: Vec<String> = spec.operations().filter_map(|(_, _, operation)| operation.operation_id.clone()).collect();
    assert_snapshot!(ids.join(" "), @"listCategories createCategory deleteCategories updateCategories getCategory deleteCategory updateCategory getCategoryBySlug deleteCategoryBySlug updateCategoryBySlug listSkills createSkill deleteSkills updateSkills getSkill deleteSkill updateSkill getSkillBySlug deleteSkillBySlug updateSkillBySlug listProgresses createProgress deleteProgresses updateProgresses getProgress deleteProgress updateProgress getProgressByOwnerAndSkill deleteProgressByOwnerAndSkill updateProgressByOwnerAndSkill query changes batch");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "operation ids are unique");
}

#[tokio::test]
async fn it_is_the_same_every_time() {
    assert_eq!(document(SKILLS).await.0, document(SKILLS).await.0);
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let (_, json) = document(SKILLS).await;
    let mut references = Vec::new();
    collect(&json, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(json.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(json: &Json, out: &mut Vec<String>) {
    match json {
        Json::Object(members) => {
            out.extend(members.get("$ref").and_then(Json::as_str).map(str::to_owned));
            members.values().for_each(|value| collect(value, out));
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, out)),
        _ => {}
    }
}

#[tokio::test]
async fn fields_have_their_limits() {
    let (_, json) = document(SKILLS).await;
    let schemas = &json["components"]["schemas"];
    assert_snapshot!(schemas["SkillCreate"], @r##"{"type":"object","properties":{"id":{"type":"string","format":"uuid"},"slug":{"type":"string","maxLength":255,"pattern":"^[a-z0-9-]{1,60}$"},"name":{"type":"string","maxLength":80,"pattern":"^[^\\u0000]*$"},"published":{"type":"boolean","description":"By default true."},"level":{"oneOf":[{"$ref":"#/components/schemas/Level"},{"type":"null"}]},"category":{"$ref":"#/components/schemas/CategoryLinkOrNew"},"monthsMin":{"type":["integer","null"],"format":"int32","minimum":-2147483648,"maximum":2147483647},"monthsMax":{"type":["integer","null"],"format":"int32","minimum":-2147483648,"maximum":2147483647},"technologies":{"type":"array","items":{"type":"string","pattern":"^[^\\u0000]*$"},"maxItems":10000},"requires":{"type":"array","items":{"$ref":"#/components/schemas/SkillLinkOrNew"},"maxItems":1000},"progress":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string","format":"uuid"},"percent":{"type":"integer","format":"int32","minimum":0,"maximum":100}},"required":["percent"],"additionalProperties":false},"maxItems":999}},"required":["slug","name","category","technologies"],"additionalProperties":false,"description":"A new Skill. Its links may hold the fields of records that are made with it, deeper than is described here too."}"##);
    assert_snapshot!(schemas["SkillUpdate"]["properties"], @r##"{"name":{"type":"string","maxLength":80,"pattern":"^[^\\u0000]*$"},"published":{"type":"boolean"},"level":{"oneOf":[{"$ref":"#/components/schemas/Level"},{"type":"null"}]},"category":{"$ref":"#/components/schemas/CategoryLink"},"monthsMin":{"type":["integer","null"],"format":"int32","minimum":-2147483648,"maximum":2147483647},"monthsMax":{"type":["integer","null"],"format":"int32","minimum":-2147483648,"maximum":2147483647},"technologies":{"type":"array","items":{"type":"string","pattern":"^[^\\u0000]*$"},"maxItems":10000},"requires":{"oneOf":[{"type":"array","items":{"$ref":"#/components/schemas/SkillLink"},"maxItems":1000},{"type":"object","properties":{"add":{"type":"array","items":{"$ref":"#/components/schemas/SkillLink"},"maxItems":1000},"remove":{"type":"array","items":{"$ref":"#/components/schemas/SkillLink"},"maxItems":1000}},"additionalProperties":false}]}}"##);
    assert_snapshot!(schemas["Skill"], @r##"{"type":"object","properties":{"id":{"type":"string","format":"uuid","description":"The key."},"slug":{"type":"string","maxLength":255,"pattern":"^[^\\u0000]*$"},"name":{"type":"string","maxLength":80,"pattern":"^[^\\u0000]*$"},"published":{"type":"boolean"},"level":{"oneOf":[{"$ref":"#/components/schemas/Level"},{"type":"null"}]},"category":{"type":"string","format":"uuid"},"monthsMin":{"type":["integer","null"],"format":"int32","minimum":-2147483648,"maximum":2147483647},"monthsMax":{"type":["integer","null"],"format":"int32","minimum":-2147483648,"maximum":2147483647},"technologies":{"type":"array","items":{"type":"string","pattern":"^[^\\u0000]*$"},"maxItems":10000},"createdAt":{"type":"string","format":"date-time","description":"When it was created."},"updatedAt":{"type":"string","format":"date-time","description":"When it was changed last."},"version":{"type":"integer","format":"int32","minimum":-2147483648,"maximum":2147483647,"description":"How often it was changed, its creation included."}}}"##);
    assert_snapshot!(schemas["ProgressCreate"], @r##"{"type":"object","properties":{"id":{"type":"string","format":"uuid"},"skill":{"$ref":"#/components/schemas/SkillLinkOrNew"},"percent":{"type":"integer","format":"int32","minimum":0,"maximum":100}},"required":["skill","percent"],"additionalProperties":false,"description":"A new Progress. Its links may hold the fields of records that are made with it, deeper than is described here too."}"##);
    let sort = &json["paths"]["/api/skills"]["get"]["parameters"][1]["schema"]["pattern"];
    assert_snapshot!(sort.as_str().expect("a pattern"), @r#"^-?(id|slug|name|published|level|category|monthsMin|monthsMax|createdAt|updatedAt|version|category\.(id|slug|name|createdAt|updatedAt|version))(,-?(id|slug|name|published|level|category|monthsMin|monthsMax|createdAt|updatedAt|version|category\.(id|slug|name|createdAt|updatedAt|version))){0,7}$"#);
}

#[tokio::test]
async fn words_of_the_schema_come_before_ours() {
    let schema = "type Problem { text: String! } type Skill { problem: Problem } type SkillCreate { x: Int } type Skills { x: Int }";
    let (text, json) = document(schema).await;
    assert!(json["components"]["schemas"]["Problem"]["properties"]["text"].is_object());
    let spec = oas3::from_json(&text).expect("a valid document");
    let ids: Vec<String> = spec.operations().filter_map(|(_, _, operation)| operation.operation_id.clone()).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{ids:?}");
}

#[tokio::test]
async fn answers_have_a_status_that_is_described() {
    let app = skills().await;
    let json = app.get("/openapi.json").await.json();
    let statuses = |path: &str, method: &str| -> Vec<String> {
        json["paths"][path][method]["responses"].as_object().expect("answers").keys().cloned().collect()
    };
    assert_snapshot!(statuses("/api/skills", "get").join(" "), @"200 304 400 401 403 404 500 503");
    assert_snapshot!(statuses("/api/skills", "post").join(" "), @"200 201 400 401 403 408 409 413 415 422 500 503 507");
    assert_snapshot!(statuses("/api/skills/{id}", "patch").join(" "), @"200 204 400 401 403 404 408 409 412 413 415 422 500 503 507");
    assert_snapshot!(statuses("/api/skills/{id}", "delete").join(" "), @"204 400 401 403 404 409 412 500 503 507");
    assert!(json["paths"]["/api/progress/by/owner,skill/{owner},{skill}"]["get"].is_object());
}

#[tokio::test]
async fn what_is_a_text_may_be_sent_as_a_whole_number_within_its_range() {
    let schema = "type Stock { id: Int! code: Long amount: Decimal @decimal(precision: 5, scale: 2) other: Stock }";
    let (_, json) = document(schema).await;
    let schemas = &json["components"]["schemas"];
    let update = &schemas["StockUpdate"]["properties"];
    assert_snapshot!(update["amount"], @r##"{"type":["string","integer","null"],"minimum":-999,"maximum":999,"pattern":"^-?0*[0-9]{1,3}(\\.[0-9]{1,2})?$"}"##);
    let other = schemas["StockLink"].to_string();
    assert!(other.contains("\"integer\""), "{other}");
    let answered = &schemas["Stock"]["properties"]["other"];
    assert!(!answered.to_string().contains("integer"), "{answered}");
    let filter = &json["paths"]["/api/stocks"]["get"]["parameters"][0]["schema"]["items"]["pattern"];
    let pattern = filter.as_str().expect("a pattern");
    assert!(pattern.contains("code"), "{pattern}");
    assert!(!pattern.contains("|id") && !pattern.contains("(id"), "{pattern}");
}

#[tokio::test]
async fn bounds_of_decimals_are_described_and_operations_have_titles() {
    let schema = r#"
      type Skill {
        slug: String! @unique
        "What it costs."
        price: Decimal! @decimal(precision: 5, scale: 2) @check(expr: "price > 0 && price <= 99.5")
      }"#;
    let (_, json) = document(schema).await;
    let schemas = &json["components"]["schemas"];
    for input in ["SkillCreate", "SkillUpdate"] {
        let price = schemas[input]["properties"]["price"].to_string();
        assert!(price.contains(r#""description":"What it costs. More than 0.00. At most 99.50.""#), "{price}");
    }
    let operations = schemas["BatchOperation"]["anyOf"].as_array().expect("operations");
    let titles: Vec<&str> = operations.iter().filter_map(|operation| operation["title"].as_str()).collect();
    assert_snapshot!(titles.join(" "), @"CreateSkillOperation UpdateSkillOperation DeleteSkillOperation UpsertSkillOperation UpdateSkillByOperation DeleteSkillByOperation");
}
