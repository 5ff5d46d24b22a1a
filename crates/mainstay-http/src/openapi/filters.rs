//! What a description can say of filters: single comparisons of own fields. The whole language is beyond a pattern.
use mainstay_schema::{Collection, Field, FieldKind, Scalar, Schema};

const ORDERED: &str = "(==|!=|<|<=|>|>=)";
const TEXT: &str = "'[^'\\\\\\u0000-\\u001f]{0,60}'";
const NUMBER: &str = "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,3})?";
const WHOLE: &str = "-?(0|[1-9][0-9]{0,8})";
const MOMENT: &str = "timestamp\\('[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])\
    T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z'\\)";

/// The pattern of the simplest filters: a constant, or one field and one constant.
pub(super) fn pattern(schema: &Schema, collection: &Collection) -> String {
    let mut kinds = vec!["true|false|null".to_owned()];
    let names = |wanted: &dyn Fn(Scalar) -> bool| {
        // A key is a link to its own record: it has no order, and no parts.
        let has = |field: &&Field| {
            let key = field.system && field.name == "id";
            !key && !field.hidden && matches!(field.kind, FieldKind::Scalar(scalar) if wanted(scalar))
        };
        let names: Vec<&str> = collection.fields.iter().filter(has).map(|field| &*field.name).collect();
        (!names.is_empty()).then(|| names.join("|"))
    };
    if let Some(names) = names(&|scalar| matches!(scalar, Scalar::String | Scalar::Id)) {
        kinds.push(format!("({names}) {ORDERED} {TEXT}"));
        kinds.push(format!("({names})\\.(contains|startsWith|endsWith)\\({TEXT}\\)"));
    }
    if let Some(names) = names(&|scalar| matches!(scalar, Scalar::Int | Scalar::Long)) {
        kinds.push(format!("({names}) {ORDERED} {WHOLE}"));
    }
    if let Some(names) = names(&|scalar| scalar == Scalar::Float) {
        kinds.push(format!("({names}) {ORDERED} {NUMBER}"));
    }
    if let Some(names) = names(&|scalar| scalar == Scalar::Boolean) {
        kinds.push(format!("!?({names})|({names}) (==|!=) (true|false)"));
    }
    if let Some(names) = names(&|scalar| scalar == Scalar::DateTime) {
        kinds.push(format!("({names}) {ORDERED} {MOMENT}"));
    }
    for field in collection.fields.iter().filter(|field| !field.hidden) {
        if let FieldKind::Enum(of) = field.kind {
            let values = schema.enums[of.0 as usize].values.join("|");
            kinds.push(format!("{} (==|!=) '({values})'", field.name));
        }
    }
    if let Some(names) = names(&|scalar| scalar != Scalar::Json) {
        kinds.push(format!("({names}) (==|!=) null"));
    }
    format!("^({})$", kinds.join("|"))
}
