//! Which of Azure's clouds is meant.

/// Its name in lower case, as the Azure CLI spells it (`azurechinacloud`); empty for the public one.
pub(crate) fn named() -> String {
    let name = std::env::var("AZURE_CLOUD").or_else(|_| std::env::var("AZURE_CLOUD_NAME")).unwrap_or_default();
    name.to_ascii_lowercase()
}
