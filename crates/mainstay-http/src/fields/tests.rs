//! What `fields` and `sort` mean, and how errors point at the place.
use super::*;

fn check(text: &str, expected: &str) {
    let found = match parse_fields(text, &Limits::default()) {
        Ok(selection) => show(&selection),
        Err(problem) => format!("{} {}", problem.detail, problem.hint.unwrap_or_default()).trim_end().to_owned(),
    };
    assert_eq!(found, expected, "{text}");
}

fn show(selection: &Selection) -> String {
    let parts: Vec<String> = selection.parts.iter().map(show_part).collect();
    parts.join(" ")
}

fn show_part(part: &Select) -> String {
    let named = |alias: &Option<String>, rest: String| match alias {
        Some(alias) => format!("{alias}={rest}"),
        None => rest,
    };
    match part {
        Select::All => "*".into(),
        Select::Field { alias, name } => named(alias, name.clone()),
        Select::Figure { alias, aggregate, path, filter } => {
            let kind = if *aggregate == Aggregate::Count { String::new() } else { format!("{aggregate:?}") };
            let filter: String = filter.iter().map(|filter| format!(" where «{filter}»")).collect();
            named(alias, format!("{kind}#{}{filter}", path.join(".")))
        }
        Select::Link { alias, name, nested } => {
            let mut inner = show(&nested.selection);
            if let Some(limit) = nested.limit {
                inner += &format!(" limit {limit}");
            }
            if !nested.sort.is_empty() {
                inner += &format!(" sort {}", show_sort(&nested.sort));
            }
            for filter in &nested.filter {
                inner += &format!(" where «{filter}»");
            }
            named(alias, format!("{name}<{inner}>"))
        }
    }
}

fn show_sort(keys: &[Sort]) -> String {
    let keys: Vec<String> =
        keys.iter().map(|key| format!("{}{}", if key.descending { "-" } else { "" }, key.path.join("."))).collect();
    keys.join(",")
}

#[test]
fn selections() {
    check("*", "*");
    check("name,b:size(progress)", "name b=#progress");
    check("size,size(x)", "size #x");
    check("sum(a.b),m:max(a.b.c;filter:d(e) > 1;filter:f)", "Sum#a.b m=Max#a.b.c where «d(e) > 1» where «f»");
    check("a,*,a,b:a,*,b:a,x(y),x(y)", "a * b=a x<y> x<y>");
    check(
        "*,category(name),requires(slug;limit:5;sort:name),n:size(progress)",
        "* category<name> requires<slug limit 5 sort name> n=#progress",
    );
    check("a:b(c(d;limit:1),e;sort:-x,y.z;limit:2)", "a=b<c<d limit 1> e limit 2 sort -x,y.z>");
}

#[test]
fn filters_inside_of_selections() {
    check("a(b;filter:x == 1)", "a<b where «x == 1»>");
    check(
        "a(b;filter:f(x) && (y || z[0] == {'a': 1}.a);limit:3)",
        "a<b limit 3 where «f(x) && (y || z[0] == {'a': 1}.a)»>",
    );
    check("a(b;filter:x == ')' || x == \";\")", "a<b where «x == ')' || x == \";\"»>");
    check(r"a(b;filter:x == '\')')", r"a<b where «x == '\')'»>");
    check(r"a(b;filter:x == r'\';limit:4)", r"a<b limit 4 where «x == r'\'»>");
    check("a(b;filter:x == '''it's ) \"''')", "a<b where «x == '''it's ) \"'''»>");
    check("a(b;filter:x // it's ) open\n == 1)", "a<b where «x // it's ) open\n == 1»>");
    check("a(b;filter:x == 'é)';filter:y)", "a<b where «x == 'é)'» where «y»>");
    check("a(b;filter:br'\\' == c)", "a<b where «br'\\' == c»>");
}

#[test]
fn errors_say_where() {
    check("", "fields: expected a field's name or \"*\", found the end (at character 1)");
    check("a,,b", "fields: expected a field's name or \"*\", found \",\" (at character 3)");
    check("a(", "fields: expected a field's name or \"*\", found the end (at character 3)");
    check("a()", "fields: expected a field's name or \"*\", found \")\" (at character 3)");
    check("a, b", "fields: expected a field's name or \"*\", found \" \" (at character 3)");
    check("a b", "fields: expected \",\" or the end, found \" \" (at character 2)");
    check("a)", "fields: expected \",\" or the end, found \")\" (at character 2)");
    check(
        "a(b;limt:3)",
        "fields: no option \"limt\"; there are limit, sort and filter (at character 5) did you mean \"limit\"?",
    );
    check("a(b;limit:x)", "fields: expected a whole number, found \"x\" (at character 11)");
    check("a(b;limit:99999999999)", "fields: the number 99999999999 is too large (at character 11)");
    check("a(b;limit:1;limit:2)", "fields: the option \"limit\" comes too often (at character 13)");
    check("a(b;filter:)", "fields: expected an expression, found \")\" (at character 12)");
    check("a(b;filter:x == 'é)", "fields: this text is not closed (at character 17)");
    check("é", "fields: expected a field's name or \"*\", found \"é\" (at character 1)");
    check("a(b;filter:x", "fields: expected \")\", found the end (at character 13)");
}

#[test]
fn limits_hold() {
    check(&"a(".repeat(100_000), "fields is longer than 16384 bytes");
    check(&"a(".repeat(5_000), "fields has links deeper than 5 (at character 13)");
    check(&vec!["a"; 201].join(","), "fields has more than 200 parts (at character 401)");
    check("a(b(c(d(e(f)))))", "a<b<c<d<e<f>>>>>");
    check("a(b(c(d(e(f(g))))))", "fields has links deeper than 5 (at character 13)");
}

#[test]
fn sorts() {
    let sorted = |text| match parse_sort(text, &Limits::default()) {
        Ok(keys) => show_sort(&keys),
        Err(problem) => problem.detail.into_owned(),
    };
    assert_eq!(sorted("-createdAt,category.name"), "-createdAt,category.name");
    assert_eq!(sorted(" a"), "sort: expected a field's name, found \" \" (at character 1)");
    assert_eq!(sorted("a,-b,-a,b"), "a,-b");
    assert_eq!(sorted("a,"), "sort: expected a field's name, found the end (at character 3)");
    assert_eq!(sorted("a desc"), "sort: expected \",\" or the end, found \" \" (at character 2)");
    assert_eq!(sorted("a,b,c,d,e,f,g,h,i"), "sort has more than 8 sort keys (at character 17)");
}
