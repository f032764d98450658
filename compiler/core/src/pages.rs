//! The page of each diagnostic code, as `escher explain` shows it.
//!
//! Pages are Markdown with an example of the mistake and one put right; both are compiled by the tests. Which code has
//! which words at which place is the business of whoever tells it, not of this module.

macro_rules! pages {
    ($($code:ident),* $(,)?) => {
        &[$((stringify!($code), include_str!(concat!("diagnostics/", stringify!($code), ".md")))),*]
    };
}

/// Codes with their pages, in order of codes. A test keeps it and the folder alike.
#[rustfmt::skip]
const PAGES: &[(&str, &str)] = pages![
    E0001, E0002, E0003, E0004, E0005, E0006, E0007, E0008, E0009, E0101, E0102, E0103, E0104, E0105, E0106, E0107,
    E0108, E0109, E0110, E0111, E0112, E0113, E0114, E0120, E0121, E0122, E0123, E0124, E0125, E0130, E0131, E0132,
    E0133, E0134, E0135, E0136, E0137, E0138, E0139, E0140, E0141, E0142, E0143, E0144, E0145, E0146, E0147, E0148,
    E0149, E0150, E0151, E0152, E0153, E0154, E0155, E0160, E0161, E0162, E0163, E0164, E0165, E0166, E0167, E0168,
    E0169, E0170, E0171, E0172, E0173, E0174, E0175, E0176, E0177, E0178, E0179, E0180, E0181, E0182, E0183, E0184,
    E0185, E0190, E0199, E0201, E0202, E0203, E0204, E0205, E0206, E0207, E0208, E0209, E0210, E0212, E0213, E0220,
    E0221, E0222, E0223, E0224, E0225, E0226, E0227, E0228, E0240, E0241, E0242, E0243, E0244, E0245, E0301, E0302,
    E0303, E0304, E0305, E0306, E0307, E0308, E0309, E0310, E0311, E0312, E0313, E0320, E0401, E0402, E0403, E0404,
    E0405, E0406, E0409, E0410, E0411, E0412, E0413, E0414, E0415, E0416, E0417, E0418, E0419, E0420, E0421, E0422,
    E0423, E0424, E0425, E0426, E0501, E0502, E0503, E0504, E0505, E0601, E0602, E0603, E0604, E0605, E0606, E0607, E0608, E0609,
    E0610, E0611, E0612, E0613, E0614, E0615, E0801, E0802, E0803, E0804, E0805,
];

/// The page of a code such as `E0402`, in Markdown.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.binary_search_by(|(known, _)| known.cmp(&code)).ok().and_then(|at| PAGES.get(at)).map(|(_, page)| *page)
}

/// All codes that have a page, in order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}
