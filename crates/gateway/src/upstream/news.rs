//! What servers say of themselves without being asked, for whoever wants to hear it.

use remit_domain::ConnectorId;
use tokio::sync::broadcast;

use super::message::Change;

/// Something has changed behind a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub connector: ConnectorId,
    pub kind: NewsKind,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NewsKind {
    ToolsChanged,
    ResourcesChanged,
    PromptsChanged,
    ResourceUpdated { uri: String },
}

/// Where a connection's news go, if anywhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Reporter {
    to: Option<(ConnectorId, broadcast::Sender<News>)>,
}

impl Reporter {
    pub fn new(connector: ConnectorId, news: broadcast::Sender<News>) -> Self {
        Self { to: Some((connector, news)) }
    }

    /// Passes on a change; whoever has no time for it loses the oldest.
    pub fn report(&self, change: Change) {
        let kind = match change {
            Change::Tools => NewsKind::ToolsChanged,
            Change::Resources => NewsKind::ResourcesChanged,
            Change::Prompts => NewsKind::PromptsChanged,
            Change::Resource { uri } => NewsKind::ResourceUpdated { uri },
        };
        if let Some((connector, news)) = &self.to {
            // Nobody need be listening.
            let _ = news.send(News { connector: *connector, kind });
        }
    }
}
