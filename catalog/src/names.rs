//! Official names to the snake case that people write.
//!
//! Operations are spelt exactly as boto3 spells them (botocore's `xform_name` with its special cases), so that what people
//! and language models know by heart is right here. Nothing is reversed by rule: the official name is always kept beside.
//! This module does *not* decide what is unique; a test over the whole catalogue does.

/// Words that botocore's rules would tear apart, as its table of special cases spells them.
///
/// botocore lists each operation; the word alone says the same and holds for members, too.
const WORDS: &[(&str, &str)] = &[
    ("WhatsApp", "Whatsapp"),
    ("OTel", "Otel"),
    ("OAuth2", "Oauth2"),
    ("PartiQL", "Partiql"),
    ("CachediSCSI", "CachedIscsi"),
    ("StorediSCSI", "StoredIscsi"),
    ("HITsFor", "HitsFor"),
];

/// Where botocore's table misses a name that [`WORDS`] would cover, boto3's spelling stays.
const EXCEPTIONS: &[(&str, &str)] =
    &[("CreateOAuth2TokenWithTokenExchange", "create_o_auth2_token_with_token_exchange")];

/// The name that people write for an official one: `DescribeVpcs` is `describe_vpcs`, `VPCs` is `vpcs`.
pub fn snake(official: &str) -> String {
    if let Some((_, name)) = EXCEPTIONS.iter().find(|(from, _)| *from == official) {
        return (*name).to_owned();
    }
    let mut name = String::with_capacity(official.len() + 8);
    if official.contains('_') {
        // botocore leaves such names alone; here `AbpV1_1` becomes a name that can be written.
        for part in official.split('_') {
            name.push_str(&words(part));
            name.push('_');
        }
        name.pop();
    } else {
        name = words(official);
    }
    // `_vpcs` would be a private name.
    let kept = name.trim_start_matches('_');
    if kept.len() == name.len() { name } else { kept.to_owned() }
}

/// The folder name of a service as people write it: `sso-admin` is `sso_admin`.
pub fn service(folder: &str) -> String {
    folder.replace('-', "_")
}

fn words(official: &str) -> String {
    let mut source = std::borrow::Cow::Borrowed(official);
    for (from, to) in WORDS {
        if source.contains(from) {
            source = source.replace(from, to).into();
        }
    }
    let mut chars: Vec<char> = source.chars().collect();
    plural_acronym(&mut chars);
    join(&split_ends(&split_starts(&chars)))
}

/// A trailing plural of an acronym is one word: `DescribeDBInstanceARNs` ends in `_arns`. (`[A-Z]{2,}s$`)
fn plural_acronym(chars: &mut Vec<char>) {
    if chars.last() != Some(&'s') {
        return;
    }
    let body = chars.len() - 1;
    let upper = chars.iter().take(body).rev().take_while(|c| c.is_ascii_uppercase()).count();
    if upper >= 2 {
        let start = body - upper;
        for c in chars.iter_mut().skip(start) {
            *c = c.to_ascii_lowercase();
        }
        chars.insert(start, '_');
    }
}

/// Underscore before each capital that small letters follow, unless it stands first. (`(.)([A-Z][a-z]+)`)
fn split_starts(chars: &[char]) -> Vec<char> {
    let mut out = Vec::with_capacity(chars.len() + 8);
    // First position that the pattern's `.` may take: matches do not overlap.
    let mut free = 0;
    for (at, &c) in chars.iter().enumerate() {
        let follows = chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if at > free && c.is_ascii_uppercase() && follows {
            out.push('_');
            let small = chars.iter().skip(at + 1).take_while(|c| c.is_ascii_lowercase()).count();
            free = at + 1 + small;
        }
        out.push(c);
    }
    out
}

/// Underscore between a small letter or digit and a capital. (`([a-z0-9])([A-Z])`)
fn split_ends(chars: &[char]) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(chars.len() + 8);
    let mut before = '_';
    for &c in chars {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        out.push(c);
        before = c;
    }
    out
}

fn join(chars: &[char]) -> String {
    chars.iter().map(char::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::snake;

    #[test]
    fn spells_as_boto3_does() {
        for (official, name) in [
            ("StopInstances", "stop_instances"),
            ("DescribeVpcs", "describe_vpcs"),
            ("DescribeDBInstances", "describe_db_instances"),
            ("ListHITsForQualificationType", "list_hits_for_qualification_type"),
            ("CreateCachediSCSIVolume", "create_cached_iscsi_volume"),
            ("CreateOAuth2TokenWithIAM", "create_oauth2_token_with_iam"),
            ("CreateOAuth2TokenWithTokenExchange", "create_o_auth2_token_with_token_exchange"),
            ("DisassociateWhatsAppBusinessAccount", "disassociate_whatsapp_business_account"),
            ("ExecutePartiQLBatch", "execute_partiql_batch"),
            ("ListDeviceFleets", "list_device_fleets"),
            ("GetIPSet", "get_ip_set"),
            ("DescribeEC2InstanceLimits", "describe_ec2_instance_limits"),
            ("SSEKMSKeyId", "ssekms_key_id"),
            ("VPCs", "vpcs"),
            ("LoadBalancerARNs", "load_balancer_arns"),
            ("AbpV1_0_x", "abp_v1_0_x"),
            ("nextToken", "next_token"),
            ("Ipv6Addresses", "ipv6_addresses"),
            ("S3Key", "s3_key"),
            ("", ""),
        ] {
            assert_eq!(snake(official), name, "{official}");
        }
    }
}
