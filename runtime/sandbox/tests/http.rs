//! The practice cloud over a socket: raw HTTP in, raw HTTP out.

mod client;

use std::time::Duration;

use client::{Lab, form};
use escher_sandbox::{Options, Seed};

const DEV: &str = "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag:env&Filter.1.Value.1=dev\
                   &Filter.2.Name=instance-state-name&Filter.2.Value.1=running";

#[test]
fn the_first_minutes_with_it() {
    let lab = Lab::start(Seed::default(), Options::default());
    let answer = lab.sts("Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"));
    assert!(answer.body.contains("<Account>123456789012</Account>"), "{}", answer.body);

    let found = lab.ec2(DEV);
    let ids = found.all("instanceId");
    assert_eq!((found.status, ids.len()), (200, 12), "{}", found.body);
    assert_eq!(found.header("content-type"), Some("text/xml;charset=UTF-8"));
    assert_eq!(found.header("x-amzn-requestid"), found.all("requestId").first().map(String::as_str));

    let stopped = lab.ec2(&form("StopInstances", &[("InstanceId.1", &ids[0]), ("InstanceId.2", &ids[1])]));
    assert_eq!(stopped.all("name"), ["stopping", "running", "stopping", "running"], "{}", stopped.body);
    let started = lab.ec2(&form("StartInstances", &[("InstanceId.1", &ids[0])]));
    assert_eq!((started.status, started.all("Code")), (400, vec!["IncorrectInstanceState".to_owned()]));
    lab.until(&ids[0], "stopped");

    let activity = lab.get("/_sandbox/activity?since=2").json();
    let entry = &activity["entries"][0];
    assert_eq!((&entry["action"], &entry["principal"]), (&"StopInstances".into(), &"AKIAPRACTICE".into()));
    assert_eq!(entry["transitions"][0]["resource"], ids[0].as_str());
    assert_eq!(
        (&entry["transitions"][0]["to"], &entry["transitions"][0]["settles"]),
        (&"stopping".into(), &"stopped".into())
    );
    assert_eq!(activity["entries"][1]["code"], "IncorrectInstanceState");

    let state = lab.get("/_sandbox/state").json();
    let instances = state["aws"]["accounts"][0]["regions"]["us-east-1"]["instances"].as_array().unwrap();
    let shown = instances.iter().find(|i| i["id"] == ids[0].as_str()).unwrap();
    assert_eq!(shown["state"]["state"], "stopped");
    assert_eq!(lab.post("/_sandbox/reset", "").status, 200);
    assert_eq!(lab.ec2(DEV).all("instanceId").len(), 12);
}

