use super::Form;
use crate::limits;

#[test]
fn each_parameter_is_there_at_most_once() {
    let form = Form::parse(b"grant_type=client_credentials&scope=a%2Fb+c%2F*&empty=").unwrap();
    assert_eq!(form.text("scope").unwrap(), "a/b c/*");
    assert_eq!(form.optional("empty"), None);
    assert_eq!(form.text("code").unwrap_err().code(), "missing_parameter");
    assert_eq!(Form::parse(b"scope=a&scope=a").unwrap_err().error, "invalid_request");
    assert_eq!(Form::parse(b"scope=&scope=a").unwrap_err().error, "invalid_request");
    assert_eq!(Form::parse(b"resource=a&resource=b").unwrap_err().error, "invalid_target");
}

#[test]
fn what_is_not_text_is_refused() {
    assert_eq!(Form::parse(b"scope=%ff").unwrap_err().code(), "bad_encoding");
    let many: Vec<String> = (0..=limits::PARAMETERS_MAX).map(|number| format!("p{number}=1")).collect();
    assert_eq!(Form::parse(many.join("&").as_bytes()).unwrap_err().code(), "too_many_parameters");
}
