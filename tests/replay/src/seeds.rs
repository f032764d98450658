//! Where fuzzing begins: texts of the corpora, what the compiler makes of them, and answers as clouds give them.
//!
//! Made, not stored: they follow the formats as those change. `cargo run -p escher-fuzz-targets --example seeds -- FOLDER`
//! writes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::{Catalog, Effect, Repeat, Risk};
use escher_core::CatalogWorld;
use escher_ir::audit::{AuditEntry, AuditEvent, AuditSegment};
use escher_ir::codec::{self, Stored};
use escher_ir::journal::{Entry, Event, Outcome, RunStatus, Segment, SmallObject, StoredValue};
use escher_ir::operation::StoredRecord;
use escher_ir::plan::{ItemId, Plan, PlannedArgument, PlannedCall, PlannedItem, PlannedStep, Replaced, Rollback};
use escher_ir::program::Program;
use escher_ir::{Digest, Named, Record, Target, Value};
use jiff::{SignedDuration, Timestamp};

use crate::cloud::OPERATIONS;
use crate::packs::{self, Packed};

/// A seed: target, a name, bytes.
pub type Seed = (&'static str, String, Vec<u8>);

const TEXTS: &[(&str, &str)] = &[
    ("stop", include_str!("../../../examples/stop_dev_instances.esc")),
    ("close_group", include_str!("../../corpus/ok/close_group.esc")),
    ("expressions", include_str!("../../corpus/ok/expressions.esc")),
    ("items", include_str!("../../corpus/ok/items.esc")),
    ("patch", include_str!("../../corpus/ok/patch.esc")),
    ("retire_volumes", include_str!("../../corpus/ok/retire_volumes.esc")),
    ("rightsize", include_str!("../../corpus/ok/rightsize.esc")),
    ("rotate_keys", include_str!("../../corpus/ok/rotate_keys.esc")),
    ("statements", include_str!("../../corpus/ok/statements.esc")),
    ("stop_dev_vms", include_str!("../../corpus/ok/stop_dev_vms.esc")),
    ("heads", include_str!("../../corpus/broken/heads.esc")),
];

/// Pages with a playbook in each block.
const PAGES: &[(&str, &str)] = &[
    ("bounds", include_str!("../../spec/bounds.md")),
    ("calls", include_str!("../../spec/calls.md")),
    ("clouds", include_str!("../../spec/clouds.md")),
    ("habits", include_str!("../../spec/habits.md")),
    ("names", include_str!("../../spec/names.md")),
    ("order", include_str!("../../spec/order.md")),
    ("risk", include_str!("../../spec/risk.md")),
    ("steps", include_str!("../../spec/steps.md")),
    ("types", include_str!("../../spec/types.md")),
];

/// All seeds of all targets.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let texts = texts();
    for (name, text) in &texts {
        for target in ["parse", "format", "check"] {
            seeds.push((target, name.clone(), text.clone().into_bytes()));
        }
    }
    for (name, text) in &texts {
        for (number, playbook) in escher_core::check(&CatalogWorld, text).playbooks.into_iter().enumerate() {
            if let Some(program) = playbook.program().cloned() {
                both(&mut seeds, "ir", &format!("{name}-{number}"), 0, &*program);
            }
        }
    }
    plan().iter().for_each(|plan| both(&mut seeds, "ir", "plan", 1, plan));
    for operation in ["aws.sts.get_caller_identity", "aws.dynamodb.query"] {
        if let Some(record) = Catalog::embedded().record(operation) {
            both(&mut seeds, "ir", operation, 2, &StoredRecord((*record).clone()));
        }
    }
    both(&mut seeds, "journal", "segment", 0, &segment());
    let audit = audit();
    both(&mut seeds, "journal", "audit", 1, &AuditSegment { entries: audit.clone() });
    audit.iter().for_each(|entry| both(&mut seeds, "journal", &format!("entry-{}", entry.number), 2, entry));
    both(&mut seeds, "journal", "value", 3, &StoredValue(value()));
    if let Some(bench) = crate::approval::bench() {
        both(&mut seeds, "journal", "approval", 4, &bench.signed);
        let file = format!(
            "# people\nmara,ben@* {key}\n!eve,* namespaces=\"git,escher-*\",valid-after=\"20260101\",valid-before=20270101120000Z {key} x\n",
            key = bench.key
        );
        seeds.push(("signers", "file".to_owned(), [&[0], file.as_bytes()].concat()));
        let signed = format!("{}\0{}", bench.signed.statement, bench.signed.signature);
        seeds.push(("signers", "signed".to_owned(), [&[1], signed.as_bytes()].concat()));
    }
    catalogs(&mut seeds);
    for (name, operation, status, content_type, body) in ANSWERS {
        let number = OPERATIONS.iter().position(|o| o == operation).and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
        seeds.push(("aws_answer", (*name).to_owned(), [&[number, *status, *content_type], *body].concat()));
    }
    let nested = |open: &str, middle: &str, close: &str, count: usize| {
        [open.repeat(count), middle.to_owned(), close.repeat(count)].concat()
    };
    for (name, operation, before, middle, after) in [
        ("deep_list", "aws.dynamodb.query", r#"{"Items":[{"a":"#, nested(r#"{"L":["#, r#"{"S":"x"}"#, "]}", 30), "}]}"),
        (
            "deep_map",
            "aws.dynamodb.query",
            r#"{"Items":[{"a":"#,
            nested(r#"{"M":{"a":"#, r#"{"S":"x"}"#, "}}", 46),
            "}]}",
        ),
        (
            "deep_rule",
            "aws.wafv2.get_web_acl",
            r#"{"WebACL":{"Rules":[{"Statement":"#,
            nested(r#"{"NotStatement":{"Statement":"#, "{}", "}}", 46),
            "}]}}",
        ),
    ] {
        let number = OPERATIONS.iter().position(|o| *o == operation).and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
        let body = [before, &middle, after].concat();
        seeds.push(("aws_answer", name.to_owned(), [&[number, 0, 2], body.as_bytes()].concat()));
    }
    for (number, (kind, form)) in FORMS.iter().enumerate() {
        seeds.push(("sandbox_form", format!("form-{number}"), [&[*kind], form.as_bytes()].concat()));
    }
    seeds
}

/// A value as it is stored, without an envelope and with one.
fn both<T: Stored>(seeds: &mut Vec<Seed>, target: &'static str, name: &str, kind: u8, value: &T) {
    if let (Ok(bare), Ok((_, whole))) = (codec::canonical(value), codec::encode(value)) {
        seeds.push((target, name.to_owned(), [&[kind], &*bare].concat()));
        seeds.push((target, format!("{name}-envelope"), [&[kind + 8], &*whole].concat()));
    }
}

/// Playbooks that nest as deeply as the parser allows, and deeper than can be stored.
fn deep() -> impl Iterator<Item = (String, String)> {
    let shapes = [("sum", "a + ", "a", "", 60), ("sum", "a + ", "a", "", 250), ("record", "{ a: ", "a", " }", 60)];
    let more = [("record", "{ a: ", "a", " }", 120), ("choice", "if b { ", "a", " } else { 2 }", 60)];
    let most = [("choice", "if b { ", "a", " } else { 2 }", 120), ("list", "[", "a", "]", 120)];
    shapes.into_iter().chain(more).chain(most).map(|(name, open, middle, close, count)| {
        let value = [&open.repeat(count), middle, &close.repeat(count)].concat();
        let text = format!("playbook p(b: bool) {{\n    let a = 1\n    let x = {value}\n}}\n");
        (format!("deep-{name}-{count}"), text)
    })
}

/// Texts of playbooks by name.
fn texts() -> Vec<(String, String)> {
    let files = TEXTS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let blocks = PAGES.iter().flat_map(|(page, text)| {
        let blocks = text.split("```esc\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.enumerate().map(move |(number, block)| (format!("{page}-{number}"), block.to_owned()))
    });
    files.chain(blocks).chain(deep()).collect()
}

/// The program of the example.
pub(crate) fn program() -> Option<Program> {
    static PROGRAM: std::sync::OnceLock<Option<Program>> = std::sync::OnceLock::new();
    let (_, text) = TEXTS.first()?;
    let make =
        || escher_core::check(&CatalogWorld, text).playbooks.into_iter().next().and_then(|p| p.program().cloned());
    PROGRAM.get_or_init(|| make().map(std::sync::Arc::unwrap_or_clone)).clone()
}

/// A plan with one item.
pub(crate) fn plan() -> Option<Plan> {
    let program = program()?;
    let item = ItemId { target: 0, kind: "aws.ec2.Instance".into(), id: "i-0abc".into() };
    let call = PlannedCall {
        site: "stop/stop_instances".into(),
        operation: "aws.ec2.stop_instances".into(),
        target: 0,
        arguments: Named::from_iter([
            ("instance_ids".into(), PlannedArgument::Item(Value::list(vec![Value::text("i-0abc")]))),
            ("force".into(), PlannedArgument::Constant(Value::Bool(false))),
            ("hibernate".into(), PlannedArgument::Hole(Value::Hole("run.started".into()))),
        ]),
        effects: vec![Effect::Interrupt],
        risk: Risk::Medium,
        repeat: Repeat::Idempotent,
    };
    Some(Plan {
        program: codec::digest(&program).ok()?,
        playbook: program.playbook.name.clone(),
        risk: Risk::High,
        approval: None,
        parameters: BTreeMap::from([("env".to_owned(), Value::text("dev"))]),
        targets: vec![target()],
        operations: program.operations.iter().map(|(name, used)| (name.clone(), used.record)).collect(),
        waiters: BTreeMap::new(),
        steps: vec![PlannedStep {
            name: "stop".to_owned(),
            title: Some("Stop the machines".to_owned()),
            max: 500,
            up_to: None,
            items: vec![PlannedItem { item: item.clone(), calls: vec![call] }],
            skipped_absent: vec![item],
            rollback: Rollback::Undo,
            below: None,
        }],
        policy: "1".to_owned(),
        recheck_after_ms: Some(30_000),
        replaced: vec![Replaced { path: "machines/describe_instances".into(), kind: "denied".into(), code: None }],
        asks: Vec::new(),
        part: None,
        under: None,
    })
}

fn target() -> Target {
    Target {
        cloud: "aws".to_owned(),
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        ..Target::default()
    }
}

/// One value of each kind.
fn value() -> Value {
    let decimal = |text: &str| text.parse().unwrap_or_default();
    let mut record = Record::of([(Arc::from("id"), Value::text("i-1")), (Arc::from("size"), Value::Size(1 << 30))]);
    record.shape = Some("aws.ec2.Instance".into());
    record.target = Some(Arc::new(target()));
    Value::list(vec![
        Value::None,
        Value::Bool(true),
        Value::Int(-1),
        Value::Float(1.5),
        Value::Duration(SignedDuration::from_mins(90)),
        Value::Percent(decimal("12.50")),
        Value::Money(decimal("0.10"), "USD".into()),
        Value::Instant(Timestamp::UNIX_EPOCH),
        Value::Date(jiff::civil::date(2026, 11, 21)),
        Value::Bytes(Arc::from(&b"ab"[..])),
        Value::map([("k", Value::text("v"))]),
        Value::Record(Arc::new(record)),
        Value::Target(Arc::new(target())),
        Value::Absent("next_token".into()),
        Value::Hole("now()".into()),
    ])
}

fn segment() -> Segment {
    let digest = Digest([1; 32]);
    let item = || ItemId { target: 0, kind: "aws.ec2.Instance".into(), id: "i-0abc".into() };
    let path = || "stop[i-0abc]/stop_instances".to_owned();
    let events = [
        Event::Started {
            plan: digest,
            program: digest,
            approvals: vec![digest],
            principal: "mara".to_owned(),
            undo_of: None,
        },
        Event::Fixed { path: "machines/describe_instances".to_owned(), value: digest, began: Timestamp::UNIX_EPOCH },
        Event::Intent {
            path: path(),
            operation: "aws.ec2.stop_instances".to_owned(),
            step: "stop".to_owned(),
            items: vec![item()],
            arguments: digest,
            token: Some("t".to_owned()),
            attempt: 1,
        },
        Event::Answer { path: path(), value: digest, request_id: Some("r-1".to_owned()) },
        Event::Ended {
            step: "stop".to_owned(),
            item: item(),
            outcome: Outcome::Done,
            reason: None,
            value: Some(digest),
            request_id: None,
        },
        Event::StepEnded { step: "stop".to_owned(), still_listed: Some(vec![item()]) },
        Event::Finished {
            status: RunStatus::Done,
            value: None,
            message: None,
            totals: BTreeMap::from([(Outcome::Done, 1), (Outcome::Failed, 0)]),
        },
    ];
    let events = events.into_iter().map(|event| Entry { at: Timestamp::UNIX_EPOCH, event }).collect();
    let objects = vec![SmallObject { digest, body: Arc::from(*b"\xa1cint\x01") }];
    Segment { first: 3, events, objects }
}

fn audit() -> Vec<AuditEntry> {
    let digest = Digest([2; 32]);
    let run = || "run-1".to_owned();
    let events = [
        AuditEvent::Approved {
            run: run(),
            approval: digest,
            plan: digest,
            principal: "mara".to_owned(),
            key: "SHA256:x".to_owned(),
            comment: "ok".to_owned(),
        },
        AuditEvent::Refused { run: None, principal: "eve".to_owned(), reason: "no".to_owned() },
        AuditEvent::Finished { run: run(), status: RunStatus::Failed, totals: BTreeMap::from([(Outcome::Denied, 2)]) },
    ];
    let numbered = (0..).zip(events);
    numbered.map(|(number, event)| AuditEntry { number, before: digest, at: Timestamp::UNIX_EPOCH, event }).collect()
}

fn catalogs(seeds: &mut Vec<Seed>) {
    let Some(aws) = Packed::embedded() else { return };
    let (partitions, rules) = aws.rules().unwrap_or_default();
    for service in ["sts", "sso", "signin"] {
        let Some(chunk) = aws.chunk(service) else { continue };
        let pack = packs::write(&chunk, partitions.as_bytes());
        seeds.push(("catalog", format!("pack-{service}"), [&[0], &*pack].concat()));
        seeds.push(("catalog", format!("chunk-{service}"), [&[1], &*chunk].concat()));
    }
    for (number, text) in rules.iter().enumerate().filter(|(_, text)| text.len() < 4_000).take(3) {
        seeds.push(("catalog", format!("rules-{number}"), [&[2], text.as_bytes()].concat()));
    }
}

/// Name, operation, status and content type by number, body.
type Said = (&'static str, &'static str, u8, u8, &'static [u8]);

const ANSWERS: &[Said] = &[
    (
        "instances",
        "aws.ec2.describe_instances",
        0,
        0,
        br#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><reservationSet><item><reservationId>r-1</reservationId><ownerId>123456789012</ownerId><groupSet/><instancesSet><item><instanceId>i-0abc</instanceId><amiLaunchIndex>0</amiLaunchIndex><launchTime>2026-01-15T09:00:00.000Z</launchTime><instanceState><code>16</code><name>running</name></instanceState><ebsOptimized>false</ebsOptimized><tagSet><item><key>env</key><value>d&amp;v</value></item><item><key>bare</key></item></tagSet><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-1</volumeId></ebs></item></blockDeviceMapping></item></instancesSet></item></reservationSet><nextToken>t</nextToken></DescribeInstancesResponse>"#,
    ),
    (
        "interleaved",
        "aws.s3.list_objects_v2",
        0,
        0,
        b"<ListBucketResult><Name>b</Name><Contents><Key>a</Key><Size>1</Size></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><!-- c --><Contents><Key><![CDATA[<b>]]></Key></Contents><CommonPrefixes/><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
    ),
    (
        "volumes",
        "aws.ec2.describe_volumes",
        0,
        0,
        b"<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><size>8</size><createTime>2026-01-15T09:00:00Z</createTime></item></volumeSet></DescribeVolumesResponse>",
    ),
    (
        "refused",
        "aws.ec2.describe_instances",
        6,
        0,
        b"<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>The instance ID 'i-1' does not exist</Message></Error></Errors><RequestID>r-1</RequestID></Response>",
    ),
    (
        "identity",
        "aws.sts.get_caller_identity",
        0,
        0,
        b"<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/a</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
    ),
    (
        "expired",
        "aws.sts.get_caller_identity",
        7,
        0,
        b"<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>expired</Message></Error><RequestId>r</RequestId></ErrorResponse>",
    ),
    (
        "users",
        "aws.iam.list_users",
        0,
        0,
        b"<ListUsersResponse><ListUsersResult><Users><member><UserName>a</UserName><Path>/</Path><CreateDate>2026-01-01T00:00:00Z</CreateDate></member></Users><IsTruncated>true</IsTruncated><Marker>m</Marker></ListUsersResult></ListUsersResponse>",
    ),
    (
        "objects",
        "aws.s3.list_objects_v2",
        0,
        0,
        b"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><KeyCount>1</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>a b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>434234</Size><StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>",
    ),
    (
        "late_error",
        "aws.s3.list_objects_v2",
        0,
        0,
        b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message><RequestId>r</RequestId></Error>",
    ),
    ("object", "aws.s3.get_object", 0, 4, b"Wed, 21 Oct 2026 07:28:00 GMT\nbody"),
    ("head", "aws.s3.head_object", 0, 4, b"12"),
    (
        "zones",
        "aws.route53.list_hosted_zones",
        0,
        0,
        b"<ListHostedZonesResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><HostedZones><HostedZone><Id>/hostedzone/Z</Id><Name>example.org.</Name><CallerReference>c</CallerReference><ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>",
    ),
    (
        "items",
        "aws.dynamodb.query",
        0,
        2,
        br#"{"Items":[{"id":{"S":"\u00e4"},"n":{"N":"1"},"b":{"B":"aGk="},"l":{"L":[{"M":{"x":{"BOOL":true}}},{"NULL":true}]},"s":{"SS":["a","b"]}}],"Count":1,"ScannedCount":1,"LastEvaluatedKey":{"id":{"S":"1"}}}"#,
    ),
    (
        "throttled",
        "aws.dynamodb.query",
        6,
        2,
        br#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}"#,
    ),
    (
        "functions",
        "aws.lambda.list_functions",
        0,
        1,
        br#"{"NextMarker":null,"Functions":[{"FunctionName":"f","FunctionArn":"arn:aws:lambda:eu-west-1:1:function:f","Runtime":"python3.13","CodeSize":12,"Timeout":3,"MemorySize":128,"LastModified":"2026-01-01T00:00:00.000+0000","Environment":{"Variables":{"A":"b"}},"Layers":[],"Architectures":["x86_64"]}]}"#,
    ),
    (
        "alarms",
        "aws.cloudwatch.describe_alarms",
        0,
        3,
        b"\xa2\x6cMetricAlarms\x9f\xa4\x69AlarmName\x61a\x69Threshold\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00\x6eActionsEnabled\xf5\x75StateUpdatedTimestamp\xc1\x1a\x69\x5b\xc0\x00\xff\x69NextToken\x61t",
    ),
    (
        "alarms_refused",
        "aws.cloudwatch.describe_alarms",
        6,
        3,
        b"\xa2\x66__type\x78\x2bcom.amazonaws.cloudwatch#InvalidNextTokenEx\x67message\x62no",
    ),
    (
        "secret",
        "aws.secretsmanager.get_secret_value",
        0,
        2,
        br#"{"ARN":"a","Name":"n","SecretString":"hush","SecretBinary":"aHVzaA==","CreatedDate":1.5,"VersionStages":["AWSCURRENT"]}"#,
    ),
    (
        "messages",
        "aws.sqs.receive_message",
        0,
        2,
        br#"{"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":"b","Attributes":{"SentTimestamp":"1"},"MessageAttributes":{"a":{"DataType":"String","StringValue":"x"}}}]}"#,
    ),
    (
        "flow",
        "aws.bedrock_agent.get_flow",
        0,
        1,
        br#"{"name":"f","id":"1","arn":"a","status":"Prepared","createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z","version":"1","executionRoleArn":"r","definition":{"nodes":[{"name":"n","type":"Input","configuration":{"input":{}}}],"connections":[]}}"#,
    ),
    (
        "acl",
        "aws.wafv2.get_web_acl",
        0,
        2,
        br#"{"WebACL":{"Name":"a","Id":"1","ARN":"a","DefaultAction":{"Allow":{}},"Rules":[{"Name":"r","Priority":0,"Statement":{"NotStatement":{"Statement":{"AndStatement":{"Statements":[{"GeoMatchStatement":{"CountryCodes":["DE"]}},{"ByteMatchStatement":{"SearchString":"aGk=","FieldToMatch":{"UriPath":{}},"TextTransformations":[{"Priority":0,"Type":"NONE"}],"PositionalConstraint":"EXACTLY"}}]}}}},"VisibilityConfig":{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":false,"MetricName":"m"}}],"VisibilityConfig":{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":false,"MetricName":"m"},"Capacity":1},"LockToken":"l"}"#,
    ),
    (
        "agents",
        "aws.ssm.describe_instance_information",
        0,
        2,
        br#"{"InstanceInformationList":[{"InstanceId":"i-1","PingStatus":"Online","LastPingDateTime":1.7e9,"IsLatestVersion":true,"IPAddress":"10.0.0.1"}],"NextToken":"t"}"#,
    ),
];

const FORMS: &[(u8, &str)] = &[
    (0, "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aenv&Filter.1.Value.1=dev&MaxResults=5"),
    (
        0,
        "Action=RunInstances&Version=2016-11-15&ImageId=ami-0123456789abcdef0&MinCount=1&MaxCount=2&InstanceType=t3.micro&ClientToken=x&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b\nAction=DescribeInstances&MaxResults=5\nAction=RunInstances&ImageId=ami-0123456789abcdef0&MinCount=1&MaxCount=2&ClientToken=x",
    ),
    (
        0,
        "Action=StopInstances&InstanceId.1=i-0123456789abcdef0\nAction=DescribeInstanceStatus&IncludeAllInstances=true\nAction=StartInstances&InstanceId.1=i-0123456789abcdef0&DryRun=true\nAction=TerminateInstances&InstanceId.1=i-0123456789abcdef0\nAction=RebootInstances&InstanceId.1=i-0123456789abcdef0",
    ),
    (
        0,
        "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=8&VolumeType=gp3\nAction=CreateSnapshot&VolumeId=vol-0123456789abcdef0\nAction=DescribeSnapshots&OwnerId.1=self\nAction=DeleteVolume&VolumeId=vol-0123456789abcdef0\nAction=DescribeVolumes&Filter.1.Name=status&Filter.1.Value.1=avail*\nAction=ModifyVolume&VolumeId=vol-0123456789abcdef0&Size=16",
    ),
    (
        0,
        "Action=CreateTags&ResourceId.1=i-0123456789abcdef0&Tag.1.Key=env&Tag.1.Value=%3Cx%3E\nAction=DescribeTags&MaxResults=5\nAction=DeleteTags&ResourceId.1=i-0123456789abcdef0&Tag.1.Key=env",
    ),
    (
        0,
        "Action=ModifyInstanceAttribute&InstanceId=i-0123456789abcdef0&DisableApiTermination.Value=true\nAction=DescribeInstanceAttribute&InstanceId=i-0123456789abcdef0&Attribute=disableApiTermination",
    ),
    (
        0,
        "Action=DescribeRegions\nAction=DescribeAvailabilityZones\nAction=AttachVolume&VolumeId=vol-0123456789abcdef0&InstanceId=i-0123456789abcdef0&Device=/dev/sdf\nAction=DetachVolume&VolumeId=vol-0123456789abcdef0",
    ),
    (1, "Action=GetCallerIdentity&Version=2011-06-15"),
    (
        1,
        "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=s&DurationSeconds=900\nAction=GetCallerIdentity",
    ),
];
