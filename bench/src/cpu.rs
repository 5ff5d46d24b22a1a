//! The CPU time of a server for one request after the other: what stays steady on a shared machine.
use crate::{
    Outcome,
    compare::median,
    http::Connection,
    process::{Process, cpu_us},
};

/// How often each kind of request is sent.
#[derive(Clone, Copy)]
pub struct Rounds {
    /// Interleaved rounds; one more goes before them and fills caches.
    pub rounds: usize,
    /// Requests of each kind in a round.
    pub requests: usize,
}

/// Makes the n-th request of a kind.
pub type Text<'a> = &'a dyn Fn(usize) -> String;

impl Rounds {
    /// The server's CPU time for each request of a kind, in microseconds: the median of the rounds. No number comes twice.
    pub async fn cpu_of_each(&self, server: &Process, kinds: &[Text<'_>]) -> Outcome<Vec<f64>> {
        let mut figures = vec![Vec::new(); kinds.len()];
        let mut connection = Connection::open(server.address).await?;
        for round in 0..=self.rounds {
            for (text, figures) in kinds.iter().zip(&mut figures) {
                let first = round * self.requests;
                let figure = cpu_of_each(server, &mut connection, self.requests, |number| text(first + number)).await?;
                if round > 0 {
                    figures.push(figure);
                }
            }
        }
        Ok(figures.into_iter().map(|of| median(of.into_iter())).collect())
    }
}

/// The server's CPU time for each of `requests` requests, in microseconds; `text` makes the n-th. The kernel counts in ticks of 10 ms.
async fn cpu_of_each(
    server: &Process,
    connection: &mut Connection,
    requests: usize,
    text: impl Fn(usize) -> String,
) -> Outcome<f64> {
    let before = cpu_us(server.pid())?;
    for number in 0..requests {
        let answer = connection.exchange(text(number).as_bytes()).await?;
        if answer.status / 100 != 2 {
            return Err(format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)).into());
        }
    }
    Ok((cpu_us(server.pid())? - before) as f64 / requests as f64)
}
