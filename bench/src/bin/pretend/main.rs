//! A server that loses data on purpose: the crash harness is tested on it, for a harness that finds nothing proves
//! nothing unless it is known to find something.
//!
//! It answers the few requests that the harness makes. The file `fault` in its folder says what is wrong with it.
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
};

use mainstay_bench::Outcome;
use records::{Fault, GAP, Records};
use serde_json::Value;

mod records;

fn main() -> Outcome<()> {
    let fault = Fault::named(std::fs::read_to_string("fault").unwrap_or_default().trim())?;
    let records = Arc::new(Mutex::new(Records::open(fault)?));
    if std::env::args().nth(1).as_deref() != Some("serve") {
        return Ok(());
    }
    let listener = TcpListener::bind(std::env::var("MAINSTAY_SERVER_LISTEN")?)?;
    for stream in listener.incoming() {
        let (stream, records) = (stream?, records.clone());
        // A connection that breaks is none of the others' business.
        std::thread::spawn(move || serve(stream, &records));
    }
    Ok(())
}

fn serve(mut stream: TcpStream, records: &Mutex<Records>) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (length, key) = headers(&mut reader)?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let answer = respond(records, (method, target), key.as_deref(), &body)?.to_string();
        let length = answer.len();
        stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}").as_bytes())?;
    }
}

/// The length of the body, and the idempotency key.
fn headers(reader: &mut impl std::io::BufRead) -> Outcome<(usize, Option<String>)> {
    let (mut length, mut key) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse()?,
            Some(("idempotency-key", value)) => key = Some(value.to_owned()),
            Some(_) => {}
            None => return Ok((length, key)),
        }
    }
}

fn respond(records: &Mutex<Records>, (method, target): (&str, &str), key: Option<&str>, body: &[u8]) -> Outcome<Value> {
    let lock = || records.lock().unwrap_or_else(PoisonError::into_inner);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let id = path.trim_start_matches("/api/entries").trim_start_matches('/');
    let fault = lock().fault();
    let parsed = || serde_json::from_slice::<Value>(body);
    match method {
        "GET" => lock().page(query),
        "PATCH" => lock().patch(id, &parsed()?),
        "DELETE" => lock().delete(id),
        _ => match parsed()? {
            Value::Array(array) if fault == Fault::TornArrays => array
                .iter()
                .map(|record| {
                    let answer = lock().create(record);
                    std::thread::sleep(GAP);
                    answer
                })
                .collect(),
            data => lock().write(key, &data),
        },
    }
}
