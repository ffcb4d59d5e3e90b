//! A server of HTTP/1.1 by hand: so that it can break off anywhere.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether it is of this method, for a path with this in it.
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// What is done about it.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// An answer.
    Answer(Answer),
    /// The head of an answer and half of its body, then the connection is closed.
    Half(Answer),
    /// The connection is closed.
    Close,
    /// Nothing comes.
    Silence,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn head(&self) -> String {
        let length = ("Content-Length", self.body.len().to_string());
        let mut head = format!("HTTP/1.1 {} Answer\r\n", self.status);
        for (name, value) in self.headers.iter().chain([&length]) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

type Handler = Arc<Mutex<dyn FnMut(&Request) -> Reply + Send>>;

/// A server on a port of its own, until the test run ends.
pub(crate) struct Server {
    pub(crate) host: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(handler: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        Self::at("127.0.0.1", handler).unwrap()
    }

    /// At another address of this machine.
    pub(crate) fn at(
        ip: &str,
        handler: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> io::Result<Self> {
        Self::over(ip, handler, Ok)
    }

    /// With something around each connection: TLS.
    pub(crate) fn over<S: Read + Write>(
        ip: &str,
        handler: impl FnMut(&Request) -> Reply + Send + 'static,
        wrap: impl Fn(TcpStream) -> io::Result<S> + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(format!("{ip}:0"))?;
        let host = format!("{ip}:{}", listener.local_addr()?.port());
        let handler: Handler = Arc::new(Mutex::new(handler));
        let asked = Arc::default();
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, log, wrap) = (Arc::clone(&handler), Arc::clone(&log), wrap.clone());
                thread::spawn(move || {
                    // Whoever hangs up does so.
                    let _ = wrap(stream).and_then(|stream| serve(stream, &handler, &log));
                });
            }
        });
        Ok(Self { host, asked })
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve<S: Read + Write>(
    stream: S,
    handler: &Handler,
    log: &Mutex<Vec<Request>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream)? {
        log.lock().unwrap().push(request.clone());
        let reply = (handler.lock().unwrap())(&request);
        let stream = stream.get_mut();
        match reply {
            Reply::Answer(answer) => {
                stream.write_all(answer.head().as_bytes())?;
                stream.write_all(&answer.body)?;
                stream.flush()?;
            }
            Reply::Half(answer) => {
                stream.write_all(answer.head().as_bytes())?;
                stream.write_all(&answer.body[..answer.body.len() / 2])?;
                return stream.flush();
            }
            Reply::Close => return Ok(()),
            Reply::Silence => thread::sleep(Duration::from_secs(600)),
        }
    }
    Ok(())
}

/// A request; none when the client has hung up, or half a request with the header that says so.
fn read(stream: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        request
            .headers
            .insert(name.to_lowercase(), value.to_owned());
    }
    let length = request.header("content-length").map(str::parse);
    let length: usize = length.transpose().unwrap().unwrap_or_default();
    // Of a large body only the beginning, for a server that goes away in its middle.
    let taken = if length > 2 << 20 { 1 << 16 } else { length };
    request.body.resize(taken, 0);
    stream.read_exact(&mut request.body)?;
    Ok(Some(request))
}
