//! Ids that calls name: whether they are well formed, whether they exist, and EC2's words where not.
//!
//! Does *not* make ids (see [`crate::world::ids`]).

use super::model::{Instance, Region, Snapshot, Volume, VolumeState, visible};
use crate::aws::call::Call;
use crate::aws::error::ApiError;

/// Whether a text is an id of this prefix: 8 or 17 hexadecimal digits follow.
pub(crate) fn is_id(text: &str, prefix: &str) -> bool {
    let hex = |t: &str| t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    text.strip_prefix(prefix).is_some_and(|rest| matches!(rest.len(), 8 | 17) && hex(rest))
}

/// A kind of resource in the words of its errors.
struct Kind {
    prefix: &'static str,
    code: &'static str,
    noun: &'static str,
    /// Where EC2 has a sentence of its own.
    malformed: fn(&str) -> String,
}

const INSTANCE: Kind = Kind {
    prefix: "i-",
    code: "InvalidInstanceID",
    noun: "instance",
    malformed: |id| format!("Invalid id: \"{id}\" (expecting \"i-...\")"),
};
const VOLUME: Kind = Kind {
    prefix: "vol-",
    code: "InvalidVolume",
    noun: "volume",
    malformed: |id| format!("Value ({id}) for parameter volumes is invalid. Expected: 'vol-...'."),
};
const SNAPSHOT: Kind = Kind {
    prefix: "snap-",
    code: "InvalidSnapshot",
    noun: "snapshot",
    malformed: |id| format!("Value ({id}) for parameter snapshotId is invalid. Expected: 'snap-...'."),
};

/// All ids are well formed and exist, or the error that EC2 would give.
fn check(kind: &Kind, ids: &[&str], exists: impl Fn(&str) -> bool) -> Result<(), ApiError> {
    if let Some(bad) = ids.iter().find(|id| !is_id(id, kind.prefix)) {
        // A volume's id of the wrong form has a code of its own; the others share the pattern.
        let code = match kind.code {
            "InvalidVolume" => "InvalidParameterValue".to_owned(),
            "InvalidSnapshot" => "InvalidParameterValue".to_owned(),
            code => format!("{code}.Malformed"),
        };
        return Err(ApiError::new(&code, (kind.malformed)(bad)));
    }
    let absent: Vec<&str> = ids.iter().copied().filter(|id| !exists(id)).collect();
    let noun = kind.noun;
    let message = match absent.as_slice() {
        [] => return Ok(()),
        [one] => format!("The {noun} ID '{one}' does not exist"),
        many => format!("The {noun} IDs '{}' do not exist", many.join(", ")),
    };
    Err(ApiError::new(&format!("{}.NotFound", kind.code), message))
}

/// All are instances that are still described.
pub(crate) fn instances(region: &Region, ids: &[&str], call: &Call<'_>, shown: i64) -> Result<(), ApiError> {
    check(&INSTANCE, ids, |id| region.instances.get(id).is_some_and(|i| visible(i, call.now, shown)))
}

/// All are volumes that are not deleted.
pub(crate) fn volumes(region: &Region, ids: &[&str], call: &Call<'_>) -> Result<(), ApiError> {
    check(&VOLUME, ids, |id| region.volumes.get(id).is_some_and(|v| v.state.at(call.now) != VolumeState::Deleted))
}

/// All are snapshots.
pub(crate) fn snapshots(region: &Region, ids: &[&str]) -> Result<(), ApiError> {
    check(&SNAPSHOT, ids, |id| region.snapshots.get(id).is_some())
}

/// The instance of this id.
pub(crate) fn instance<'r>(
    region: &'r mut Region,
    id: &str,
    call: &Call<'_>,
    shown: i64,
) -> Result<&'r mut Instance, ApiError> {
    instances(region, &[id], call, shown)?;
    region.instances.get_mut(id).ok_or_else(|| ApiError::new("InternalError", "no such row").with_status(500))
}

/// The volume of this id.
pub(crate) fn volume<'r>(region: &'r mut Region, id: &str, call: &Call<'_>) -> Result<&'r mut Volume, ApiError> {
    volumes(region, &[id], call)?;
    region.volumes.get_mut(id).ok_or_else(|| ApiError::new("InternalError", "no such row").with_status(500))
}

/// The snapshot of this id.
pub(crate) fn snapshot<'r>(region: &'r Region, id: &str) -> Result<&'r Snapshot, ApiError> {
    snapshots(region, &[id])?;
    region.snapshots.get(id).ok_or_else(|| ApiError::new("InternalError", "no such row").with_status(500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_eight_or_seventeen_digits() {
        assert!(is_id("i-0123456789abcdef0", "i-") && is_id("i-01234567", "i-"));
        for bad in ["", "i-", "i-0123456", "i-0123456789ABCDEF0", "vol-01234567", "i-0123456789abcdef01"] {
            assert!(!is_id(bad, "i-"), "{bad}");
        }
    }
}
