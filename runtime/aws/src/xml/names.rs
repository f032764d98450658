//! Which member of a structure an element is: a table made once for each schema and kept by it.

use aws_smithy_schema::Schema;
use aws_smithy_schema::extension::SchemaExtensionKey;

use super::document::Start;

/// The names of a structure's members.
pub(super) static NAMES: SchemaExtensionKey<Names> = SchemaExtensionKey::new(Names::new);

/// A table of places in a structure by the names that its members have on the wire.
pub(super) struct Names {
    /// A power of two, and at most half full: a name that isn't here meets an empty place soon.
    places: Vec<Option<(Box<str>, usize)>>,
    /// Whether a member is an attribute.
    pub(super) attributes: bool,
}

impl Names {
    fn new(schema: &Schema<'_>) -> Names {
        let members = schema.members();
        let size = (members.len() * 2).next_power_of_two().max(2);
        let mut names = Names { places: vec![None; size], attributes: members.iter().any(|m| m.xml_attribute()) };
        for (at, member) in members.iter().enumerate() {
            // Of two with one name the first is meant.
            if let Some(name) = wire(member)
                && names.find(name.as_bytes()).is_none()
                && let Some(free) =
                    names.way(name.as_bytes()).find(|at| names.places.get(*at).is_none_or(Option::is_none))
                && let Some(place) = names.places.get_mut(free)
            {
                *place = Some((Box::from(name), at));
            }
        }
        names
    }

    /// The member that an element is.
    pub(super) fn of<'s>(&self, schema: &'s Schema<'s>, start: Start<'_>) -> Option<&'s Schema<'s>> {
        let name = start.name();
        // Few names have a prefix.
        let at = self.find(name).or_else(|| self.find(start.local()))?;
        schema.members().get(at).copied()
    }

    /// The place of the member that this name is of.
    #[inline]
    fn find(&self, name: &[u8]) -> Option<usize> {
        for at in self.way(name) {
            let (known, member) = self.places.get(at)?.as_ref()?;
            if known.as_bytes() == name {
                return Some(*member);
            }
        }
        None
    }

    /// The places at which a name may stand, in the order of looking.
    #[inline]
    fn way(&self, bytes: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let mask = self.places.len() - 1;
        let at = |at: usize| bytes.get(at).copied().map_or(0, usize::from);
        // Names of one structure differ in these; who makes them collide gains nothing in a table this small.
        let print = at(0) ^ (at(bytes.len() / 2) << 3) ^ (at(bytes.len().wrapping_sub(2)) << 6) ^ (bytes.len() << 4);
        (0..=mask).map(move |step| (print.wrapping_mul(0x9e37_79b1) >> 8).wrapping_add(step) & mask)
    }
}

/// The name that a member has on the wire.
pub(super) fn wire<'s>(member: &'s Schema<'_>) -> Option<&'s str> {
    member.xml_name().map(|name| name.value()).or(member.member_name())
}
