//! The CPU time of a server for one request after the other: what stays steady on a shared machine.
use crate::{
    Outcome,
    http::Connection,
    process::{Process, cpu_us},
};

/// The server's CPU time for each of `requests` requests, in microseconds; `text` makes the n-th. The kernel counts in ticks of 10 ms.
pub async fn cpu_of_each(
    server: &Process,
    connection: &mut Connection,
    requests: usize,
    mut text: impl FnMut(usize) -> String,
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
