//! `authorization_details` (RFC 9396) of the type `mission_resource_access`, as authority over operations.

use remit_domain::limits::PATTERNS_MAX;
use remit_domain::{Authority, Delegate, Delegation, OperationPattern, Refusal, State};
use remit_identity::mission::{self, Entry, MissionError};
use remit_identity::token::Profile;

use super::error::OAuthError;
use super::target::Target;

#[cfg(test)]
mod tests;

fn refused(refusal: Refusal) -> OAuthError {
    OAuthError::new("invalid_authorization_details", refusal)
}

fn unusable(error: &MissionError) -> OAuthError {
    refused(Refusal::new("bad_authority", error.to_string()).help(error.help()))
}

/// Reads the parameter; nothing where it is not there.
pub(crate) fn parse(text: Option<&str>) -> Result<Vec<Entry>, OAuthError> {
    text.map_or(Ok(Vec::new()), |text| mission::parse_entries(text).map_err(|error| unusable(&error)))
}

/// What entries mean here, one part of authority for each. Everything that they name has to be there: what is approved later is
/// not part of what was asked for now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meaning<'a> {
    pub state: &'a State,
    /// The gateway's address of tools, `…/mcp`.
    pub gateway: &'a str,
    /// What the token will be for: entries about another place are refused.
    pub target: &'a Target,
}

impl Meaning<'_> {
    pub fn of(&self, entries: &[Entry]) -> Result<Vec<Authority>, OAuthError> {
        entries.iter().map(|entry| self.of_one(entry)).collect()
    }

    fn of_one(&self, entry: &Entry) -> Result<Authority, OAuthError> {
        let mut operations: Vec<OperationPattern> = Vec::new();
        for connector in self.connectors(entry)? {
            for action in entry.actions() {
                self.expand(&connector, action, entry.is_prefix(), &mut operations)?;
            }
        }
        if operations.is_empty() {
            let refusal = Refusal::new("bad_authority", "an entry names no action that there is");
            return Err(refused(refusal.help("name tools that are approved, or `*`")));
        }
        let delegation = entry.delegation().map(delegation).transpose()?.flatten();
        let constraints = entry.constraints().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Ok(Authority { operations, constraints, delegation })
    }

    /// The connectors that an entry is about: one, or all where its resource is the whole gateway.
    fn connectors(&self, entry: &Entry) -> Result<Vec<String>, OAuthError> {
        let elsewhere = |sentence: &str| {
            let help = format!("name {}/CONNECTOR, or {} with `resource_match` `prefix`", self.gateway, self.gateway);
            refused(Refusal::new("resource_unknown", sentence).help(help))
        };
        let target = Target::parse(self.state, self.gateway, entry.resource())
            .map_err(|_| elsewhere("the resource of an entry is not one of this gateway"))?;
        if !target.is_within(self.target) {
            return Err(elsewhere("an entry is about another resource than the token is for"));
        }
        match target.connector() {
            Some(connector) => Ok(vec![connector.to_owned()]),
            None if entry.is_prefix() => {
                let mut all: Vec<String> = self.state.connectors.values().map(|one| one.name.clone()).collect();
                all.sort();
                Ok(all)
            }
            None => Err(elsewhere("an entry names the gateway itself, at which there are no actions")),
        }
    }

    fn expand(
        &self,
        connector: &str,
        action: &str,
        of_many: bool,
        operations: &mut Vec<OperationPattern>,
    ) -> Result<(), OAuthError> {
        let mut add = |tool: &str| {
            let pattern: OperationPattern = format!("{connector}/{tool}").parse().map_err(refused)?;
            if operations.contains(&pattern) {
                return Ok(());
            }
            if operations.len() >= PATTERNS_MAX {
                let sentence = format!("an entry comes to more than {PATTERNS_MAX} operations");
                return Err(refused(Refusal::new("bad_authority", sentence).help("ask for fewer, or for `*`")));
            }
            operations.push(pattern);
            Ok::<_, OAuthError>(())
        };
        match action.strip_suffix('*') {
            Some("") => add("*"),
            None if !of_many => add(action),
            family => {
                let wanted = |tool: &str| {
                    family.map_or(tool == action, |family| tool.len() > family.len() && tool.starts_with(family))
                };
                let approved =
                    self.state.operations.values().filter(|operation| operation.name.connector() == connector);
                let mut tools: Vec<&str> =
                    approved.map(|operation| operation.name.tool()).filter(|tool| wanted(tool)).collect();
                tools.sort_unstable();
                tools.into_iter().try_for_each(add)
            }
        }
    }
}

/// Nothing where it says that nothing may be passed on.
fn delegation(asked: &mission::Delegation) -> Result<Option<Delegation>, OAuthError> {
    if asked.max_depth == 0 || asked.allowed_delegates.is_empty() {
        return Ok(None);
    }
    let delegates = asked.allowed_delegates.iter().map(|delegate| match delegate {
        mission::Delegate::Subject(id) => Ok(Delegate::Agent(id.clone())),
        mission::Delegate::Profile(Profile::AiAgent) => Ok(Delegate::AnyAgent),
        mission::Delegate::Profile(_) => {
            let refusal = Refusal::new("bad_authority", "authority is passed on to agents only");
            Err(refused(refusal.help("name delegates by `sub`, or by the `sub_profile` `ai_agent`")))
        }
    });
    Ok(Some(Delegation { depth_max: asked.max_depth, delegates: delegates.collect::<Result<_, _>>()? }))
}
