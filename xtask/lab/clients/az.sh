# The Azure CLI against the practice cloud of clients.toml. `az.sh read`: only what reads, after somebody else changed things.
. "$(dirname "$0")/lib.sh"

# Once for each sandbox.
if [ ! -f "$AZURE_CONFIG_DIR/azureProfile.json" ]; then
    says '' az cloud register -n escher --endpoint-resource-manager "$AZURE_RESOURCE_MANAGER"
    says '' az cloud set -n escher
    says practice az login --identity
fi

if [ "$1" = read ]; then
    got deallocated az vm list -d --query "[?tags.env=='dev' && powerState=='VM deallocated'] | length(@)" -o tsv
    [ "$deallocated" = "$2" ] || { failed=$((failed + 1)); echo "FAILED: $deallocated machines of env dev are deallocated, not $2"; }
    says '"PowerState/deallocated"' az vm get-instance-view -g lab -n dev-1
    says 'VM running' az vm list -d -g lab --query "[?tags.env=='prod'].powerState" -o tsv
    says prod-1 az resource list --tag env=prod --query "[].name" -o tsv
    says dev-1 az vm show -g lab -n dev-1 --query name -o tsv
    finish
fi

# What there is.
says practice az account show
says Enabled az account list -o table
says 'West Europe' az account list-locations -o table
says lab az group list -o table
says true az group exists -n lab
says false az group exists -n none
says westeurope az group create -n made -l westeurope --tags env=dev
# Machines: looked at, moved, resized, tagged.
says dev-1 az vm list -g lab -o table
says 'VM running' az vm show -d -g lab -n dev-1 -o tsv --query powerState
says PowerState/running az vm get-instance-view -g lab -n dev-1
says Standard_D2s_v5 az vm list-sizes -l westeurope -o table
says '' az vm stop -g lab -n dev-1
says 'VM stopped' az vm show -d -g lab -n dev-1 --query powerState -o tsv
says '' az vm start -g lab -n dev-1
says '' az vm restart -g lab -n dev-1
says '' az vm deallocate -g lab -n dev-2 --no-wait
says '' az vm wait -g lab -n dev-2 --custom "instanceView.statuses[?code=='PowerState/deallocated']" --interval 1
says Standard_D4s_v5 az vm resize -g lab -n dev-2 --size Standard_D4s_v5
refused 'must be deallocated' az vm resize -g lab -n dev-1 --size Standard_D4s_v5
says blue az vm update -g lab -n dev-2 --set tags.colour=blue
says '"team": "red"' az tag update --operation Merge --tags team=red --resource-id "$(az vm show -g lab -n dev-2 --query id -o tsv)"
refused 'was not found' az vm show -g lab -n nobody
# Disks and snapshots.
says '"diskSizeGB": 64' az disk create -g lab -n data --size-gb 64 --tags env=dev
says '' az vm disk attach -g lab --vm-name dev-1 --name data
says Attached az disk show -g lab -n data --query diskState -o tsv
refused 'is attached' az disk delete -g lab -n data --yes
says '' az vm disk detach -g lab --vm-name dev-1 --name data
says '"diskSizeGB": 128' az disk update -g lab -n data --size-gb 128
says Succeeded az snapshot create -g lab -n copy --source data
says copy az snapshot list -g lab -o table
says '"diskSizeGB": 128' az disk create -g lab -n again --source copy
says '' az snapshot delete -g lab -n copy
says '' az disk delete -g lab -n again --yes
hides again az disk list -g lab -o table
# Networks, addresses and rules.
says 10.1.0.0/16 az network vnet create -g lab -n net --address-prefix 10.1.0.0/16 --subnet-name inner --subnet-prefix 10.1.1.0/24
says inner az network vnet subnet list -g lab --vnet-name net -o table
says 198.1 az network public-ip create -g lab -n front --sku Standard
says guard az network nsg create -g lab -n guard
says '"Allow"' az network nsg rule create -g lab --nsg-name guard -n ssh --priority 100 --access Allow --protocol Tcp --destination-port-ranges 22 --source-address-prefixes '*'
says ssh az network nsg rule list -g lab --nsg-name guard -o table
says 'Deny' az network nsg rule update -g lab --nsg-name guard -n ssh --access Deny
says '' az network nsg rule delete -g lab --nsg-name guard -n ssh
# Storage and who may read it.
says '"allowBlobPublicAccess": false' az storage account create -g lab -n labstore -l westeurope --sku Standard_LRS --allow-blob-public-access false
says '"allowBlobPublicAccess": true' az storage account update -g lab -n labstore --allow-blob-public-access true
says key2 az storage account keys list -g lab -n labstore
# Databases.
says labsql az sql server create -g lab -n labsql -l westeurope --admin-user keeper --admin-password 'Practice-1234'
says Online az sql db create -g lab -s labsql -n shop --service-objective S0
says shop az sql db list -g lab -s labsql -o table
says '' az sql server delete -g lab -n labsql --yes
# Metrics.
says 'Percentage CPU' az monitor metrics list --resource "$(az vm show -g lab -n dev-1 --query id -o tsv)" --metric 'Percentage CPU' --interval PT1M
# Tidied up: what the next one counts is as it was.
says '' az vm start -g lab -n dev-2
says '' az vm delete -g lab -n old-1 --yes
says '' az group delete -n made --yes
finish
