//! Doors: through which address a request came, and what names mean there.

use remit_domain::OperationName;

#[cfg(test)]
mod tests;

/// Through which address a request came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Door {
    /// `/mcp/{connector}`: everything is named as its server names it.
    One(String),
    /// `/mcp`: tools and prompts are named `connector__name`, resources `connector+uri`.
    All,
}

impl Door {
    /// The operation that a tool's name means here. A name that can mean none gives a name that no operation has, so that
    /// the attempt is decided and recorded like any other.
    pub fn operation(&self, tool: &str) -> OperationName {
        let (connector, tool) = self.named(tool);
        OperationName::new(connector, tool)
    }

    /// The connector and the server's own name behind the name of a tool or prompt.
    pub fn named<'a>(&'a self, name: &'a str) -> (&'a str, &'a str) {
        match self {
            Self::One(connector) => (connector, name),
            // The names of connectors have no `__`, so there is one way to take this apart.
            Self::All => name.split_once("__").unwrap_or(("", name)),
        }
    }

    /// The connector and the server's own address behind the address of a resource.
    pub fn located<'a>(&'a self, uri: &'a str) -> (&'a str, &'a str) {
        match self {
            Self::One(connector) => (connector, uri),
            // The names of connectors have no `+` either.
            Self::All => uri.split_once('+').unwrap_or(("", uri)),
        }
    }

    /// How an operation is named to clients of this door.
    pub fn tool(&self, operation: &OperationName) -> String {
        self.name(operation.connector(), operation.tool())
    }

    /// How a tool or prompt of `connector` is named to clients of this door.
    pub fn name(&self, connector: &str, name: &str) -> String {
        match self {
            Self::One(_) => name.to_owned(),
            Self::All => format!("{connector}__{name}"),
        }
    }

    /// How a resource of `connector` is addressed by clients of this door.
    pub fn uri(&self, connector: &str, uri: &str) -> String {
        match self {
            Self::One(_) => uri.to_owned(),
            Self::All => format!("{connector}+{uri}"),
        }
    }

    /// Whether operations of `connector` are behind it.
    pub fn opens_on(&self, connector: &str) -> bool {
        matches!(self, Self::All) || matches!(self, Self::One(own) if own == connector)
    }
}
