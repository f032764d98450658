"""The fleet that the lab's scenarios work on, in an AWS emulator on loopback.

fleet.py ENDPOINT seed DEV PROD   empties the emulator and starts that many instances tagged env=dev and env=prod
fleet.py ENDPOINT state           prints every instance: {id: [env, state]}
fleet.py ENDPOINT user            makes an IAM user who may describe, stop and start instances, and prints the access key
fleet.py ENDPOINT admin           makes one who may do everything
fleet.py ENDPOINT library         empties the emulator and makes something to do for every playbook of the library
fleet.py ENDPOINT plant STORED READ plants two secrets, in the Parameter Store and in the Secrets Manager
fleet.py ENDPOINT planted         prints what the Secrets Manager keeps by name, and the ids of the planted user's keys
fleet.py ENDPOINT allowed NAME    makes a user whose policy is read from standard input, and prints the access key
"""

import datetime
import json
import os
import sys
import urllib.request

import boto3
from botocore.config import Config

LEAST = ["ec2:DescribeInstances", "ec2:StopInstances", "ec2:StartInstances"]


def client(endpoint, service, region="us-east-1"):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        # The key of AWS's manuals, unless the environment has one that the emulator knows.
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        config=Config(retries={"max_attempts": 1}),
    )


def reset(endpoint):
    for path in ("/moto-api/reset", "/_ministack/reset"):
        try:
            urllib.request.urlopen(urllib.request.Request(endpoint + path, method="POST")).read()
            return
        except OSError:
            continue
    raise SystemExit("the emulator could not be emptied")


def seed(endpoint, counts):
    reset(endpoint)
    ec2 = client(endpoint, "ec2")
    for env, count in counts:
        # Reservations of five, so that a description has many of them, as real accounts have.
        for start in range(0, count, 5):
            size = min(5, count - start)
            tags = [{"Key": "env", "Value": env}, {"Key": "Name", "Value": f"{env}-{start}"}]
            ec2.run_instances(
                ImageId="ami-12c6146b",
                InstanceType="t3.micro",
                MinCount=size,
                MaxCount=size,
                TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
            )


def library(endpoint):
    """Something to do for every playbook of the library, and for the examples."""
    reset(endpoint)
    ec2 = client(endpoint, "ec2")

    def machine(kind, **tags):
        tags = [{"Key": key, "Value": value} for key, value in tags.items()]
        made = ec2.run_instances(
            ImageId="ami-12c6146b",
            InstanceType=kind,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        return made["Instances"][0]["InstanceId"]

    idle = machine("m5.xlarge", env="prod", owner="ada")
    for ring in "123":
        machine("t3.micro", env="prod", ring=ring)
    machine("t3.micro", env="prod", hours="office")
    # One for each of the examples that stop what is for development.
    machine("t3.micro", env="dev")
    machine("t3.micro", env="test")
    now = datetime.datetime.now(datetime.timezone.utc)
    client(endpoint, "cloudwatch").put_metric_data(
        Namespace="AWS/EC2",
        MetricData=[
            {
                "MetricName": "CPUUtilization",
                "Dimensions": [{"Name": "InstanceId", "Value": idle}],
                "Timestamp": now - datetime.timedelta(days=1),
                "Value": 2.0,
                "Unit": "Percent",
            }
        ],
    )
    marked = {"ResourceType": "volume", "Tags": [{"Key": "escher:marked", "Value": "2020-01-01T00:00:00Z"}]}
    ec2.create_volume(Size=1, AvailabilityZone="us-east-1a", TagSpecifications=[marked])
    volume = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    for name in ("first", "second", "third"):
        ec2.create_snapshot(VolumeId=volume, Description=name)
    s3 = client(endpoint, "s3")
    for name in ("open-one", "open-two"):
        s3.create_bucket(Bucket=name)
    iam = client(endpoint, "iam")
    iam.create_user(UserName="somebody")
    iam.create_access_key(UserName="somebody")


def state(endpoint):
    pages = client(endpoint, "ec2").get_paginator("describe_instances").paginate()
    instances = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
    env = lambda i: next((t["Value"] for t in i.get("Tags", []) if t["Key"] == "env"), "-")
    return {i["InstanceId"]: [env(i), i["State"]["Name"]] for i in instances}


def plant(endpoint, stored, read):
    reset(endpoint)
    client(endpoint, "ssm").put_parameter(Name="/lab/planted", Value=stored, Type="SecureString")
    client(endpoint, "secretsmanager").create_secret(Name="planted", SecretString=read)
    client(endpoint, "iam").create_user(UserName="planted")


def planted(endpoint):
    store = client(endpoint, "secretsmanager")
    names = [secret["Name"] for page in store.get_paginator("list_secrets").paginate() for secret in page["SecretList"]]
    keys = client(endpoint, "iam").list_access_keys(UserName="planted")["AccessKeyMetadata"]
    secrets = {name: store.get_secret_value(SecretId=name)["SecretString"] for name in names}
    return {"secrets": secrets, "keys": [key["AccessKeyId"] for key in keys]}


def user(endpoint, name, actions):
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return allowed(endpoint, name, json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def allowed(endpoint, name, document):
    iam = client(endpoint, "iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="lab", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


endpoint, command, *rest = sys.argv[1:]
if command == "seed":
    seed(endpoint, [("dev", int(rest[0])), ("prod", int(rest[1]))])
elif command == "state":
    print(json.dumps(state(endpoint)))
elif command == "user":
    print(json.dumps(user(endpoint, "operator", LEAST)))
elif command == "admin":
    print(json.dumps(user(endpoint, "admin", ["*"])))
elif command == "library":
    library(endpoint)
elif command == "plant":
    plant(endpoint, *rest)
elif command == "planted":
    print(json.dumps(planted(endpoint)))
elif command == "allowed":
    print(json.dumps(allowed(endpoint, rest[0], sys.stdin.read())))
else:
    raise SystemExit(__doc__)
