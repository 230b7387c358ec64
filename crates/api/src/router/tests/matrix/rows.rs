//! The requests of the matrix: at least one for every address, so that it would be done for whoever may have it done.

/// One request.
pub(super) struct Row {
    pub method: &'static str,
    /// As in the table of addresses.
    pub path: &'static str,
    /// What is asked for, in place of the path: `$name` stands for what the estate has. As the path if empty.
    example: &'static str,
    pub body: &'static str,
    /// Whether nobody can be seen to get it here: it takes what only a browser, a process or a network has.
    pub unfinished: bool,
    /// Whether something changes after it was answered.
    pub lingers: bool,
}

impl Row {
    /// What is asked for.
    pub(super) fn asked(&self) -> String {
        let example = if self.example.is_empty() { self.path } else { self.example };
        example.to_owned()
    }
}

macro_rules! rows {
    ($($method:ident $path:literal $example:literal $body:literal $($flag:ident)*;)*) => {
        pub(super) const ROWS: &[Row] = &[$(Row {
            $($flag: true,)*
            ..Row {
                method: stringify!($method),
                path: $path,
                example: $example,
                body: $body,
                unfinished: false,
                lingers: false,
            }
        }),*];
    };
}

rows! {
    get "/v1/people" "" "";
    post "/v1/people" "" r#"{"name": "zoe"}"#;
    get "/v1/people/{person}" "/v1/people/leo" "";
    put "/v1/people/{person}" "/v1/people/leo" r#"{"groups": ["finance"]}"#;
    delete "/v1/people/{person}" "/v1/people/leo" "";
    post "/v1/people/{person}/links" "/v1/people/leo/links" r#"{"issuer": "https://idp.example", "subject": "leo"}"#;
    post "/v1/people/{person}/sign-in" "/v1/people/leo/sign-in" "{}";

    get "/v1/sessions" "" "";
    get "/v1/sessions/current" "" "";
    delete "/v1/sessions/current" "" "";
    delete "/v1/sessions/{session}" "/v1/sessions/$session" "";
    post "/v1/sessions/step-up/begin" "" "" unfinished;
    post "/v1/sessions/step-up" "" "{}" unfinished;

    get "/v1/passkeys" "" "";
    get "/v1/passkeys" "/v1/passkeys?person=leo" "";
    post "/v1/passkeys/enrolment" "" "{}";
    post "/v1/passkeys" "" "{}" unfinished;
    delete "/v1/passkeys/{credential}" "/v1/passkeys/none" "{}" unfinished;

    get "/v1/agents" "" "";
    post "/v1/agents" "" r#"{"name": "newcomer"}"#;
    get "/v1/agents/{agent}" "/v1/agents/triage" "";
    put "/v1/agents/{agent}" "/v1/agents/triage" r#"{"owner": "olga", "approvers": ["amir"], "purpose": "answers", "class": "act", "autonomy": 3, "data_classes": ["D0"], "environment": "production", "review_in_seconds": 3600}"#;
    post "/v1/agents/{agent}/describe" "/v1/agents/triage/describe" r#"{"purpose": "answers tickets only"}"#;
    get "/v1/agents/{agent}/card" "/v1/agents/triage/card" "";
    get "/v1/agents/{agent}/preview" "/v1/agents/triage/preview" "";
    post "/v1/agents/{agent}/activate" "/v1/agents/draft/activate" "";
    post "/v1/agents/{agent}/suspend" "/v1/agents/triage/suspend" r#"{"reason": "a look at it"}"#;
    post "/v1/agents/{agent}/resume" "/v1/agents/asleep/resume" "";
    post "/v1/agents/{agent}/decommission" "/v1/agents/triage/decommission" r#"{"reason": "not used"}"#;
    post "/v1/agents/{agent}/enrolment" "/v1/agents/triage/enrolment" "{}";
    delete "/v1/agents/{agent}/keys/{thumbprint}" "/v1/agents/triage/keys/$thumbprint" "";
    get "/v1/agents/{agent}/workloads" "/v1/agents/triage/workloads" "";
    post "/v1/agents/{agent}/workloads" "/v1/agents/triage/workloads" r#"{"kind": "local", "selectors": ["unix:uid:1002"]}"#;
    delete "/v1/agents/{agent}/workloads" "/v1/agents/triage/workloads" r#"{"kind": "local", "selectors": ["unix:uid:1001"]}"#;

    get "/v1/connectors" "" "";
    post "/v1/connectors" "" r#"{"name": "crm", "spec": {"kind": "http", "url": "http://crm/mcp"}}"#;
    get "/v1/connectors/{connector}" "/v1/connectors/helpdesk" "";
    delete "/v1/connectors/{connector}" "/v1/connectors/helpdesk" "";
    get "/v1/connectors/{connector}/tools" "/v1/connectors/helpdesk/tools" "";
    post "/v1/connectors/{connector}/approve-tools" "/v1/connectors/helpdesk/approve-tools" r#"{"choices": [{"tool": "read_ticket", "verb": "read", "risk": 0, "data": "D1", "digest": "$offered"}]}"#;
    get "/v1/operations" "" "";

    get "/v1/grants" "" "";
    post "/v1/grants" "" r#"{"agent": "triage", "operations": ["helpdesk/lookup"], "reason": "less", "ttl_seconds": 3600}"#;
    get "/v1/grants/{grant}" "/v1/grants/$grant" "";
    post "/v1/grants/{grant}/approve" "/v1/grants/$asked/approve" "";
    post "/v1/grants/{grant}/deny" "/v1/grants/$asked/deny" r#"{"note": "no"}"#;
    post "/v1/grants/{grant}/revoke" "/v1/grants/$grant/revoke" r#"{"reason": "not used"}"#;

    post "/v1/access-requests" "" r#"{"operations": ["archive/read"], "reason": "the ticket names an old order"}"#;
    get "/v1/access-requests/{request}" "/v1/access-requests/$wanted" "";
    get "/v1/grants/{grant}" "/v1/grants/$wanted" "";
    post "/v1/grants/{grant}/approve" "/v1/grants/$wanted/approve" "";
    post "/v1/grants/{grant}/deny" "/v1/grants/$wanted/deny" r#"{"note": "no"}"#;

    get "/v1/tasks" "" "";
    post "/v1/tasks" "" r#"{"agent": "triage", "purpose": "one ticket"}"#;
    get "/v1/tasks/{task}" "/v1/tasks/$task" "";
    post "/v1/tasks/{task}/end" "/v1/tasks/$task/end" r#"{"note": "done"}"#;
    get "/v1/tasks/{task}/lease" "/v1/tasks/$task/lease" "" lingers;
    post "/v1/tasks/{task}/launch" "/v1/tasks/$task/launch" "" unfinished;
    post "/v1/tasks/{task}/token" "/v1/tasks/$task/token" "{}";
    post "/v1/tasks/{task}/contents" "/v1/tasks/$task/contents" r#"{"content": "$content", "reason": "a complaint"}"#;
    post "/v1/tasks/{task}/erase" "/v1/tasks/$ended/erase" r#"{"reason": "asked to"}"#;
    post "/v1/agent/tasks" "" r#"{"purpose": "its own work"}"#;
    post "/v1/agent/tasks/{task}/token" "/v1/agent/tasks/$own/token" "{}";
    post "/v1/agent/tasks/{task}/end" "/v1/agent/tasks/$own/end" "{}";

    get "/v1/runs" "" "";
    post "/v1/runs/{run}/revoke" "/v1/runs/$run/revoke" r#"{"reason": "goes wrong"}"#;

    get "/v1/clients" "" "";
    post "/v1/clients" "" r#"{"name": "other", "redirect_uris": ["https://other.example/back"]}"#;
    delete "/v1/clients/{client}" "/v1/clients/notes" "";

    get "/v1/findings" "" "";
    get "/v1/findings/{finding}" "/v1/findings/$finding" "";
    post "/v1/findings/{finding}/close" "/v1/findings/$finding/close" r#"{"note": "one machine with two names"}"#;
    get "/v1/legacy-accounts" "" "";
    post "/v1/legacy-accounts" "" r#"{"name": "batch", "workflows": {"weekly": "clerk"}, "due_in_seconds": 3600, "reason": "until it can"}"#;
    post "/v1/legacy-accounts/{name}/close" "/v1/legacy-accounts/cron/close" r#"{"reason": "paid"}"#;

    get "/v1/approvals" "" "";
    get "/v1/approvals/{approval}" "/v1/approvals/$approval" "";
    post "/v1/approvals/{approval}/challenge" "/v1/approvals/$approval/challenge" r#"{"shown": "$digest"}"# unfinished;
    post "/v1/approvals/{approval}/approve" "/v1/approvals/$approval/approve" r#"{"digest": "$digest"}"#;
    post "/v1/approvals/{approval}/deny" "/v1/approvals/$approval/deny" r#"{"note": "no"}"#;

    get "/v1/policies" "" "";
    post "/v1/policies" "" r#"{"edits": [{"name": "extra", "text": "@id(\"extra\") forbid (principal, action, resource) when { resource.risk > 3 };"}], "reason": "tries"}"#;
    post "/v1/policies/check" "" r#"{"edits": [{"name": "extra", "text": "@id(\"extra\") forbid (principal, action, resource) when { resource.risk > 3 };"}]}"#;
    get "/v1/changes" "" "";
    post "/v1/changes" "" r#"{"edits": [{"artefact": "groups", "person": "leo", "groups": ["finance"]}], "reason": "his new work"}"#;
    post "/v1/changes/emergency" "" r#"{"edits": [{"artefact": "groups", "person": "leo", "groups": ["finance"]}], "reason": "it burns"}"#;
    get "/v1/changes/history" "/v1/changes/history?artefact=policy:applied" "";
    get "/v1/changes/history" "/v1/changes/history?artefact=agent:triage" "";
    get "/v1/changes/{change}" "/v1/changes/$change" "";
    get "/v1/changes/{change}/diff" "/v1/changes/$change/diff" "";
    post "/v1/changes/{change}/approve" "/v1/changes/$change/approve" "";
    post "/v1/changes/{change}/reject" "/v1/changes/$change/reject" r#"{"note": "no"}"#;
    post "/v1/changes/{change}/shadow" "/v1/changes/$change/shadow" r#"{"on": true}"# lingers;
    get "/v1/changes/{change}/shadow" "/v1/changes/$change/shadow" "" unfinished;
    post "/v1/changes/{change}/review" "/v1/changes/$emergency/review" r#"{"upheld": true, "note": "it burned"}"#;
    post "/v1/changes/{change}/revert" "/v1/changes/$applied/revert" r#"{"reason": "it was wrong"}"#;
    get "/v1/who-can" "/v1/who-can?operation=helpdesk/lookup" "";
    get "/v1/who-can-change" "/v1/who-can-change?artefact=policy:applied" "";
    get "/v1/who-can-change" "/v1/who-can-change?artefact=agent:triage" "";
    get "/v1/who-approved" "/v1/who-approved?of=$approval" "";
    get "/v1/who-approved" "/v1/who-approved?of=$change" "";
    get "/v1/reach" "/v1/reach?agent=triage" "";
    get "/v1/reach" "/v1/reach?person=leo" "";
    post "/v1/replay" "" r#"{"edits": [{"name": "extra", "text": "@id(\"extra\") forbid (principal, action, resource) when { resource.risk > 3 };"}]}"#;
    post "/v1/replay" "/v1/replay?with=change" r#"{"change": "$change"}"#;
    post "/v1/simulate" "" r#"{"task": "$task", "operation": "helpdesk/lookup"}"#;

    get "/v1/records" "" "";
    get "/v1/records" "/v1/records?agent=triage" "";
    get "/v1/records/{seq}" "/v1/records/0" "";
    get "/v1/records/{seq}" "/v1/records/$end" "";
    get "/v1/records/{seq}/proof" "/v1/records/$end/proof" "";
    get "/v1/stream" "" "";
    get "/v1/stream" "/v1/stream?agent=triage" "";
    get "/v1/receipts/{seq}" "/v1/receipts/$end" "";
    post "/v1/evidence" "" "{}";
    post "/v1/evidence" "/v1/evidence?of=triage" r#"{"agent": "triage"}"#;
    post "/v1/evidence" "/v1/evidence?with=contents" r#"{"agent": "triage", "contents": true, "reason": "a complaint"}"# unfinished;
    get "/v1/keys" "" "";
    post "/v1/keys/rotate" "" "";
    post "/v1/keys/{key}/revoke" "/v1/keys/$key/revoke" "";
    get "/ledger/{realm}/tile/entries/{*index}" "/ledger/$realm/tile/entries/000.p/1" "" unfinished;

    post "/access/v1/evaluation" "" r#"{"subject": {"type": "user", "id": "leo"}, "action": {"name": "read"}, "resource": {"type": "ticket", "id": "7"}}"#;
    post "/access/v1/evaluations" "" r#"{"evaluations": [{"subject": {"type": "user", "id": "leo"}, "action": {"name": "read"}, "resource": {"type": "ticket", "id": "7"}}]}"#;
    post "/access/v1/search/subject" "" r#"{"subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "ticket", "id": "7"}}"#;
    post "/access/v1/search/resource" "" r#"{"subject": {"type": "user", "id": "leo"}, "action": {"name": "read"}, "resource": {"type": "ticket"}}"#;
    post "/access/v1/search/action" "" r#"{"subject": {"type": "user", "id": "leo"}, "resource": {"type": "ticket", "id": "7"}}"#;
    post "/access/v1/requests" "" "{}" unfinished;
    get "/access/v1/requests/{request}" "/access/v1/requests/none" "" unfinished;
}
