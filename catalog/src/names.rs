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
    let mut name = String::with_capacity(official.len() + 8);
    snake_into(official, &mut name);
    let kept = writable(&name);
    if *kept == *name { name } else { kept.into_owned() }
}

/// A name that can be written: `_vpcs` would be a private name, and `5qi` a number.
pub(crate) fn writable(name: &str) -> std::borrow::Cow<'_, str> {
    let kept = name.trim_start_matches('_');
    if kept.starts_with(|c: char| c.is_ascii_digit()) { format!("n{kept}").into() } else { kept.into() }
}

/// As [`snake`], at the end of a buffer that is used again; may begin with underscores.
pub(crate) fn snake_into(official: &str, out: &mut String) {
    if let Some((_, name)) = EXCEPTIONS.iter().find(|(from, _)| *from == official) {
        out.push_str(name);
    } else if !official.bytes().all(|b| b.is_ascii_alphanumeric()) {
        // botocore leaves such names alone; here `AbpV1_1` and `@odata.type` become names that can be written.
        let start = out.len();
        for part in official.split(|c: char| !c.is_ascii_alphanumeric()).filter(|p| !p.is_empty()) {
            words(part, out);
            out.push('_');
        }
        if out.len() > start {
            out.pop();
        }
    } else {
        words(official, out);
    }
}

/// The name that people write for an operation, whose groups stay groups: `instances.aggregatedList` is
/// `instances.aggregated_list`.
pub fn operation(official: &str) -> String {
    let mut name = String::with_capacity(official.len() + 16);
    for part in official.split('.') {
        snake_into(part, &mut name);
        name.push('.');
    }
    name.pop();
    name
}

/// What is left of a name when only its letters and digits count, in lower case. Two spellings of one name
/// (`VirtualMachines_Deallocate`, `virtual_machines.deallocate`) have the same.
pub fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The folder name of a service as people write it: `sso-admin` is `sso_admin`.
pub fn service(folder: &str) -> String {
    folder.replace('-', "_")
}

fn words(official: &str, out: &mut String) {
    // Nearly no name holds one of the words; their rare pairs of letters are looked for in one go.
    let rare = |pair: &[u8]| matches!(pair, b"sA" | b"OT" | b"OA" | b"QL" | b"iS" | b"HI");
    if !official.as_bytes().windows(2).any(rare) {
        return split(official, out);
    }
    split(&WORDS.iter().fold(official.to_owned(), |name, (from, to)| name.replace(from, to)), out);
}

/// What botocore's three regular expressions do, in one pass: `[A-Z]{2,}s$` is a word, `(.)([A-Z][a-z]+)` and
/// `([a-z0-9])([A-Z])` part two. All three are about letters of ASCII.
fn split(name: &str, out: &mut String) {
    let acronym = plural_acronym(name);
    let mut before = b'_';
    let mut bytes = name.bytes().enumerate().peekable();
    // What was not written yet begins here.
    let mut from = 0;
    let start = out.len();
    while let Some((at, byte)) = bytes.next() {
        let parts = if at >= acronym {
            at == acronym
        } else {
            at > 0
                && byte.is_ascii_uppercase()
                && (bytes.peek().is_some_and(|(_, next)| next.is_ascii_lowercase())
                    || before.is_ascii_lowercase()
                    || before.is_ascii_digit())
        };
        if parts {
            out.push_str(name.get(from..at).unwrap_or_default());
            out.push('_');
            from = at;
        }
        before = byte;
    }
    out.push_str(name.get(from..).unwrap_or_default());
    if let Some(written) = out.get_mut(start..) {
        written.make_ascii_lowercase();
    }
}

/// Where a trailing plural of an acronym begins (`ARNs` in `LoadBalancerARNs`); behind the end where there is none.
fn plural_acronym(name: &str) -> usize {
    let Some(body) = name.strip_suffix('s') else { return name.len() };
    let upper = body.bytes().rev().take_while(u8::is_ascii_uppercase).count();
    if upper >= 2 { body.len() - upper } else { name.len() }
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
            ("@odata.type", "odata_type"),
            ("$schema", "schema"),
            ("5qi", "n5qi"),
            ("", ""),
        ] {
            assert_eq!(snake(official), name, "{official}");
        }
    }
}
