//! The requests of the matrix: at least one for every page and form, so that it would be done for whoever may have it done.

/// One request.
pub(super) struct Row {
    pub method: &'static str,
    /// As in the table of contents.
    pub path: &'static str,
    /// What is asked for, in place of the path: `$name` stands for what the estate has. As the path if empty.
    example: &'static str,
    /// Of a form.
    pub fields: &'static [(&'static str, &'static str)],
    /// Whether nobody can be seen to get it here: it takes what only a browser has, or more of an estate.
    pub unfinished: bool,
}

impl Row {
    /// What is asked for.
    pub(super) fn asked(&self) -> &'static str {
        if self.example.is_empty() { self.path } else { self.example }
    }
}

/// What nobody has to be signed in for.
pub(super) const OPEN: &[(&str, &str)] = &[
    ("get", "/sign-in"),
    ("post", "/sign-in"),
    ("post", "/sign-in/passkey"),
    ("get", "/sign-in/oidc"),
    ("get", "/sign-in/oidc/callback"),
    ("get", "/assets/console.css"),
    ("get", "/assets/console.js"),
    ("get", "/assets/htmx.js"),
    ("get", "/assets/mark.svg"),
];

macro_rules! rows {
    ($($method:ident $path:literal $example:literal $fields:expr $(, $flag:ident)?;)*) => {
        pub(super) const ROWS: &[Row] = &[$(Row {
            $($flag: true,)?
            ..Row { method: stringify!($method), path: $path, example: $example, fields: &$fields, unfinished: false }
        }),*];
    };
}

