//! `escher sandbox`: practice clouds until Ctrl-C.

use std::time::Duration;

use escher_sandbox::{Options, Seed, World};
use tokio::io::AsyncReadExt;

use super::sandbox_env::Tools;
use crate::args::{Common, SandboxArgs};
use crate::failure::Failure;
use crate::output;

pub(crate) fn serve(common: &Common, args: &SandboxArgs) -> Result<u8, Failure> {
    let latency = match &args.latency {
        Some(text) => escher_ir::units::parse_duration(text)
            .and_then(|d| Duration::try_from(d).ok())
            .ok_or_else(|| Failure::usage(format!("`--latency {text}` is no duration")).help("write `20ms`"))?,
        None => Duration::ZERO,
    };
    let seed = match (&args.seed, args.generate) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
            Seed::parse(&text).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?
        }
        (None, Some(number)) => Seed::generate(number).map_err(|e| Failure::usage(e.to_string()))?,
        (None, None) => Seed::default(),
    };
    let world = World::from_seed(&seed).map_err(|e| Failure::usage(e.to_string()))?;
    let options = Options { latency, log: args.log.clone(), ..Options::default() };
    super::block_on(listen(common, args, &seed, world, options))
}

async fn listen(
    common: &Common,
    args: &SandboxArgs,
    seed: &Seed,
    world: World,
    mut options: Options,
) -> Result<u8, Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("cannot listen on 127.0.0.1:{}: {e}", args.port));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", args.port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let tools = match args.until_closed {
        // Whoever holds our standard input is Escher itself, which needs none of the tools' files.
        true => None,
        false => Some(Tools::prepare(common, address.port(), seed)?),
    };
    options.certificate = tools.as_ref().map(Tools::certificate);
    // Alone on a line of standard output, so that a script can read it.
    output::line(&format!("http://{address}"));
    if tools.is_some() {
        output::note(&format!(
            "For aws, az and gcloud, in another shell:\n  eval \"$(escher sandbox env --port {})\"\nCtrl-C ends it.",
            address.port()
        ));
    }
    let served = escher_sandbox::serve_with(listener, world, options, ended(args.until_closed)).await;
    if let Some(tools) = tools {
        tools.forget();
    }
    served.map_err(|e| Failure::failed(e.to_string()))?;
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
