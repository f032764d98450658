#!/bin/sh
# The benchmark's job with the aws command line: list, then stop by id.
set -eu
ids=$(aws ec2 describe-instances --filters Name=tag:env,Values=dev Name=instance-state-name,Values=running \
    --query 'Reservations[].Instances[].InstanceId' --output text)
aws ec2 stop-instances --instance-ids $ids --query 'length(StoppingInstances)' --output text
