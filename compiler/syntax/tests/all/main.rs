//! Tests of the syntax crate from outside: corpora, wrong spellings, recovery, layout, speed, hostile input.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod oddities;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod spellings;
#[cfg(test)]
mod support;
