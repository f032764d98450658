"""The fleet that the lab's scenarios work on, in an AWS emulator on loopback.

fleet.py ENDPOINT seed DEV PROD   empties the emulator and starts that many instances tagged env=dev and env=prod
fleet.py ENDPOINT state           prints every instance: {id: [env, state]}
fleet.py ENDPOINT user            makes an IAM user who may describe, stop and start instances, and prints the access key
fleet.py ENDPOINT admin           makes one who may do everything
"""

import json
import os
import sys
import urllib.request

import boto3
from botocore.config import Config

LEAST = ["ec2:DescribeInstances", "ec2:StopInstances", "ec2:StartInstances"]


def client(endpoint, service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
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


def state(endpoint):
    pages = client(endpoint, "ec2").get_paginator("describe_instances").paginate()
    instances = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
    env = lambda i: next((t["Value"] for t in i.get("Tags", []) if t["Key"] == "env"), "-")
    return {i["InstanceId"]: [env(i), i["State"]["Name"]] for i in instances}


def user(endpoint, name, actions):
    iam = client(endpoint, "iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
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
else:
    raise SystemExit(__doc__)
