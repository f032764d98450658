"""The benchmark's listing as a boto3 script, the way an operator would write it."""

import boto3

ec2 = boto3.client("ec2")
filters = [{"Name": "tag:env", "Values": ["dev"]}, {"Name": "instance-state-name", "Values": ["running"]}]
pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
print(sum(1 for page in pages for r in page["Reservations"] for i in r["Instances"]))