#[test]
fn says_no_as_aws_does() {
    let lab = Lab::start(Seed::default(), Options::default());
    for (body, status, code) in [
        ("Action=LaunchRocket&Version=2016-11-15", 400, "InvalidAction"),
        ("Action=DescribeFleets&Version=2016-11-15", 400, "UnsupportedOperation"),
        ("Action=DescribeInstances&Version=2001-01-01", 400, "NoSuchVersion"),
        ("Version=2016-11-15", 400, "MissingAction"),
        ("Action=StopInstances&Version=2016-11-15", 400, "MissingParameter"),
        ("Action=StopInstances&Version=2016-11-15&InstanceId.1=x", 400, "InvalidInstanceID.Malformed"),
        ("Action=StopInstances&Version=2016-11-15&InstanceId.1=i-12345678", 400, "InvalidInstanceID.NotFound"),
        ("Action=DescribeRegions&Version=2016-11-15&DryRun=true", 412, "DryRunOperation"),
    ] {
        let answer = lab.ec2(body);
        assert_eq!((answer.status, answer.all("Code")), (status, vec![code.to_owned()]), "{body}");
        assert!(answer.body.contains("<Response><Errors><Error>"), "{}", answer.body);
    }
    let action = lab.ec2("Action=LaunchRocket&Version=2016-11-15");
    assert!(action.body.contains("The action LaunchRocket is not valid for this web service."), "{}", action.body);
    let unsigned = lab.raw("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert!(unsigned.starts_with("HTTP/1.1 403") && unsigned.contains("MissingAuthenticationToken"), "{unsigned}");
    let sts = lab.sts("Action=Nothing&Version=2011-06-15");
    assert!(sts.body.contains("<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction"), "{}", sts.body);
    let elsewhere = lab.signed("ec2", "mars-1", DEV);
    assert_eq!((elsewhere.status, elsewhere.all("Code")), (401, vec!["AuthFailure".to_owned()]));
    let sqs = lab.signed("sqs", "us-east-1", DEV);
    assert_eq!(sqs.all("Code"), ["UnsupportedOperation"]);
}

#[test]
fn accounts_are_apart_and_roles_lead_across() {
    let seed = "[[accounts]]\nid = \"111111111111\"\n[[accounts]]\nid = \"222222222222\"\naccess_keys = [\"AKIATWO\"]\n\
                [[instances]]\nname = \"theirs\"\naccount = \"222222222222\"\n";
    let lab = Lab::start(Seed::parse(seed).unwrap(), Options::default());
    let all = form("DescribeInstances", &[]);
    assert!(lab.ec2(&all).all("instanceId").is_empty());
    assert_eq!(lab.signed_by("AKIATWO", "ec2", "us-east-1", &all).all("ownerId"), ["222222222222"]);
    let role = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&RoleArn=arn:aws:iam::";
    let key = lab.sts(&format!("{role}222222222222:role/ops")).all("AccessKeyId").remove(0);
    assert_eq!(lab.signed_by(&key, "ec2", "us-east-1", &all).all("instanceId").len(), 1);
    let who = lab.signed_by(&key, "sts", "us-east-1", "Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(who.all("Arn"), ["arn:aws:sts::222222222222:assumed-role/ops/me"]);
    assert_eq!(lab.sts(&format!("{role}333333333333:role/ops")).status, 403);
}

#[test]
fn faults_happen_as_told() {
    let lab = Lab::start(Seed::default(), Options::default());
    let rules = r#"{"rules": [
        {"action": "DescribeRegions", "fault": "throttle", "times": 1},
        {"action": "GetCallerIdentity", "fault": "throttle", "times": 1},
        {"action": "StopInstances", "fault": "lost_answer", "times": 1},
        {"action": "TerminateInstances", "fault": "reset"},
        {"action": "DescribeTags", "fault": "unavailable"},
        {"action": "DescribeVolumes", "fault": "latency", "milliseconds": 120}]}"#;
    assert_eq!(lab.post("/_sandbox/faults", rules).status, 200);
    let regions = form("DescribeRegions", &[]);
    let throttled = lab.ec2(&regions);
    assert_eq!((throttled.status, throttled.all("Code")), (503, vec!["RequestLimitExceeded".to_owned()]));
    assert_eq!(lab.ec2(&regions).status, 200);
    let identity = lab.sts("Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!((identity.status, identity.all("Code")), (400, vec!["Throttling".to_owned()]));
    assert_eq!(lab.ec2(&form("DescribeTags", &[])).all("Code"), ["Unavailable"]);
    let before = std::time::Instant::now();
    assert_eq!(lab.ec2(&form("DescribeVolumes", &[])).status, 200);
    assert!(before.elapsed() >= Duration::from_millis(120));

    let ids = lab.ec2(DEV).all("instanceId");
    assert_eq!(lab.try_ec2(&form("StopInstances", &[("InstanceId.1", &ids[0])])).unwrap_or_default(), "");
    lab.until(&ids[0], "stopped");
    // A reset is an error of the socket; nothing was done.
    let reset = lab.try_ec2(&form("TerminateInstances", &[("InstanceId.1", &ids[1])]));
    assert_eq!(reset.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    lab.until(&ids[1], "running");
    let activity = lab.get("/_sandbox/activity").json();
    let answers: Vec<&str> =
        activity["entries"].as_array().unwrap().iter().map(|e| e["answer"].as_str().unwrap()).collect();
    assert_eq!(
        (answers.iter().filter(|a| **a == "lost").count(), answers.iter().filter(|a| **a == "reset").count()),
        (1, 1)
    );
    let fired = lab.get("/_sandbox/faults").json();
    assert_eq!(fired["rules"][3]["fired"], 1);
    assert_eq!(lab.post("/_sandbox/faults", "{\"rules\": [{\"fault\": \"fire\"}]}").status, 400);
}

#[test]
fn the_log_and_the_state_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let (log, state) = (folder.path().join("log"), folder.path().join("state.json"));
    let options = Options { log: Some(log.clone()), state: Some(state.clone()), ..Options::default() };
    let lab = Lab::start(Seed::default(), options.clone());
    let id = lab.ec2(DEV).all("instanceId").remove(0);
    lab.ec2(&form("CreateTags", &[("ResourceId.1", &id), ("Tag.1.Key", "seen"), ("Tag.1.Value", "yes")]));
    lab.stop();
    let lines = std::fs::read_to_string(&log).unwrap();
    assert_eq!(lines.lines().filter(|l| serde_json::from_str::<serde_json::Value>(l).is_ok()).count(), 2);
    let again = Lab::with_world(escher_sandbox::World::load(&state).unwrap(), options);
    let found = again.ec2(&form("DescribeInstances", &[("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", "seen")]));
    assert_eq!(found.all("instanceId"), [id]);
}

#[test]
fn every_answer_of_every_read_is_modelled() {
    // A member that the output shape doesn't have would be left out in silence: each must come back in the XML.
    let lab = Lab::start(Seed::default(), Options::default());
    let body = lab.ec2(&form("DescribeInstances", &[])).body;
    for element in [
        "architecture",
        "attachTime",
        "deleteOnTermination",
        "status",
        "volumeId",
        "deviceName",
        "ebs",
        "clientToken",
        "ebsOptimized",
        "enaSupport",
        "hypervisor",
        "rootDeviceName",
        "rootDeviceType",
        "groupId",
        "groupName",
        "sourceDestCheck",
        "stateReason",
        "tagSet",
        "virtualizationType",
        "platformDetails",
        "usageOperation",
        "instanceId",
        "imageId",
        "instanceState",
        "privateDnsName",
        "dnsName",
        "reason",
        "amiLaunchIndex",
        "instanceType",
        "launchTime",
        "placement",
        "availabilityZone",
        "tenancy",
        "monitoring",
        "subnetId",
        "vpcId",
        "privateIpAddress",
        "ipAddress",
        "reservationId",
        "ownerId",
        "groupSet",
        "instancesSet",
    ] {
        assert!(body.contains(&format!("<{element}>")), "{element}");
    }
    let body = lab.ec2(&form("DescribeVolumes", &[])).body;
    for element in [
        "iops",
        "throughput",
        "volumeType",
        "multiAttachEnabled",
        "size",
        "snapshotId",
        "createTime",
        "attachmentSet",
        "device",
        "encrypted",
    ] {
        assert!(body.contains(&format!("<{element}>")), "{element}");
    }
}
