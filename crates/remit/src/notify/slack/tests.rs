use super::super::notice::shown;
use super::*;
use remit_domain::Timestamp;

const HOSTILE: [&str; 8] = [
    "<!channel> look",
    "<https://evil.example|your page>",
    "<@U024BE7LH>",
    "https://evil.example/approve",
    "www.evil.example",
    "@here @channel #general",
    "*bold* _it_ ~no~ `code` &lt;!everyone&gt;",
    "line\nbreak\u{202e}\u{200b}\r\nBcc: all@evil.example",
];

fn notice(text: &str) -> Notice {
    Notice {
        id: "rlm-7".to_owned(),
        kind: "approval_requested",
        at: Timestamp::from_millis(0),
        headline: shown(&format!("The agent {text} waits for an answer")),
        facts: vec![("Operation", shown(text)), ("Because", String::new())],
        page: "http://127.0.0.1:7470/approvals/apr_1".to_owned(),
        to: Vec::new(),
        document: Value::Null,
    }
}

/// Every text that is read as markup, of blocks and of the line that stands for them.
fn markup(message: &Value) -> Vec<&str> {
    let blocks = message["blocks"].as_array().unwrap().iter();
    let texts = blocks.flat_map(|block| {
        let fields = block["fields"].as_array().cloned().unwrap_or_default();
        assert!(fields.iter().all(|field| field["type"] == "plain_text" && field["emoji"] == false));
        (block["text"]["type"] == "mrkdwn").then(|| block["text"]["text"].as_str().unwrap())
    });
    texts.chain(message["text"].as_str()).collect()
}

#[test]
fn what_others_chose_makes_no_link_and_calls_nobody() {
    for text in HOSTILE {
        let message = message(&notice(text));
        let markup = markup(&message);
        assert_eq!(markup[0], "<http://127.0.0.1:7470/approvals/apr_1|Look at it in Remit>", "the only link is ours");
        let line = markup[1];
        assert!(!line.contains(['<', '>']), "{line}");
        for start in ["://", "@h", "@c", "#g", "evil.e", "www.e"] {
            assert!(!message.to_string().replace(markup[0], "").contains(start), "{start} in {message}");
        }
        assert_eq!((&message["parse"], &message["link_names"]), (&json!("none"), &json!(false)));
    }
}

#[test]
fn an_ampersand_is_escaped_first() {
    assert_eq!(escaped("&lt;!channel&gt; <a>"), "&amp;lt;!channel&amp;gt; &lt;a&gt;");
}

#[test]
fn nothing_is_longer_than_the_channel_takes() {
    let message = message(&notice(&"x".repeat(5_000)));
    assert!(message["blocks"][0]["text"]["text"].as_str().unwrap().chars().count() <= HEADER_CHARS_MAX);
    assert!(message.to_string().len() < 3_000);
    assert_eq!(message["blocks"][1]["fields"].as_array().unwrap().len(), 1, "what is not said has no field");
}

#[test]
fn the_address_is_shown_to_nobody() {
    let slack = Slack { url: "https://hooks.example/services/T0/B0/hunter2".parse().unwrap(), http: crate_http() };
    assert!(!format!("{slack:?}").contains("hunter2"));
}

fn crate_http() -> reqwest::Client {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    super::super::http().unwrap()
}
