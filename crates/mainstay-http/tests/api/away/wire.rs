//! What a client sends to a server, taken apart as far as tests need it.

/// The version of the protocol that a session begins with.
const VERSION: u32 = 0x0003_0000;

/// One client.
#[derive(Default)]
pub(super) struct Dialogue {
    rest: Vec<u8>,
    has_begun: bool,
    in_transaction: bool,
}

impl Dialogue {
    /// Takes what is sent; tells of statements that are prepared by a name while no transaction is open.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend(bytes);
        let mut alone = Vec::new();
        while let Some((kind, body)) = self.next() {
            match kind {
                b'Q' => self.command(&text(&body).to_uppercase()),
                b'P' if !text(&body).is_empty() && !self.in_transaction => {
                    alone.push(text(&body[text(&body).len() + 1..]));
                }
                _ => {}
            }
        }
        alone
    }

    /// The next message; those before the session have no kind.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let kind = usize::from(self.has_begun);
        let length = u32::from_be_bytes(self.rest.get(kind..kind + 4)?.try_into().ok()?);
        let end = kind + usize::try_from(length).ok()?;
        let message: Vec<u8> = (self.rest.len() >= end).then(|| self.rest.drain(..end).collect())?;
        if self.has_begun {
            return Some((message[0], message[5..].to_vec()));
        }
        self.has_begun = message.get(4..8) == Some(&VERSION.to_be_bytes());
        Some((0, Vec::new()))
    }

    fn command(&mut self, commands: &str) {
        for command in commands.split(';').map(str::trim_start) {
            if command.starts_with("BEGIN") || command.starts_with("START TRANSACTION") {
                self.in_transaction = true;
            } else if command.starts_with("COMMIT") || (command.starts_with("ROLLBACK") && !command.contains(" TO ")) {
                self.in_transaction = false;
            }
        }
    }
}

/// The text that ends with a null.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
