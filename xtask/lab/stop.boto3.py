"""The benchmark's job as a boto3 script, the way an operator would write it."""

import boto3

ec2 = boto3.client("ec2")
filters = [{"Name": "tag:env", "Values": ["dev"]}, {"Name": "instance-state-name", "Values": ["running"]}]
pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
ids = [i["InstanceId"] for page in pages for r in page["Reservations"] for i in r["Instances"]]
stopped = 0
for start in range(0, len(ids), 100):
    stopped += len(ec2.stop_instances(InstanceIds=ids[start : start + 100])["StoppingInstances"])
print(stopped)
