//! Large estates: so many resources, drawn over clouds, regions, groups and teams as real ones lie.
//!
//! Gives a seed, not resources, so that the same number always gives the same estate.

use std::collections::BTreeMap;

use super::seed::{GcpInstanceSeed, InstanceSeed, MAX_RESOURCES, MachineSeed, Seed, SeedError, SeedState, VolumeSeed};

/// Teams, environments, and of a hundred resources of a team so many are of an environment.
const TEAMS: &[&str] = &["storefront", "platform", "data", "search", "payments"];
const ENVIRONMENTS: &[(&str, u32)] = &[("dev", 45), ("test", 15), ("staging", 10), ("prod", 30)];

impl Seed {
    /// So many resources over three clouds: of ten, four are instances of AWS, two of its volumes, two machines of Azure, two
    /// instances of Google Cloud.
    pub fn generate(number: u32) -> Result<Seed, SeedError> {
        if number == 0 || number > MAX_RESOURCES {
            return Err(SeedError(format!("an estate has from 1 to {MAX_RESOURCES} resources")));
        }
        let mut seed = Seed { seed: 1, ..Seed::empty() };
        let share = |tenths: u32| u32::try_from(u64::from(number) * u64::from(tenths) / 10).unwrap_or(number);
        let (volumes, azure, gcp) = (share(2), share(2), share(2));
        let regions = seed.regions.clone();
        for (n, (name, count, tags, stopped)) in drawn(number - volumes - azure - gcp).enumerate() {
            seed.instances.push(InstanceSeed {
                name: Some(name),
                count,
                account: None,
                region: regions.get(n % regions.len().max(1)).cloned(),
                az: None,
                kind: turn(n, &["t3.micro", "t3.small", "m5.large", "c5.xlarge", "r5.large"]),
                state: if stopped { SeedState::Stopped } else { SeedState::Running },
                id: None,
                image: None,
                launched: None,
                termination_protection: tags.get("env").is_some_and(|env| env == "prod"),
                tags,
            });
        }
        for (n, (name, count, tags, _)) in drawn(volumes).enumerate() {
            seed.volumes.push(VolumeSeed {
                name: Some(format!("{name}-data")),
                count,
                account: None,
                region: regions.get(n % regions.len().max(1)).cloned(),
                az: None,
                kind: turn(n, &["gp3", "gp2", "io1"]),
                size: [8, 20, 100, 500].get(n % 4).copied().unwrap_or(8),
                id: None,
                created: None,
                tags,
            });
        }
        for (n, (name, count, tags, stopped)) in drawn(azure).enumerate() {
            let team = tags.get("team").cloned().unwrap_or_default();
            seed.azure.machines.push(MachineSeed {
                name,
                count,
                group: team,
                location: turn(n, &["westeurope", "northeurope", "eastus"]),
                size: turn(n, &["Standard_B2s", "Standard_D2s_v5", "Standard_E4s_v5"]),
                stopped,
                tags,
            });
        }
        for (n, (name, count, labels, stopped)) in drawn(gcp).enumerate() {
            seed.gcp.instances.push(GcpInstanceSeed {
                name,
                count,
                zone: turn(n, &["europe-west1-b", "europe-west1-c", "us-central1-a"]),
                kind: turn(n, &["e2-small", "e2-medium", "n2-standard-2"]),
                stopped,
                deletion_protection: labels.get("env").is_some_and(|env| env == "prod"),
                labels,
            });
        }
        Ok(seed)
    }
}

fn turn(n: usize, words: &[&str]) -> String {
    words.get(n % words.len().max(1)).copied().unwrap_or_default().to_owned()
}

type Drawn = (String, u32, BTreeMap<String, String>, bool);

/// A number, shared out over teams and environments; one in eight of those that are not production is stopped.
fn drawn(number: u32) -> impl Iterator<Item = Drawn> {
    let total = TEAMS.len() as u64 * 100;
    let mut shares = Vec::new();
    let (mut before, mut given) = (0u64, 0u32);
    for team in TEAMS {
        for (env, weight) in ENVIRONMENTS {
            before += u64::from(*weight);
            let until = u32::try_from(u64::from(number) * before / total).unwrap_or(number);
            shares.push((*team, *env, until - given));
            given = until;
        }
    }
    shares.into_iter().flat_map(|(team, env, count)| {
        let tags = |role: &str| {
            let pairs = [("team", team), ("env", env), ("role", role)];
            pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter().collect::<BTreeMap<_, _>>()
        };
        let stopped = if env == "prod" { 0 } else { count / 8 };
        [
            (format!("{env}-{team}-web-{{n:5}}"), count - stopped, tags("web"), false),
            (format!("{env}-{team}-old-{{n:5}}"), stopped, tags("old"), true),
        ]
        .into_iter()
        .filter(|(_, count, ..)| *count > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estate_has_as_many_as_it_was_asked_for() {
        for number in [1, 7, 99, 1_000, 100_000] {
            let seed = Seed::generate(number).unwrap();
            let aws =
                seed.instances.iter().map(|i| i.count).sum::<u32>() + seed.volumes.iter().map(|v| v.count).sum::<u32>();
            let azure = seed.azure.machines.iter().map(|m| m.count).sum::<u32>();
            let gcp = seed.gcp.instances.iter().map(|i| i.count).sum::<u32>();
            assert_eq!(aws + azure + gcp, number);
            seed.validate().unwrap();
        }
        assert!(Seed::generate(0).is_err() && Seed::generate(MAX_RESOURCES + 1).is_err());
        let names = crate::World::from_seed(&Seed::generate(2_000).unwrap()).unwrap();
        assert_eq!(names.things.of(crate::azure::kinds::MACHINE).count(), 400);
    }
}
