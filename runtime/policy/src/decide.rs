//! One question, one verdict, and the rule that made it.

use std::collections::{BTreeSet, HashSet};

use cedar_policy::{AuthorizationError, Authorizer, Context, Decision, Entities, Entity, Request};

use crate::Action;
use crate::facts::Facts;
use crate::load::schema;
use crate::rules::{Policy, Rule, entity};

/// Who wants to do what.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// A principal.
    pub principal: &'q str,
    /// The roles that they have.
    pub roles: Vec<&'q str>,
    /// What they want to do.
    pub action: Action,
    /// Name of the playbook; of what is about the whole store, nothing.
    pub playbook: &'q str,
    /// What is known.
    pub facts: &'q Facts,
}

/// Whether they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// They may.
    pub allowed: bool,
    /// The rules that decided, in the order in which they stand; none where no rule permits it.
    pub rules: Vec<Rule>,
    /// Of a denial that no rule makes but the lack of one: roles that would be permitted.
    pub roles: Vec<String>,
    /// Why, in words that name the rule.
    pub reason: String,
    /// What to do about it.
    pub help: String,
}

impl Policy {
    /// Decides. What can't be decided is denied.
    pub fn decide(&self, question: &Question<'_>) -> Verdict {
        let decided = self.ask(question, &question.roles);
        let (who, what) = (question.principal, question.action.name());
        let (allowed, rules, failed) = match decided {
            Some(decided) => decided,
            None => return denied(format!("whether `{who}` may {what} cannot be decided"), ""),
        };
        if let Some(name) = failed {
            // Cedar passes such a rule over: what it would have forbidden would be allowed.
            return denied(format!("rule `{name}` of the policy cannot be decided"), "change the rule");
        }
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        let said = rules.iter().find_map(|rule| rule.says.clone());
        let said = said.map(|says| format!(": {says}")).unwrap_or_default();
        let plural = if names.len() > 1 { "rules" } else { "rule" };
        let names = format!("{plural} `{}`", names.join("`, `"));
        if allowed {
            let reason = format!("{names} of the policy lets `{who}` {what}{said}");
            return Verdict { allowed, rules, roles: Vec::new(), reason, help: String::new() };
        }
        if !rules.is_empty() {
            let help = rules.iter().find_map(|rule| rule.help.clone());
            let help = help.unwrap_or_else(|| "`escher policy explain` says what the rule looks at".into());
            let reason = format!("{names} of the policy does not let `{who}` {what}{said}");
            return Verdict { allowed, rules, roles: Vec::new(), reason, help };
        }
        self.nobody_lets(question)
    }

    /// No rule permits it: who would be permitted?
    fn nobody_lets(&self, question: &Question<'_>) -> Verdict {
        let (who, what) = (question.principal, question.action.name());
        let permitted = |role: &&String| {
            let decided = self.ask(question, &[role.as_str()]);
            decided.is_some_and(|(allowed, _, failed)| allowed && failed.is_none())
        };
        let roles: Vec<String> = self.inner().roles.iter().filter(permitted).cloned().collect();
        let has = match question.roles.as_slice() {
            [] => "has no role".to_string(),
            roles => format!("has the role {}", listed(roles)),
        };
        let reason = format!("no rule of the policy lets `{who}` {what}: `{who}` {has}");
        let help = match roles.is_empty() {
            true => "ask whoever writes the policy for a rule that permits it".to_string(),
            false => format!("it takes the role {}", listed(&roles)),
        };
        Verdict { allowed: false, rules: Vec::new(), roles, reason, help }
    }

    /// Decision, the rules that made it, and one that failed.
    fn ask(&self, question: &Question<'_>, roles: &[&str]) -> Option<(bool, Vec<Rule>, Option<String>)> {
        let schema = schema()?;
        let principal = entity("User", question.principal)?;
        let action = entity("Action", question.action.name())?;
        let resource = match question.action.is_of_store() {
            true => entity("Store", "state")?,
            false => entity("Playbook", question.playbook)?,
        };
        let parents = roles.iter().map(|role| entity("Role", role)).collect::<Option<HashSet<_>>>()?;
        let roles = parents.iter().map(|role| Entity::new_no_attrs(role.clone(), HashSet::new())).collect::<Vec<_>>();
        let user = Entity::new_no_attrs(principal.clone(), parents);
        let all = roles.into_iter().chain([user]);
        let entities = Entities::from_entities(all, Some(schema)).ok()?;
        let context = Context::from_json_value(question.facts.to_json(), Some((schema, &action))).ok()?;
        let request = Request::new(principal, action, resource, context, Some(schema)).ok()?;
        let answer = Authorizer::new().is_authorized(&request, &self.inner().set, &entities);
        let reasons: BTreeSet<String> = answer.diagnostics().reason().map(ToString::to_string).collect();
        let rules = self.rules().iter().filter(|rule| reasons.contains(&rule.name)).cloned().collect();
        let failed = answer.diagnostics().errors().next().map(|error| match error {
            AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
        });
        Some((answer.decision() == Decision::Allow, rules, failed))
    }
}

fn denied(reason: String, help: &str) -> Verdict {
    Verdict { allowed: false, rules: Vec::new(), roles: Vec::new(), reason, help: help.into() }
}

fn listed(words: &[impl AsRef<str>]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(" or ")
}
