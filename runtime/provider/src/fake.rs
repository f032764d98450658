//! The recorded fake that tests use: answers by operation, and a log of the changes it was asked for.
