# The Google Cloud CLI against the practice cloud of clients.toml. `gcloud.sh read N`: only what reads, after somebody else
# stopped N machines.
. "$(dirname "$0")/lib.sh"
zone=--zone=europe-west1-b

if [ "$1" = read ]; then
    got stopped gcloud compute instances list --filter='labels.env=dev AND status=TERMINATED' --format='value(name)'
    [ "$(echo "$stopped" | wc -l)" = "$2" ] || { failed=$((failed + 1)); echo "FAILED: stopped are $stopped, not $2"; }
    says TERMINATED gcloud compute instances describe dev-1 $zone --format='value(status)'
    says RUNNING gcloud compute instances describe prod-1 $zone --format='value(status)'
    hides TERMINATED gcloud compute instances list --filter=labels.env=prod
    says stop gcloud compute operations list --filter=operationType=stop
    finish
fi

# What there is.
says practice gcloud projects list
says ACTIVE gcloud projects describe practice
says europe-west1-b gcloud compute zones list
says us-central1 gcloud compute regions list
says e2-medium gcloud compute machine-types list --zones=europe-west1-b
# Machines: looked at, moved, resized, labelled.
says dev-1 gcloud compute instances list
hides prod-1 gcloud compute instances list --filter=labels.env=dev
says 'status: RUNNING' gcloud compute instances describe dev-1 $zone
says '' gcloud compute instances stop dev-1 $zone
says TERMINATED gcloud compute instances describe dev-1 $zone --format='value(status)'
says '' gcloud compute instances set-machine-type dev-1 $zone --machine-type=e2-medium
says e2-medium gcloud compute instances describe dev-1 $zone --format='value(machineType)'
refused 'must be stopped' gcloud compute instances set-machine-type dev-2 $zone --machine-type=e2-medium
says '' gcloud compute instances start dev-1 $zone
says '' gcloud compute instances reset dev-1 $zone
says '' gcloud compute instances suspend dev-2 $zone
says '' gcloud compute instances resume dev-2 $zone
says '' gcloud compute instances add-labels dev-1 $zone --labels=team=red
says 'team=red' gcloud compute instances describe dev-1 $zone --format='value(labels)'
says '' gcloud compute instances remove-labels dev-1 $zone --labels=team
says '' gcloud compute instances update dev-1 $zone --deletion-protection
refused protected gcloud compute instances delete dev-1 $zone
says '' gcloud compute instances update dev-1 $zone --no-deletion-protection
says RUNNING gcloud compute instances create made $zone --machine-type=e2-small --image=practice --image-project=practice
says '' gcloud compute instances delete made $zone
refused 'was not found' gcloud compute instances describe nobody $zone
# Disks and snapshots.
says READY gcloud compute disks create data $zone --size=20GB
says '' gcloud compute instances attach-disk dev-1 $zone --disk=data
refused 'already being used' gcloud compute disks delete data $zone
says '' gcloud compute instances detach-disk dev-1 $zone --disk=data
says '' gcloud compute disks resize data $zone --size=40GB
says copy gcloud compute disks snapshot data $zone --snapshot-names=copy
says 40 gcloud compute snapshots list
says READY gcloud compute disks create again $zone --source-snapshot=copy
says '' gcloud compute snapshots delete copy
says '' gcloud compute disks delete again $zone
hides again gcloud compute disks list
# Addresses and rules.
says front gcloud compute addresses create front --region=europe-west1
says 198.1 gcloud compute addresses list
says '' gcloud compute addresses delete front --region=europe-west1
says ssh gcloud compute firewall-rules create ssh --allow=tcp:22 --source-ranges=10.0.0.0/8
says '' gcloud compute firewall-rules update ssh --disabled
says 'disabled: true' gcloud compute firewall-rules describe ssh
says '' gcloud compute firewall-rules delete ssh
# Buckets and who may read them.
says '' gcloud storage buckets create gs://practice-lab --location=EU --public-access-prevention
says enforced gcloud storage buckets describe gs://practice-lab --format='value(public_access_prevention)'
refused prevention gcloud storage buckets add-iam-policy-binding gs://practice-lab --member=allUsers --role=roles/storage.objectViewer
says practice-lab gcloud storage buckets list
says '' gcloud storage buckets update gs://practice-lab --no-public-access-prevention
says '' gcloud storage buckets delete gs://practice-lab
# Databases.
says RUNNABLE gcloud sql instances create shop --tier=db-f1-micro --region=europe-west1 --database-version=POSTGRES_16
says shop gcloud sql instances list
says '' gcloud sql instances patch shop --activation-policy=NEVER
says STOPPED gcloud sql instances describe shop --format='value(state)'
says '' gcloud sql instances delete shop
# Service accounts, keys, secrets.
says '' gcloud iam service-accounts create keeper --display-name=Keeper
says keeper@practice gcloud iam service-accounts list
says '' gcloud iam service-accounts keys create "$SCRATCH/key.json" --iam-account=keeper@practice.iam.gserviceaccount.com
says USER_MANAGED gcloud iam service-accounts keys list --iam-account=keeper@practice.iam.gserviceaccount.com --format='value(keyType)'
says '' gcloud iam service-accounts delete keeper@practice.iam.gserviceaccount.com
finish
