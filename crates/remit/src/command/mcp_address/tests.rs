use super::mcp_url;

#[test]
fn an_address_is_whole() {
    for text in ["nonsense", "", "localhost:7480/mcp", "/mcp", "ftp://host/mcp", "http://"] {
        assert!(mcp_url(text).unwrap_err().contains("write it like `http"), "{text}");
    }
    assert!(mcp_url("https://remit.example/mcp").is_ok());
}
