# The AWS CLI against the practice cloud of clients.toml. `aws.sh read N`: only what reads, after somebody else stopped N
# machines.
. "$(dirname "$0")/lib.sh"
text="--output text"
# This tool has an address of its own for rds in us-east-1, before what the environment says.
rds="rds --endpoint-url $AWS_ENDPOINT_URL"

if [ "$1" = read ]; then
    got stopped aws ec2 describe-instances --filters Name=tag:env,Values=dev Name=instance-state-name,Values=stopped --query 'length(Reservations[].Instances[])' $text
    [ "$stopped" = "$2" ] || { failed=$((failed + 1)); echo "FAILED: $stopped machines are stopped, not $2"; }
    hides stopped aws ec2 describe-instances --filters Name=tag:env,Values=prod --query 'Reservations[].Instances[].State.Name' $text
    got one aws ec2 describe-instances --filters Name=tag:Name,Values=dev-1 --query 'Reservations[].Instances[].InstanceId' $text
    says stopped aws ec2 describe-instance-status --instance-ids "$one" --include-all-instances
    says '' aws ec2 wait instance-stopped --instance-ids "$one"
    says env aws ec2 describe-tags --filters Name=resource-id,Values="$one"
    finish
fi

# What there is.
says 123456789012 aws sts get-caller-identity
says eu-central-1 aws ec2 describe-regions
says us-east-1a aws ec2 describe-availability-zones
says vpc- aws ec2 describe-vpcs
says subnet- aws ec2 describe-subnets
# Machines: looked at, moved, resized, tagged.
got one aws ec2 describe-instances --filters Name=tag:Name,Values=dev-1 --query 'Reservations[].Instances[].InstanceId' $text
got two aws ec2 describe-instances --filters Name=tag:Name,Values=dev-2 --query 'Reservations[].Instances[].InstanceId' $text
says stopping aws ec2 stop-instances --instance-ids "$one"
says 64 aws ec2 describe-instance-status --instance-ids "$one" --include-all-instances
refused InvalidInstanceID.NotFound aws ec2 describe-instances --instance-ids i-00000000000000000
says '' aws ec2 wait instance-stopped --instance-ids "$one"
says '' aws ec2 modify-instance-attribute --instance-id "$one" --instance-type Value=t3.large
says t3.large aws ec2 describe-instances --instance-ids "$one"
refused IncorrectInstanceState aws ec2 modify-instance-attribute --instance-id "$two" --instance-type Value=t3.large
says pending aws ec2 start-instances --instance-ids "$one"
says '' aws ec2 create-tags --resources "$one" --tags Key=team,Value=red
says red aws ec2 describe-tags --filters Name=resource-id,Values="$one"
says '' aws ec2 wait instance-running --instance-ids "$one"
says '' aws ec2 reboot-instances --instance-ids "$one"
says '' aws ec2 delete-tags --resources "$one" --tags Key=team
got new aws ec2 run-instances --image-id ami-0123456789abcdef0 --instance-type t3.micro --query 'Instances[].InstanceId' $text
says shutting-down aws ec2 terminate-instances --instance-ids "$new"
refused UnsupportedOperation aws ec2 describe-fleets
# Volumes, snapshots, images.
got volume aws ec2 create-volume --availability-zone us-east-1a --size 20 --query VolumeId $text
says gp2 aws ec2 describe-volumes --volume-ids "$volume"
says '' aws ec2 wait volume-available --volume-ids "$volume"
got snapshot aws ec2 create-snapshot --volume-id "$volume" --query SnapshotId $text
says "$volume" aws ec2 describe-snapshots --snapshot-ids "$snapshot"
says '' aws ec2 wait snapshot-completed --snapshot-ids "$snapshot"
says '' aws ec2 delete-snapshot --snapshot-id "$snapshot"
says '' aws ec2 delete-volume --volume-id "$volume"
got image aws ec2 create-image --instance-id "$one" --name golden --query ImageId $text
says golden aws ec2 describe-images --owners self
says '' aws ec2 wait image-available --image-ids "$image"
says '' aws ec2 deregister-image --image-id "$image"
# Groups, addresses, keys.
got group aws ec2 create-security-group --group-name guard --description practice --query GroupId $text
says true aws ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr 10.0.0.0/8
says 10.0.0.0/8 aws ec2 describe-security-groups --filters Name=group-name,Values=guard
says true aws ec2 revoke-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr 10.0.0.0/8
says '' aws ec2 delete-security-group --group-id "$group"
got address aws ec2 allocate-address --query AllocationId $text
got association aws ec2 associate-address --allocation-id "$address" --instance-id "$one" --query AssociationId $text
refused InUse aws ec2 release-address --allocation-id "$address"
says '' aws ec2 disassociate-address --association-id "$association"
says '' aws ec2 release-address --allocation-id "$address"
says practice aws ec2 create-key-pair --key-name lab
says lab aws ec2 describe-key-pairs
says '' aws ec2 delete-key-pair --key-name lab
# A database, which takes a while.
says creating aws $rds create-db-instance --db-instance-identifier shop --engine postgres --db-instance-class db.t3.micro --master-username keeper --master-user-password practice-1234 --allocated-storage 20
# Metrics.
says Average aws cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name CPUUtilization --dimensions Name=InstanceId,Value="$two" --start-time 2026-01-15T09:00:00Z --end-time 2026-01-15T10:00:00Z --period 300 --statistics Average
says CPUUtilization aws cloudwatch list-metrics --namespace AWS/EC2 --dimensions Name=InstanceId,Value="$two"
# Buckets and who may read them.
says practice-lab aws s3 mb s3://practice-lab
says practice-lab aws s3 ls
says true aws s3api get-public-access-block --bucket practice-lab
says '' aws s3api put-public-access-block --bucket practice-lab --public-access-block-configuration BlockPublicAcls=false
says false aws s3api get-public-access-block --bucket practice-lab
says '' aws s3api put-bucket-tagging --bucket practice-lab --tagging 'TagSet=[{Key=env,Value=dev}]'
says env aws s3api get-bucket-tagging --bucket practice-lab
says '' aws s3 rb s3://practice-lab
refused NoSuchBucket aws s3api get-bucket-tagging --bucket practice-lab
# The database, which is there by now.
says '' aws $rds wait db-instance-available --db-instance-identifier shop
says stopping aws $rds stop-db-instance --db-instance-identifier shop
says shop aws $rds describe-db-instances
refused NotFound aws $rds delete-db-instance --db-instance-identifier none --skip-final-snapshot
# Users, keys, parameters, secrets.
says user/keeper aws iam create-user --user-name keeper
got key aws iam create-access-key --user-name keeper --query AccessKey.AccessKeyId $text
says Active aws iam list-access-keys --user-name keeper
says '' aws iam update-access-key --user-name keeper --access-key-id "$key" --status Inactive
refused DeleteConflict aws iam delete-user --user-name keeper
says '' aws iam delete-access-key --user-name keeper --access-key-id "$key"
says '' aws iam delete-user --user-name keeper
says Version aws ssm put-parameter --name /shop/password --type SecureString --value practice-1234
says practice-1234 aws ssm get-parameter --name /shop/password --with-decryption
hides practice-1234 aws ssm get-parameter --name /shop/password
refused ParameterNotFound aws ssm get-parameter --name /none
says arn: aws secretsmanager create-secret --name shop --secret-string practice-1234
says practice-1234 aws secretsmanager get-secret-value --secret-id shop
finish
