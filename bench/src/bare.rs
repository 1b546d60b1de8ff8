//! H: the same HTTP stack with nothing behind it. It reads each request whole and answers 200.

use std::{convert::Infallible, io};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::net::TcpListener;

use crate::Outcome;

/// As large as an answer of GetCallerIdentity.
const BODY: &[u8] = &[b'x'; 400];

/// Serves for ever, on one worker thread.
pub fn serve() -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    // On the worker, as the server's own accept loop and connections are.
    let accepting = runtime.spawn(accept());
    let ended = runtime.block_on(accepting).map_err(|error| error.to_string())?;
    ended.map_err(|error| error.to_string())
}

async fn accept() -> io::Result<()> {
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    println!("bare ready http://{}", socket.local_addr()?);
    loop {
        let (stream, _) = socket.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service_fn(answer));
            drop(connection.await);
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    drop(request.into_body().collect().await);
    Ok(Response::new(Full::new(Bytes::from_static(BODY))))
}
