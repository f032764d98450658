//! `escher graph`: a picture of what waits for what.

use crate::args::{Format, GraphFormat};
use crate::failure::Failure;
use crate::{graph, output, source};

/// Most statements that a picture is drawn of; the other forms have no limit.
const MAX_DRAWN: usize = 2_000;

pub(crate) fn graph(playbook: &str, format: GraphFormat) -> Result<u8, Failure> {
    let (_, _, program) = source::playbook(playbook, Format::Human)?;
    let count = program.playbook.body.nodes.len();
    if format == GraphFormat::Svg && count > MAX_DRAWN {
        return Err(Failure::usage(format!("{count} statements are too many for a picture"))
            .help("give `--format dot` to a tool of your own"));
    }
    let graph = graph::of(&program);
    let text = match format {
        GraphFormat::Svg => graph::svg(&graph),
        GraphFormat::Dot => graph::dot(&graph),
        GraphFormat::Mermaid => graph::mermaid(&graph),
    };
    output::line(text.trim_end());
    Ok(0)
}