rows! {
    get "/" "" [];
    post "/sign-out" "" [];
    get "/step-up" "" [], unfinished;
    post "/step-up" "" [], unfinished;
    get "/step-up/continue" "/step-up/continue?form=none" [], unfinished;
    get "/passkeys" "" [];
    post "/passkeys" "" [], unfinished;
    post "/passkeys/remove" "" [("credential", "none")], unfinished;
    get "/consent" "" [], unfinished;
    post "/consent" "" [], unfinished;
    get "/live" "" [];
    get "/settings" "" [];
    post "/settings/sessions/{id}/end" "/settings/sessions/$session/end" [];

    get "/connect" "/connect?agent=support-bot" [];

    get "/people" "" [];
    post "/people" "" [("name", "zoe"), ("groups", "")];
    get "/people/{name}" "/people/carla" [];
    post "/people/{name}/groups" "/people/carla/groups" [("groups", "finance")];
    post "/people/{name}/sign-in" "/people/carla/sign-in" [("minutes", "15")];
    post "/people/{name}/end-session" "/people/carla/end-session" [("session", "$session")];
    post "/people/{name}/absence" "/people/carla/absence" [("deputy", "maria"), ("until", "2027-02-01"), ("reason", "away")];
    post "/people/{name}/entitlements" "/people/carla/entitlements" [("operations", "helpdesk/lookup"), ("reason", "as in the directory")];
    post "/people/{name}/link" "/people/carla/link" [("issuer", "https://idp.example"), ("subject", "carla")];
    post "/people/{name}/remove" "/people/carla/remove" [("sure", "yes")];

    get "/tasks" "" [];
    get "/tasks/{id}" "/tasks/$task" [];
    post "/tasks/{id}/end" "/tasks/$task/end" [("reason", "done")];
    post "/tasks/{id}/end-run" "/tasks/$task/end-run" [("reason", "done")];

    get "/approvals" "" [];
    get "/approvals/{id}" "/approvals/$approval" [];
    post "/approvals/{id}/approve" "/approvals/$approval/approve" [("digest", "$digest")];
    post "/approvals/{id}/deny" "/approvals/$approval/deny" [("note", "no")];

    get "/grants" "" [];
    get "/grants/{id}" "/grants/$grant" [];
    get "/grants/{id}" "/grants/$wanted" [];
    post "/grants/{id}/approve" "/grants/$wanted/approve" [];
    post "/grants/{id}/deny" "/grants/$wanted/deny" [("note", "no")];

    get "/agents" "" [];
    get "/agents/new" "" [];
    post "/agents/new" "" [("name", "other-bot"), ("owner", "olga")];
    get "/agents/{name}" "/agents/support-bot" [];
    get "/agents/{name}/describe" "/agents/support-bot/describe" [];
    post "/agents/{name}/describe" "/agents/support-bot/describe" [
        ("purpose", "answers customers"), ("owner", "olga"), ("approvers", "maria"), ("class", "act"), ("autonomy", "2"),
        ("environment", "test"), ("d1", "yes"), ("review", "2027-03-01"),
    ];
    get "/agents/{name}/timeline" "/agents/support-bot/timeline" [];
    get "/agents/{name}/tasks" "/agents/support-bot/tasks" [];
    get "/agents/{name}/grants" "/agents/support-bot/grants" [];
    post "/agents/{name}/grants" "/agents/support-bot/grants" [("operations", "helpdesk/lookup"), ("reason", "its work"), ("days", "7")];
    post "/agents/{name}/revoke-grant" "/agents/support-bot/revoke-grant" [("grant", "$grant"), ("reason", "not needed")];
    get "/agents/{name}/configuration" "/agents/support-bot/configuration" [];
    get "/agents/{name}/people" "/agents/support-bot/people" [];
    get "/agents/{name}/findings" "/agents/support-bot/findings" [];
    post "/agents/{name}/close-finding" "/agents/support-bot/close-finding" [("finding", "none")], unfinished;
    post "/agents/{name}/activate" "/agents/support-bot/activate" [];
    post "/agents/{name}/suspend" "/agents/support-bot/suspend" [("reason", "it went wrong")];
    post "/agents/{name}/resume" "/agents/support-bot/resume" [];
    post "/agents/{name}/end" "/agents/support-bot/end" [("reason", "replaced by another")];
    get "/agents/{name}/receipt" "/agents/support-bot/receipt" [], unfinished;
    post "/agents/{name}/enrolment" "/agents/support-bot/enrolment" [("minutes", "15")];
    get "/connectors" "" [];
    get "/connectors/{name}" "/connectors/helpdesk" [];
    get "/connectors/{name}/review" "/connectors/helpdesk/review" [];
    post "/connectors/{name}/approve" "/connectors/helpdesk/approve" [], unfinished;

    get "/connectors/{name}/operations/{tool}" "/connectors/helpdesk/operations/lookup" [];
    post "/connectors/{name}/classify" "/connectors/helpdesk/classify" [("tool", "lookup"), ("digest", "$definition"), ("verb", "read"), ("risk", "2"), ("data", "D2"), ("reason", "it shows more than it said")];

    get "/changes" "" [];
    get "/changes/{id}/replay" "/changes/$change/replay" [];
    get "/changes/{id}" "/changes/$change" [];
    post "/changes/{id}/approve" "/changes/$change/approve" [];
    post "/changes/{id}/reject" "/changes/$change/reject" [("note", "no")];
    post "/changes/{id}/review" "/changes/$emergency/review" [("upheld", "yes"), ("note", "it burned")];
    post "/changes/{id}/revert" "/changes/$applied/revert" [("reason", "it was wrong")];
    get "/policies" "" [];
    get "/policies/{name}" "/policies/applied" [];
    get "/policies/new" "" [];
    post "/policies/new" "" [("name", "newest"), ("text", "@id(\"newest\") @reason(\"a test\") forbid (principal, action, resource) when { resource.risk > 3 };"), ("reason", "tries"), ("do", "propose")];
    get "/policies/{name}/edit" "/policies/applied/edit" [];
    post "/policies/{name}/edit" "/policies/applied/edit" [("base", "$textbase"), ("text", "@id(\"applied\") @reason(\"another\") forbid (principal, action, resource) when { resource.risk > 3 };"), ("reason", "tries"), ("do", "propose")];
    get "/policies/{name}/history" "/policies/applied/history" [];
    get "/policies/{name}/diff" "/policies/applied/diff" [];
    post "/policies/{name}/remove" "/policies/applied/remove" [("reason", "tries")];
    get "/preview" "/preview?agent=support-bot" [];
    get "/keys" "" [];

    get "/who" "/who?ask=call&about=helpdesk/lookup" [];
    get "/who" "/who?ask=agent&about=support-bot" [];
    get "/who" "/who?ask=person&about=carla" [];
    get "/history" "" [];
    get "/history" "/history?artefact=policy:applied" [];
    get "/history" "/history?artefact=agent:support-bot" [];
    get "/ledger" "" [];
    get "/ledger" "/ledger?agent=support-bot" [];
    get "/records/{seq}" "/records/0" [];
    get "/records/{seq}" "/records/$about" [];
    post "/records/{seq}/contents" "/records/$about/contents" [("reason", "a complaint")], unfinished;
}
