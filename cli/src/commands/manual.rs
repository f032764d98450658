//! Completions and man pages, from the one definition of the command line; the grammar, from the one grammar.

use std::path::Path;

use clap::CommandFactory;

use crate::args::{Cli, Notation};
use crate::failure::Failure;
use crate::output;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "escher", &mut text);
    output::line(String::from_utf8_lossy(&text).trim_end());
    Ok(0)
}

pub(crate) fn man(folder: Option<&Path>) -> Result<u8, Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("cannot write man pages: {e}"));
    match folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(failed)?;
            clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
        }
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(failed)?;
            output::line(String::from_utf8_lossy(&text).trim_end());
        }
    }
    Ok(0)
}

pub(crate) fn grammar(notation: Notation) -> Result<u8, Failure> {
    output::line(match notation {
        Notation::Ebnf => escher_grammar::exports::EBNF,
        Notation::Lark => escher_grammar::exports::LARK,
        Notation::Gbnf => escher_grammar::exports::GBNF,
    });
    Ok(0)
}
