//! This process among the nodes of its database.
use std::sync::Arc;

use mainstay_http::App;
use mainstay_schema::Schema;
use mainstay_store::{Fitness, Member, MemberSettings, Store};

use crate::{failure::Failure, project::Project};

/// Joins the nodes as a server of this schema, and has the server refuse requests while the tables do not fit it.
pub(crate) async fn join(project: &Project, app: &Arc<App>) -> Result<Member, Failure> {
    let core = app.core();
    let member = enter(settings(project), core.store(), core.schema()).await?;
    let (mut standing, app) = (member.standing(), Arc::downgrade(app));
    tokio::spawn(async move {
        let mut told = Fitness::Same;
        loop {
            let fitness = standing.borrow_and_update().fitness.clone();
            let Some(app) = app.upgrade() else { return };
            app.set_unfit(fitness.unfit());
            drop(app);
            if fitness != told {
                tell(&fitness);
                told = fitness;
            }
            if standing.changed().await.is_err() {
                return;
            }
        }
    });
    Ok(member)
}

/// Joins them as the server that changes the tables itself.
pub(crate) async fn join_developing(project: &Project, app: &App) -> Result<Member, Failure> {
    let core = app.core();
    let settings = MemberSettings { watches_schema: false, ..settings(project) };
    enter(settings, core.store(), core.schema()).await
}

async fn enter(settings: MemberSettings, store: &Arc<Store>, schema: &Arc<Schema>) -> Result<Member, Failure> {
    Member::join(store.clone(), settings, schema.clone()).await.map_err(Failure::database)
}

fn settings(project: &Project) -> MemberSettings {
    let settings = &project.settings;
    settings.nodes.member(settings.server.node(), settings.limits.core().idempotency_ttl_s)
}

/// Tells the log, once it is so.
fn tell(fitness: &Fitness) {
    match fitness {
        Fitness::Same => tracing::info!("the database has the tables of this node's schema"),
        Fitness::Behind(steps) => {
            tracing::info!(
                steps,
                "another node has changed the tables by additive steps: this one goes on with its schema"
            );
        }
        Fitness::Unfit(why) => {
            tracing::error!(%why, "the tables are not those of this node's schema any more: it answers nothing from now on");
        }
    }
}
