//! Loads `seed/` into an empty database.
use mainstay_core::{AdminPass, Answer, Caller, Core, List, Operation, Request, import::Options};

use crate::{
    commands::token::now_micros,
    failure::{Detail, Failure},
    loading,
    output::Output,
    project::Project,
};

/// Loads the files of `seed/`, in the order of their names, if there is no record yet.
pub(super) async fn load(project: &Project, core: &Core, output: Output) -> Result<(), Failure> {
    let files = project.folder_files("seed", &["json", "ndjson", "jsonl", "csv"])?;
    if files.is_empty() || !is_empty(core).await? {
        return Ok(());
    }
    let source = |file: &String| loading::source(&project.path(file), file, None, None, core.schema());
    let sources = files.iter().map(source).collect::<Result<Vec<_>, Failure>>()?;
    let pass = AdminPass::for_command("the seed of mainstay dev");
    let report = loading::load(core, pass, sources, &Options::default(), &mut |_| {}).await?;
    let lines = loading::lines(&report);
    if !report.errors.is_empty() {
        let json = serde_json::to_value(&report).unwrap_or_default();
        return Err(Failure::new("seed", "the seed cannot be loaded")
            .hint("repair it, then begin again: mainstay dev --reset")
            .detail(Detail::Lines(lines, json)));
    }
    lines.iter().for_each(|line| output.remark(line));
    Ok(())
}

/// Whether no collection has a record.
async fn is_empty(core: &Core) -> Result<bool, Failure> {
    for collection in &core.schema().collections {
        let list = List {
            collection: collection.id,
            filter: Vec::new(),
            params: Vec::new(),
            sort: Vec::new(),
            selection: None,
            limit: Some(1),
            after: None,
            count: false,
        };
        let request = Request {
            caller: Caller::Admin(AdminPass::for_command("mainstay dev looks whether there are records")),
            time_micros: now_micros(),
            ip: "".into(),
            method: "GET".into(),
            host: "".into(),
            id: None,
            once: None,
        };
        match core.run(&request, Operation::List(list)).await {
            Ok(Answer::Page(page)) if page.rows == 0 => {}
            Ok(_) => return Ok(false),
            Err(error) => return Err(Failure::database(error.cause.unwrap_or(error.message))),
        }
    }
    Ok(true)
}
