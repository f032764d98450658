//! `escher sandbox`: a practice cloud until Ctrl-C.

use std::path::Path;
use std::time::Duration;

use escher_sandbox::{Options, Seed, World};
use tokio::io::AsyncReadExt;

use crate::failure::Failure;
use crate::output;

pub(crate) fn serve(
    seed: Option<&Path>,
    port: u16,
    latency: Option<&str>,
    log: Option<&Path>,
    until_closed: bool,
) -> Result<u8, Failure> {
    let latency = match latency {
        Some(text) => escher_ir::units::parse_duration(text)
            .and_then(|d| Duration::try_from(d).ok())
            .ok_or_else(|| Failure::usage(format!("`--latency {text}` is no duration")).help("write `20ms`"))?,
        None => Duration::ZERO,
    };
    let seed = match seed {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
            Seed::parse(&text).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?
        }
        None => Seed::default(),
    };
    let world = World::from_seed(&seed).map_err(|e| Failure::usage(e.to_string()))?;
    let options = Options { latency, log: log.map(Path::to_path_buf), ..Options::default() };
    super::block_on(listen(port, world, options, until_closed))
}

async fn listen(port: u16, world: World, options: Options, until_closed: bool) -> Result<u8, Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("cannot listen on 127.0.0.1:{port}: {e}"));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let url = format!("http://{}", listener.local_addr().map_err(failed)?);
    // Alone on a line of standard output, so that a script can read it.
    output::line(&url);
    if !until_closed {
        output::note("Use it with:");
        output::note(&format!(
            "  export AWS_ENDPOINT_URL={url} AWS_ACCESS_KEY_ID=practice AWS_SECRET_ACCESS_KEY=practice AWS_REGION=us-east-1"
        ));
        output::note("Ctrl-C ends it.");
    }
    escher_sandbox::serve_with(listener, world, options, ended(until_closed))
        .await
        .map_err(|e| Failure::failed(e.to_string()))?;
    Ok(0)
}

/// Ready on Ctrl-C, and, where somebody holds our standard input, when they are gone.
async fn ended(until_closed: bool) {
    let closed = async {
        if !until_closed {
            return std::future::pending().await;
        }
        let mut rest = [0; 64];
        let mut stdin = tokio::io::stdin();
        while stdin.read(&mut rest).await.is_ok_and(|n| n > 0) {}
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = closed => {}
    }
}
